// Streams: queues of work that run when somebody waits for them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing runs when it is issued. A stream's work runs, in order, when a call
// comes that the API says waits for it; what nobody waited for has visibly not
// happened. So a missing synchronization gives wrong results every time instead
// of once in a while.

#ifndef NEEDLE_CUDASIM_DRIVER_STREAM_H
#define NEEDLE_CUDASIM_DRIVER_STREAM_H

#include "driver/entry_points.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace ndl::cudasim::driver {

/// A copy, a launch, …; an error loses the context. May run several times, from
/// a graph.
using Work = std::function<CUresult()>;

/// Captured work, which runs in order.
struct Graph {
  std::vector<Work> nodes;
};

struct Capture {
  CUstreamCaptureMode mode;
  std::thread::id thread;
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  bool invalidated = false;
};

struct Stream;

/// Everything issued to a stream up to and including a number.
struct Place {
  std::shared_ptr<Stream> stream;
  uint64_t sequence = 0;
};

struct Stream {
  struct Item {
    uint64_t sequence;
    /// Runs before.
    std::vector<Place> after;
    Work work; ///< may be empty
  };
  /// Whether it is ordered with the legacy default stream.
  bool blocking = true;
  std::deque<Item> items;
  uint64_t last = 0; ///< sequence number of the last item issued
  /// Not null while it captures.
  std::shared_ptr<Capture> capture;
};

/// An event and its last recording.
struct Event {
  unsigned flags = 0;
  Place place;
  uint64_t recorded = 0; ///< number of recordings issued
  uint64_t reached = 0;  ///< the last one that ran
  /// Milliseconds of host time when it ran; a simulation has no GPU time.
  double time = 0;
  /// Not null if it was last recorded in this capture.
  std::shared_ptr<Capture> capture;
};

/// The streams of a context.
class Queues {
public:
  Queues() : legacy(std::make_shared<Stream>()) {}

  const std::shared_ptr<Stream> &legacyStream() const { return legacy; }
  std::shared_ptr<Stream> create(bool blocking);
  void remove(const std::shared_ptr<Stream> &stream);

  /// Issues work to a stream, after what the API orders it and after `after`.
  /// Like a device's, a queue has an end: a full one runs its oldest item.
  CUresult issue(const std::shared_ptr<Stream> &stream, Work work,
                 std::vector<Place> after = {});
  /// Runs what is at or before the place, and what that waits for.
  CUresult runTo(const Place &place);
  CUresult run(Stream &stream);
  /// Runs the oldest item, if there is one.
  CUresult step(Stream &stream);
  /// Runs everything that the legacy default stream is ordered with.
  CUresult runLegacy();
  CUresult runAll();
  /// Forgets all work.
  void drop();

  /// Those that are capturing.
  std::vector<std::shared_ptr<Stream>> capturing() const;

private:
  static constexpr size_t capacity = 1024;

  std::shared_ptr<Stream> legacy;
  std::vector<std::shared_ptr<Stream>> streams;
  uint64_t issued = 0;
};

} // namespace ndl::cudasim::driver

#endif // NEEDLE_CUDASIM_DRIVER_STREAM_H

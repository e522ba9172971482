// Threads that help one caller at a time with its loop.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_WORKER_THREADS_H
#define NEEDLE_RUNTIME_WORKER_THREADS_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include <pthread.h>

namespace ndl {

/// What workers help with.
class SharedWork {
public:
  /// Does what is left until nothing is, as worker `index`. Called from several
  /// threads at once, each with another index.
  virtual void help(int64_t index) = 0;

protected:
  ~SharedWork() = default;
};

/// Threads that join work while it is open. The caller waits only for those
/// that have joined: a thread that the system has not scheduled delays nobody.
class WorkerThreads {
public:
  /// Starts up to `count` threads with the indices 1 … count; fewer if the
  /// system refuses.
  explicit WorkerThreads(int64_t count);
  /// No work may be in progress.
  ~WorkerThreads();
  WorkerThreads(const WorkerThreads &) = delete;
  WorkerThreads &operator=(const WorkerThreads &) = delete;

  /// Takes the workers for this caller; false if another one has them.
  bool tryAcquire() { return !busy.exchange(true, std::memory_order_acquire); }
  void release() { busy.store(false, std::memory_order_release); }

  /// Does the work as worker 0 with the help of up to `helpers` others, after
  /// tryAcquire. All of it is done on return, and nobody refers to `work`.
  void run(SharedWork &work, int64_t helpers);

private:
  struct Start {
    WorkerThreads *self;
    int64_t index;
  };
  static void *threadMain(void *start);
  void serve(int64_t index);
  /// Waits for work that opened after `seen`, joins it, and returns true; or
  /// returns false when it is time to stop.
  bool join(uint64_t &seen);
  void leave();
  bool awaitOpening(uint64_t seen);
  void awaitHelpers();

  // The ticket holds how many threads have joined (low 16 bits), whether more
  // may join (bit 16), and a number that each piece of work increments.
  static constexpr uint64_t joinedMask = 0xffff;
  static constexpr uint64_t openBit = 1 << 16;
  static constexpr uint64_t numberStep = 1 << 17;
  /// Whether `ticket` invites to work later than `seen`.
  static bool invites(uint64_t ticket, uint64_t seen) {
    return (ticket & openBit) && ticket / numberStep != seen;
  }

  std::atomic<uint64_t> ticket{0};
  std::atomic<SharedWork *> current{nullptr};
  std::atomic<bool> busy{false};
  std::atomic<bool> stopping{false};

  // Sleeping: whoever waits announces it before it looks at the ticket for the
  // last time, whoever changes the ticket looks for announcements afterwards.
  std::mutex mutex;
  std::condition_variable opened;
  std::condition_variable left;
  std::atomic<int64_t> sleepingHelpers{0};
  std::atomic<bool> callerSleeps{false};

  std::vector<Start> starts;
  std::vector<pthread_t> threads;
};

} // namespace ndl

#endif // NEEDLE_RUNTIME_WORKER_THREADS_H

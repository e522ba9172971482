// Kernels that may still be running, for messages on errors that surface later.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_CUDA_LAUNCH_LOG_H
#define NEEDLE_RUNTIME_CUDA_LAUNCH_LOG_H

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace ndl::cuda {

/// An error of a kernel is reported by some later call. The log holds what was
/// launched since the device was last known to have done all its work.
class LaunchLog {
public:
  void add(std::string_view kernel, std::string_view location);
  /// A mark for completed(): everything launched until now.
  uint64_t mark() const;
  /// The work before `mark` has ended well.
  void completed(uint64_t mark);
  /// "kernels launched since the last synchronization: `a` (file:1), `b`"; ""
  /// if there are none. The newest ones, at most numKept.
  std::string describe() const;

  static constexpr uint64_t numKept = 8;

private:
  struct Entry {
    std::string kernel;
    std::string location;
  };
  mutable std::mutex mutex;
  std::array<Entry, numKept> entries;
  uint64_t launched = 0;
  uint64_t ended = 0;
};

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_LAUNCH_LOG_H

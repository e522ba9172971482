// Parallel loops over a shared set of worker threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_THREAD_POOL_H
#define NEEDLE_RUNTIME_THREAD_POOL_H

#include "needle-rt/abi.h"

#include <atomic>
#include <cstdint>

namespace ndl {

/// A pool of threads that several callers share. One loop at a time has the
/// workers; a caller that finds them busy starts on its loop alone and shares
/// the rest as soon as they are free. Workers start with the first loop that
/// needs them, and anew in a forked child.
class ThreadPool {
public:
  /// `threads` counts the calling thread, >= 1.
  explicit ThreadPool(int64_t threads) : numThreads(threads) {}
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int64_t threads() const { return numThreads; }

  /// NdlFrame.parallelFor, see there.
  void parallelFor(NdlTask task, void *context, int64_t count);

private:
  struct Workers;
  class Loop;

  /// The workers of this process, started if need be.
  Workers *currentWorkers();

  const int64_t numThreads;
  std::atomic<Workers *> workers{nullptr};
};

} // namespace ndl

#endif // NEEDLE_RUNTIME_THREAD_POOL_H

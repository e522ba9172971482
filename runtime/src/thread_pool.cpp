// Parallel loops over a shared set of worker threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "thread_pool.h"

#include "code_image.h"
#include "float_environment.h"
#include "worker_threads.h"

#include <algorithm>

#include <pthread.h>

namespace ndl {
namespace {

/// Counts the forks that led to this process.
std::atomic<uint64_t> forkGeneration{0};

/// The task that this thread is running.
struct CurrentTask {
  const void *pool = nullptr;
  int64_t worker = 0;
};
thread_local CurrentTask currentTask;

/// Marks this thread as running a task, in the environment tasks expect.
class TaskScope {
public:
  TaskScope(const void *pool, int64_t worker) : outer(currentTask) {
    currentTask = {pool, worker};
  }
  ~TaskScope() { currentTask = outer; }
  TaskScope(const TaskScope &) = delete;
  TaskScope &operator=(const TaskScope &) = delete;

private:
  CurrentTask outer;
  DefaultFloatEnvironment environment;
};

} // namespace

/// The threads, which exist only in the process that started them.
struct ThreadPool::Workers {
  Workers(int64_t count, uint64_t generation)
      : threads(count), generation(generation) {}

  WorkerThreads threads;
  uint64_t generation;
};

/// One parallel loop: hands out ranges that get smaller towards the end.
class ThreadPool::Loop final : public SharedWork {
public:
  Loop(const ThreadPool &pool, NdlTask task, void *context, int64_t count)
      : pool(pool), task(task), context(context), count(count) {}

  /// Runs one range as `worker`; false if none is left.
  NEEDLE_CALLS_GENERATED_CODE bool runRange(int64_t worker) {
    int64_t begin = next.load(std::memory_order_relaxed);
    int64_t size;
    do {
      if (begin >= count)
        return false;
      size = std::max<int64_t>(1, (count - begin) / (2 * pool.threads()));
    } while (!next.compare_exchange_weak(begin, begin + size,
                                         std::memory_order_relaxed));
    TaskScope scope(&pool, worker);
    task(context, begin, begin + size, worker);
    return true;
  }

  void help(int64_t index) override {
    while (runRange(index)) {
    }
  }

private:
  const ThreadPool &pool;
  NdlTask task;
  void *context;
  int64_t count;
  std::atomic<int64_t> next{0};
};

ThreadPool::~ThreadPool() {
  // The threads of a parent process cannot be joined here.
  Workers *present = workers.load();
  if (present && present->generation == forkGeneration)
    delete present;
}

ThreadPool::Workers *ThreadPool::currentWorkers() {
  static const int registered = ::pthread_atfork(nullptr, nullptr, [] {
    forkGeneration.fetch_add(1, std::memory_order_relaxed);
  });
  (void)registered;

  uint64_t generation = forkGeneration.load(std::memory_order_relaxed);
  Workers *present = workers.load(std::memory_order_acquire);
  if (present && present->generation == generation)
    return present;
  auto *fresh = new Workers(numThreads - 1, generation);
  // A parent's workers are not deleted: another thread may have held them.
  if (workers.compare_exchange_strong(present, fresh))
    return fresh;
  delete fresh;
  return present;
}

NEEDLE_CALLS_GENERATED_CODE
void ThreadPool::parallelFor(NdlTask task, void *context, int64_t count) {
  if (count <= 0)
    return;
  if (currentTask.pool == this) {
    task(context, 0, count, currentTask.worker);
    return;
  }
  if (numThreads == 1 || count == 1) {
    TaskScope scope(this, 0);
    task(context, 0, count, 0);
    return;
  }
  Loop loop(*this, task, context, count);
  WorkerThreads &threads = currentWorkers()->threads;
  while (!threads.tryAcquire())
    if (!loop.runRange(0))
      return;
  threads.run(loop, std::min(numThreads, count) - 1);
  threads.release();
}

} // namespace ndl

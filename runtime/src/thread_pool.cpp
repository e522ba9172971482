// Parallel loops over a shared set of worker threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "thread_pool.h"

#include "code_image.h"
#include "float_environment.h"

#include <algorithm>

#include <pthread.h>
#include <pthreadpool.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NEEDLE_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define NEEDLE_TSAN 1
#endif

#if defined(NEEDLE_TSAN)
// pthreadpool is not instrumented and hands work over by atomics, which the
// sanitizer cannot see.
extern "C" void __tsan_acquire(void *);
extern "C" void __tsan_release(void *);
#define NEEDLE_TSAN_ACQUIRE(address) __tsan_acquire(address)
#define NEEDLE_TSAN_RELEASE(address) __tsan_release(address)
#else
#define NEEDLE_TSAN_ACQUIRE(address) (void)(address)
#define NEEDLE_TSAN_RELEASE(address) (void)(address)
#endif

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
  pthreadpool_t pool = nullptr;
  uint64_t generation = 0;
  std::atomic<bool> busy{false};

  ~Workers() {
    // The threads of a parent process cannot be joined here.
    if (generation == forkGeneration.load(std::memory_order_relaxed))
      pthreadpool_destroy(pool);
  }
};

/// One parallel loop: hands out ranges that get smaller towards the end.
class ThreadPool::Loop {
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

  /// Runs what is left on all threads.
  void runOn(pthreadpool_t threads) {
    NEEDLE_TSAN_RELEASE(&next);
    pthreadpool_parallelize_1d(threads, runWorker, this,
                               static_cast<size_t>(pool.threads()),
                               /*flags=*/0);
    NEEDLE_TSAN_ACQUIRE(&count);
  }

private:
  /// Each worker index is one item of pthreadpool's loop, so that no two
  /// threads have the same.
  static void runWorker(void *self, size_t worker) {
    auto *loop = static_cast<Loop *>(self);
    NEEDLE_TSAN_ACQUIRE(&loop->next);
    while (loop->runRange(static_cast<int64_t>(worker))) {
    }
    NEEDLE_TSAN_RELEASE(&loop->count);
  }

  const ThreadPool &pool;
  NdlTask task;
  void *context;
  int64_t count;
  std::atomic<int64_t> next{0};
};

ThreadPool::~ThreadPool() { delete workers.load(); }

ThreadPool::Workers *ThreadPool::currentWorkers() {
  static const int registered = ::pthread_atfork(nullptr, nullptr, [] {
    forkGeneration.fetch_add(1, std::memory_order_relaxed);
  });
  (void)registered;

  uint64_t generation = forkGeneration.load(std::memory_order_relaxed);
  Workers *present = workers.load(std::memory_order_acquire);
  if (present && present->generation == generation)
    return present;
  auto *fresh = new Workers;
  fresh->generation = generation;
  fresh->pool = pthreadpool_create(static_cast<size_t>(numThreads));
  if (!fresh->pool) {
    delete fresh;
    return nullptr;
  }
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
  Workers *available = numThreads > 1 && count > 1 ? currentWorkers() : nullptr;
  if (!available) {
    TaskScope scope(this, 0);
    task(context, 0, count, 0);
    return;
  }
  Loop loop(*this, task, context, count);
  while (available->busy.exchange(true, std::memory_order_acquire))
    if (!loop.runRange(0))
      return;
  loop.runOn(available->pool);
  available->busy.store(false, std::memory_order_release);
}

} // namespace ndl

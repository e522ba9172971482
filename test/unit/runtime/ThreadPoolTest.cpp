// Parallel loops: every iteration once, distinct workers, nesting, sharing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ndl::test {
namespace {

/// Counts how often each iteration ran, and whether workers clashed.
struct Recorder {
  Recorder(int64_t count, int64_t threads)
      : hits(static_cast<size_t>(count)), active(static_cast<size_t>(threads)),
        threads(threads) {}

  static void task(void *self, int64_t begin, int64_t end, int64_t worker) {
    auto *recorder = static_cast<Recorder *>(self);
    if (worker < 0 || worker >= recorder->threads || begin >= end) {
      recorder->clash = true;
      return;
    }
    if (recorder->active[static_cast<size_t>(worker)].fetch_add(1) != 0)
      recorder->clash = true;
    // Plain memory: ranges are disjoint, and the pool orders their writes
    // before its return.
    for (int64_t i = begin; i < end; ++i)
      ++recorder->hits[static_cast<size_t>(i)];
    recorder->active[static_cast<size_t>(worker)].fetch_sub(1);
  }

  bool complete() const {
    for (int hit : hits)
      if (hit != 1)
        return false;
    return !clash;
  }

  std::vector<int> hits;
  std::vector<std::atomic<int>> active;
  int64_t threads;
  std::atomic<bool> clash{false};
};

TEST(ThreadPool, RunsEveryIterationOnce) {
  for (int64_t threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int64_t count : {0, 1, 2, 3, 7, 8, 64, 1000, 12345}) {
      Recorder recorder(count, threads);
      pool.parallelFor(Recorder::task, &recorder, count);
      EXPECT_TRUE(recorder.complete()) << threads << " " << count;
    }
  }
}

TEST(ThreadPool, IgnoresNegativeCounts) {
  ThreadPool pool(2);
  Recorder recorder(0, 2);
  pool.parallelFor(Recorder::task, &recorder, -1);
  pool.parallelFor(Recorder::task, &recorder, INT64_MIN);
  EXPECT_TRUE(recorder.complete());
}

TEST(ThreadPool, HandlesTheLargestCount) {
  ThreadPool pool(3);
  std::atomic<uint64_t> sum{0};
  pool.parallelFor(
      [](void *total, int64_t begin, int64_t end, int64_t) {
        *static_cast<std::atomic<uint64_t> *>(total) +=
            static_cast<uint64_t>(end - begin);
      },
      &sum, INT64_MAX);
  EXPECT_EQ(sum.load(), static_cast<uint64_t>(INT64_MAX));
}

/// A point that so many tasks must reach before any goes on.
struct Meeting {
  std::atomic<int64_t> present{0};
  int64_t expected;

  void attend() {
    present.fetch_add(1);
    while (present.load() < expected)
      std::this_thread::yield();
  }
};

/// Runs a loop whose tasks wait for each other; returns only if every thread of
/// the pool takes part, and then the workers they were, as bits.
uint64_t meet(ThreadPool &pool) {
  struct Context {
    Meeting meeting;
    std::atomic<uint64_t> workers{0};
  } context{{{0}, pool.threads()}};
  pool.parallelFor(
      [](void *self, int64_t, int64_t, int64_t worker) {
        auto *context = static_cast<Context *>(self);
        context->workers.fetch_or(uint64_t(1) << worker);
        context->meeting.attend();
      },
      &context, pool.threads());
  return context.workers;
}

TEST(ThreadPool, UsesAllThreadsAtOnce) {
  ThreadPool pool(4);
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(meet(pool), 0xfu);
    // Every other time the workers have gone to sleep.
    if (round % 2)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

struct Nested {
  ThreadPool &pool;
  /// The outer loop's tasks meet first, so that each has another worker.
  Meeting meeting;
  std::atomic<int64_t> inner{0};
  std::atomic<bool> moved{false};
};

struct Inner {
  Nested *nested;
  int64_t worker;
  std::thread::id thread;
};

void innerTask(void *context, int64_t begin, int64_t end, int64_t worker) {
  auto *inner = static_cast<Inner *>(context);
  inner->nested->inner += end - begin;
  if (worker != inner->worker || std::this_thread::get_id() != inner->thread)
    inner->nested->moved = true;
}

TEST(ThreadPool, NestedLoopsRunInline) {
  for (int64_t threads : {1, 4}) {
    ThreadPool pool(threads);
    Nested nested{pool, {{0}, threads}};
    pool.parallelFor(
        [](void *context, int64_t begin, int64_t end, int64_t worker) {
          auto *nested = static_cast<Nested *>(context);
          nested->meeting.attend();
          Inner inner{nested, worker, std::this_thread::get_id()};
          for (int64_t i = begin; i < end; ++i)
            nested->pool.parallelFor(innerTask, &inner, 7);
        },
        &nested, threads);
    EXPECT_EQ(nested.inner.load(), 7 * threads);
    EXPECT_FALSE(nested.moved.load());
  }
}

TEST(ThreadPool, ManyCallersShareIt) {
  ThreadPool pool(3);
  std::atomic<int> failures{0};
  std::vector<std::thread> callers;
  callers.reserve(8);
  for (int caller = 0; caller < 8; ++caller)
    callers.emplace_back([&, caller] {
      for (int round = 0; round < 100; ++round) {
        int64_t count = 1 + (caller * 37 + round * 11) % 200;
        Recorder recorder(count, 3);
        pool.parallelFor(Recorder::task, &recorder, count);
        failures += !recorder.complete();
      }
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(failures.load(), 0);
}

/// A loop that holds all workers until another caller's loop has ended.
struct Hold {
  Meeting meeting{{0}, 2};
  std::atomic<bool> started{false};
  std::atomic<bool> released{false};
  std::atomic<int> done{0};
};

TEST(ThreadPool, ACallerDoesNotWaitForBusyWorkers) {
  ThreadPool pool(2);
  Hold hold;
  std::thread holder([&] {
    pool.parallelFor(
        [](void *context, int64_t, int64_t, int64_t worker) {
          auto *hold = static_cast<Hold *>(context);
          hold->meeting.attend();
          hold->started = true;
          // Gives up in the end, so that a failure is no hang.
          for (int i = 0; i < 10000 && !hold->released; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
          // The holder must wait for its helper, whatever others did.
          if (worker != 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
          ++hold->done;
        },
        &hold, 2);
    EXPECT_TRUE(hold.released.load());
    EXPECT_EQ(hold.done.load(), 2);
  });
  while (!hold.started)
    std::this_thread::yield();
  Recorder recorder(100, 2);
  pool.parallelFor(Recorder::task, &recorder, 100);
  hold.released = true;
  EXPECT_TRUE(recorder.complete());
  holder.join();
}

TEST(ThreadPool, LoopsOfTwoPoolsNest) {
  ThreadPool outer(2), inner(3);
  struct Context {
    ThreadPool &inner;
    std::atomic<int> failures;
  } context{inner, {0}};
  outer.parallelFor(
      [](void *self, int64_t begin, int64_t end, int64_t) {
        auto *context = static_cast<Context *>(self);
        for (int64_t i = begin; i < end; ++i) {
          Recorder recorder(50, 3);
          context->inner.parallelFor(Recorder::task, &recorder, 50);
          context->failures += !recorder.complete();
        }
      },
      &context, 20);
  EXPECT_EQ(context.failures.load(), 0);
}

#if defined(__x86_64__)
TEST(ThreadPool, TasksRunInTheDefaultFloatEnvironment) {
  // Denormals are zero, are flushed to zero, rounding is upwards.
  constexpr unsigned hostile = 0x1f80 | 0x8000 | 0x0040 | 0x4000;
  unsigned saved = _mm_getcsr();
  _mm_setcsr(hostile);
  ThreadPool pool(4);
  std::atomic<unsigned> seen{0};
  for (int64_t count : {1, 1000})
    pool.parallelFor(
        [](void *seen, int64_t, int64_t, int64_t) {
          static_cast<std::atomic<unsigned> *>(seen)->fetch_or(_mm_getcsr());
        },
        &seen, count);
  unsigned after = _mm_getcsr();
  _mm_setcsr(saved);
  EXPECT_EQ(seen.load() & ~0x3fu, 0x1f80u);
  EXPECT_EQ(after & ~0x3fu, hostile);
}
#endif

TEST(ThreadPool, WorksInAForkedChild) {
  ThreadPool pool(3);
  auto unused = std::make_unique<ThreadPool>(2);
  meet(pool);
  meet(*unused);
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // A hang must end.
    alarm(60);
    Recorder recorder(1000, 3);
    pool.parallelFor(Recorder::task, &recorder, 1000);
    // There are new workers.
    meet(pool);
    // The old ones are not waited for.
    unused.reset();
    _exit(recorder.complete() ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  meet(pool);
}

} // namespace
} // namespace ndl::test

// Threads that help one caller at a time with its loop.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "worker_threads.h"

#include <algorithm>
#include <chrono>

namespace ndl {
namespace {

/// How long to look for work, or for the end of it, before going to sleep:
/// about what going to sleep and waking up costs.
constexpr std::chrono::microseconds spinTime(50);

void pauseBriefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

/// Waits for a while for a condition; whether it holds.
template <typename Condition>
bool spinUntil(Condition condition) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point end = Clock::now() + spinTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (condition())
        return true;
      pauseBriefly();
    }
  } while (Clock::now() < end);
  return false;
}

} // namespace

WorkerThreads::WorkerThreads(int64_t count) {
  starts.reserve(static_cast<size_t>(count));
  threads.reserve(static_cast<size_t>(count));
  for (int64_t index = 1; index <= count; ++index) {
    starts.push_back({this, index});
    pthread_t thread;
    if (::pthread_create(&thread, nullptr, threadMain, &starts.back()) != 0)
      return;
    threads.push_back(thread);
  }
}

WorkerThreads::~WorkerThreads() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  opened.notify_all();
  for (pthread_t thread : threads)
    ::pthread_join(thread, nullptr);
}

void *WorkerThreads::threadMain(void *start) {
  auto *arguments = static_cast<Start *>(start);
  arguments->self->serve(arguments->index);
  return nullptr;
}

void WorkerThreads::serve(int64_t index) {
  uint64_t seen = 0;
  while (join(seen)) {
    current.load(std::memory_order_relaxed)->help(index);
    leave();
  }
}

bool WorkerThreads::join(uint64_t &seen) {
  while (awaitOpening(seen)) {
    uint64_t value = ticket.load(std::memory_order_relaxed);
    while (invites(value, seen))
      if (ticket.compare_exchange_weak(value, value + 1,
                                       std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        seen = value / numberStep;
        return true;
      }
  }
  return false;
}

bool WorkerThreads::awaitOpening(uint64_t seen) {
  auto called = [&] { return invites(ticket.load(), seen) || stopping; };
  if (!spinUntil(called)) {
    std::unique_lock<std::mutex> lock(mutex);
    ++sleepingHelpers;
    opened.wait(lock, called);
    --sleepingHelpers;
  }
  return !stopping;
}

void WorkerThreads::leave() {
  uint64_t value = ticket.fetch_sub(1) - 1;
  if ((value & (joinedMask | openBit)) == 0 && callerSleeps) {
    // Not between the caller's last look and its sleep.
    {
      std::lock_guard<std::mutex> lock(mutex);
    }
    left.notify_one();
  }
}

void WorkerThreads::awaitHelpers() {
  auto allLeft = [&] { return (ticket.load() & joinedMask) == 0; };
  if (spinUntil(allLeft))
    return;
  std::unique_lock<std::mutex> lock(mutex);
  callerSleeps = true;
  left.wait(lock, allLeft);
  callerSleeps = false;
}

void WorkerThreads::run(SharedWork &work, int64_t helpers) {
  current.store(&work, std::memory_order_relaxed);
  // Nobody is joined now; this publishes `work` too.
  ticket.store((ticket.load() / numberStep + 1) * numberStep | openBit);
  int64_t asleep = std::min(helpers, sleepingHelpers.load());
  if (asleep > 0) {
    {
      std::lock_guard<std::mutex> lock(mutex);
    }
    for (int64_t i = 0; i < asleep; ++i)
      opened.notify_one();
  }
  work.help(0);
  ticket.fetch_and(~openBit);
  awaitHelpers();
}

} // namespace ndl

// Counters of the steps of one entry point.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "step_counters.h"

#include <algorithm>

#include <ctime>

namespace ndl {
namespace {

int64_t nowNs() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t(now.tv_sec) * 1000000000 + now.tv_nsec;
}

} // namespace

void StepClock::readClock(int64_t step) {
  int64_t now = nowNs();
  if (running != noStep) {
    NdlStepStats &count = counts[running];
    int64_t elapsed = now - startNs;
    count.minNs =
        count.timedCalls == 0 ? elapsed : std::min(count.minNs, elapsed);
    count.totalNs += elapsed;
    ++count.timedCalls;
  }
  running = static_cast<uint64_t>(step) < numSteps ? step : noStep;
  startNs = now;
}

void StepCounters::merge(NdlStepStats *counts) {
  constexpr auto relaxed = std::memory_order_relaxed;
  for (size_t i = 0; i < steps.size(); ++i) {
    NdlStepStats &count = counts[i];
    Step &step = steps[i];
    if (count.calls == 0)
      continue;
    step.calls.fetch_add(count.calls, relaxed);
    if (count.timedCalls > 0) {
      step.timedCalls.fetch_add(count.timedCalls, relaxed);
      step.totalNs.fetch_add(count.totalNs, relaxed);
      int64_t least = step.minNs.load(relaxed);
      while (count.minNs < least &&
             !step.minNs.compare_exchange_weak(least, count.minNs, relaxed)) {
      }
    }
    count = {};
  }
}

NdlStepStats StepCounters::read(size_t step) const {
  const Step &counters = steps[step];
  NdlStepStats stats;
  stats.calls = counters.calls.load(std::memory_order_relaxed);
  stats.timedCalls = counters.timedCalls.load(std::memory_order_relaxed);
  stats.totalNs = counters.totalNs.load(std::memory_order_relaxed);
  int64_t least = counters.minNs.load(std::memory_order_relaxed);
  stats.minNs = least == INT64_MAX ? 0 : least;
  return stats;
}

void StepCounters::reset() {
  for (Step &step : steps) {
    step.calls.store(0, std::memory_order_relaxed);
    step.timedCalls.store(0, std::memory_order_relaxed);
    step.totalNs.store(0, std::memory_order_relaxed);
    step.minNs.store(INT64_MAX, std::memory_order_relaxed);
  }
}

} // namespace ndl

// Counters of the steps of one entry point.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_STEP_COUNTERS_H
#define NEEDLE_RUNTIME_STEP_COUNTERS_H

#include "needle-rt/runtime.h"

#include <atomic>
#include <cstdint>
#include <vector>

namespace ndl {

/// Counters shared by all invocations. An invocation counts in an array of its
/// own (`StepCounts`) and adds it here when it ends.
class StepCounters {
public:
  explicit StepCounters(size_t numSteps) : steps(numSteps) {}

  size_t size() const { return steps.size(); }
  /// Adds the counts of one invocation and zeroes them.
  void merge(NdlStepStats *counts);
  NdlStepStats read(size_t step) const;
  void reset();

private:
  struct Step {
    std::atomic<int64_t> calls{0};
    std::atomic<int64_t> timedCalls{0};
    std::atomic<int64_t> totalNs{0};
    std::atomic<int64_t> minNs{INT64_MAX};
  };
  std::vector<Step> steps;
};

/// What the markStep callback of one invocation works on.
class StepClock {
public:
  StepClock(NdlStepStats *counts, size_t numSteps, bool timed)
      : counts(counts), numSteps(numSteps), timed(timed) {}

  /// NdlFrame.markStep, see there.
  void mark(int64_t step) {
    if (timed)
      readClock(step);
    if (static_cast<uint64_t>(step) < numSteps)
      ++counts[step].calls;
  }

private:
  static constexpr int64_t noStep = -1;

  /// Ends the step that runs and starts this one.
  void readClock(int64_t step);

  NdlStepStats *counts;
  size_t numSteps;
  bool timed;
  int64_t running = noStep;
  int64_t startNs = 0;
};

} // namespace ndl

#endif // NEEDLE_RUNTIME_STEP_COUNTERS_H

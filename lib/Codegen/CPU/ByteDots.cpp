//===- ByteDots.cpp - When saturating dot products are exact --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Codegen/CPU/ByteDots.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>

using namespace needle::cpu;

namespace {

/// Time of one group of a panel, in hundredths of that of pairs, as measured
/// where lhs and rhs lie in the L1 cache (docs/Rationale/CPUKernels.md).
struct ByteCost {
  unsigned steps;
  int64_t cost;
};
constexpr ByteCost byteCosts[] = {{1, 84}, {2, 70}, {4, 65}};
constexpr int64_t pairCost = 100;
/// A group of rest is multiplied like one of a single step, and found by index.
constexpr int64_t restCost = 95;

/// The pair of weights of a lane in one group.
template <typename T>
struct Lane {
  T *weights;

  /// Sum of the weights of one sign, in magnitude.
  int64_t sum(int64_t sign) const {
    return std::max<int64_t>(0, sign * weights[0]) +
           std::max<int64_t>(0, sign * weights[1]);
  }
};

/// Groups of rest for one panel.
class PanelSplitter {
public:
  PanelSplitter(int8_t *main, int64_t groupSize, int64_t maxExtra)
      : main(main), groupSize(groupSize), maxExtra(maxExtra) {}

  /// Makes the lanes of the groups [first, last) fit; false if that takes too
  /// many groups.
  bool split(int64_t first, int64_t last) {
    firstInWindow = groups.size();
    for (int64_t lane = 0; lane < groupSize; lane += 2)
      for (int64_t sign : {1, -1})
        if (!splitLane(first, last, lane, sign))
          return false;
    return true;
  }

  std::vector<int32_t> groups;
  std::vector<int8_t> rest;

private:
  Lane<int8_t> mainLane(int64_t group, int64_t lane) {
    return {main + group * groupSize + lane};
  }
  Lane<int8_t> restLane(size_t extra, int64_t lane) {
    return {rest.data() + int64_t(extra) * groupSize + lane};
  }

  bool splitLane(int64_t first, int64_t last, int64_t lane, int64_t sign) {
    int64_t excess = -maxByteSum;
    for (int64_t group = first; group < last; ++group)
      excess += mainLane(group, lane).sum(sign);
    size_t extra = firstInWindow;
    while (excess > 0) {
      if (extra == groups.size()) {
        if (int64_t(groups.size()) == maxExtra)
          return false;
        groups.push_back(int32_t(findLargest(first, last, lane, sign)));
        rest.resize(rest.size() + groupSize);
      }
      excess -= move(extra++, lane, sign, excess);
    }
    return true;
  }

  int64_t findLargest(int64_t first, int64_t last, int64_t lane, int64_t sign) {
    int64_t largest = first;
    for (int64_t group = first + 1; group < last; ++group)
      if (mainLane(group, lane).sum(sign) > mainLane(largest, lane).sum(sign))
        largest = group;
    return largest;
  }

  /// Moves up to `wanted` of a lane's weights to rest; returns how much.
  int64_t move(size_t extra, int64_t lane, int64_t sign, int64_t wanted) {
    Lane<int8_t> from = mainLane(groups[extra], lane);
    Lane<int8_t> to = restLane(extra, lane);
    int64_t moved = std::min(wanted, maxByteSum - to.sum(sign)), left = moved;
    for (int64_t i = 0; i < 2; ++i) {
      int64_t part = std::clamp<int64_t>(sign * from.weights[i], 0, left);
      from.weights[i] = int8_t(from.weights[i] - sign * part);
      to.weights[i] = int8_t(to.weights[i] + sign * part);
      left -= part;
    }
    return moved - left;
  }

  int8_t *main;
  int64_t groupSize, maxExtra;
  size_t firstInWindow = 0;
};

} // namespace

int64_t needle::cpu::getWorstByteSum(const QuadPanels &weights,
                                     unsigned steps) {
  int64_t worst = 0, lanes = weights.groupSize() / 2;
  std::vector<int32_t> positive(lanes), negative(lanes);
  for (int64_t panel = 0; panel < weights.panels; ++panel) {
    const int8_t *data = weights.data.data() + panel * weights.panelSize();
    for (int64_t first = 0; first < weights.groups; first += steps) {
      llvm::fill(positive, 0);
      llvm::fill(negative, 0);
      int64_t last = std::min(weights.groups, first + int64_t(steps));
      for (int64_t group = first; group < last; ++group) {
        const int8_t *quads = data + group * weights.groupSize();
        for (int64_t lane = 0; lane < lanes; ++lane) {
          int32_t a = quads[2 * lane], b = quads[2 * lane + 1];
          positive[lane] += std::max(a, 0) + std::max(b, 0);
          negative[lane] += std::max(-a, 0) + std::max(-b, 0);
        }
      }
      for (int64_t lane = 0; lane < lanes; ++lane)
        worst =
            std::max<int64_t>(worst, std::max(positive[lane], negative[lane]));
    }
  }
  return worst;
}

std::optional<SplitWeights> needle::cpu::splitWeights(const QuadPanels &weights,
                                                      unsigned steps,
                                                      int64_t maxExtra) {
  SplitWeights split;
  split.main = weights.data.vec();
  std::vector<PanelSplitter> splitters;
  int64_t groupSize = weights.groupSize();
  for (int64_t panel = 0; panel < weights.panels; ++panel) {
    PanelSplitter &splitter = splitters.emplace_back(
        split.main.data() + panel * weights.panelSize(), groupSize, maxExtra);
    for (int64_t first = 0; first < weights.groups; first += steps)
      if (!splitter.split(first,
                          std::min(weights.groups, first + int64_t(steps))))
        return std::nullopt;
    split.extra = std::max<int64_t>(split.extra, splitter.groups.size());
  }
  for (PanelSplitter &splitter : splitters) {
    splitter.groups.resize(split.extra);
    splitter.rest.resize(split.extra * groupSize);
    llvm::append_range(split.restGroups, splitter.groups);
    llvm::append_range(split.rest, splitter.rest);
  }
  return split;
}

ByteDecision needle::cpu::chooseByteDots(const QuadPanels &weights) {
  ByteDecision best;
  int64_t bestCost = pairCost * weights.groups;
  int64_t worstOfOne = getWorstByteSum(weights, 1);
  best.note = llvm::formatv("pairs of i16, as weights of one sign add up to "
                            "{0} in a pair and only {1} fit 16 bits",
                            worstOfOne, maxByteSum);
  for (ByteCost candidate : byteCosts) {
    int64_t cost = candidate.cost * weights.groups;
    int64_t worst = getWorstByteSum(weights, candidate.steps);
    std::optional<SplitWeights> split;
    if (worst > maxByteSum) {
      split =
          splitWeights(weights, candidate.steps, (bestCost - cost) / restCost);
      if (!split)
        continue;
      cost += restCost * split->extra;
    }
    if (cost >= bestCost)
      continue;
    bestCost = cost;
    best.steps = candidate.steps;
    best.note = llvm::formatv(
        "{0} group(s) of bytes in 16 bits, exact as weights of one sign add up "
        "to {1} of {2}",
        candidate.steps, std::min(worst, maxByteSum), maxByteSum);
    if (split)
      best.note += llvm::formatv(" after splitting (they added up to {0}) with "
                                 "{1} groups more than {2}",
                                 worst, split->extra, weights.groups);
    best.split = std::move(split);
  }
  return best;
}

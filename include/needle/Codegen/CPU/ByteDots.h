//===- ByteDots.h - When saturating dot products are exact ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// DotForm::Bytes sums products of u8 and i8 in 16 bits, saturating. Weights are
// constants, so it can be proven at compile time that no lhs makes a sum leave
// 16 bits; and where few of them could, the weights can be split so that none
// does. docs/Rationale/CPUKernels.md derives bound and costs.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_CODEGEN_CPU_BYTEDOTS_H
#define NEEDLE_CODEGEN_CPU_BYTEDOTS_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace needle::cpu {

/// The weights of one sign that are summed in one lane may add up to this in
/// magnitude: 255·128 = 32640 fits i16, 255·129 does not.
inline constexpr int64_t maxByteSum = 128;

/// Weights of i8 as needle_cpu.pack_rhs lays them out.
struct QuadPanels {
  llvm::ArrayRef<int8_t> data;
  int64_t panels;
  int64_t groups;  ///< of four along K, without the sums behind them
  int64_t columns; ///< of a panel

  int64_t groupSize() const { return columns * 4; }
  int64_t panelSize() const { return (groups + 1) * groupSize(); }
};

/// The largest sum, in magnitude, of weights of one sign in one lane (a pair of
/// a column) over `steps` groups that start at a multiple of `steps`.
int64_t getWorstByteSum(const QuadPanels &weights, unsigned steps);

/// Weights w as main + rest.
struct SplitWeights {
  /// As long as the data of the weights, with the column sums of w. Over
  /// windows of `steps` groups the lanes fit.
  std::vector<int8_t> main;
  /// [panels][extra][columns][4]: in each single group the lanes fit.
  std::vector<int8_t> rest;
  /// [panels][extra]: the group that each group of rest is a part of.
  std::vector<int32_t> restGroups;
  int64_t extra = 0;
};

/// Splits weights; nothing where it would take more than `maxExtra` groups in a
/// panel.
std::optional<SplitWeights> splitWeights(const QuadPanels &weights,
                                         unsigned steps, int64_t maxExtra);

/// How to multiply by some weights.
struct ByteDecision {
  /// Groups summed in 16 bits; 0: in pairs of i16.
  unsigned steps = 0;
  /// Set if the weights have to be split for it.
  std::optional<SplitWeights> split;
  /// Why, for people.
  std::string note;
};

/// The cheapest way that is exact for every lhs of u8.
ByteDecision chooseByteDots(const QuadPanels &weights);

} // namespace needle::cpu

#endif // NEEDLE_CODEGEN_CPU_BYTEDOTS_H

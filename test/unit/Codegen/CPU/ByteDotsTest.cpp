//===- ByteDotsTest.cpp - The saturation proof, by brute force ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the proof calls exact is executed as the instructions do it, saturating,
// on every lhs of extremes: with weights fixed, the sum of a lane is largest
// where lhs is 255 under the weights of one sign and 0 under the others.
//
//===----------------------------------------------------------------------===//

#include "needle/Codegen/CPU/ByteDots.h"
#include "needle/Codegen/CPU/Packing.h"
#include "llvm/Support/Endian.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <random>

using namespace needle::cpu;

namespace {

constexpr int64_t panelColumns = 16;

struct Matrix {
  int64_t depth, columns;
  std::vector<int8_t> values; ///< [depth][columns]

  int8_t at(int64_t k, int64_t n) const {
    return k < depth && n < columns ? values[k * columns + n] : int8_t(0);
  }
};

struct Packed {
  std::vector<int8_t> data;
  QuadPanels panels;
};

Packed pack(const Matrix &matrix) {
  Packed packed;
  packed.data = packIntegerRhs(
      matrix.values, {matrix.depth, matrix.columns, false}, panelColumns);
  packed.panels = {packed.data,
                   (matrix.columns + panelColumns - 1) / panelColumns,
                   (matrix.depth + 3) / 4, panelColumns};
  return packed;
}

Matrix random(std::mt19937 &rng, int64_t depth, int64_t columns, double sigma,
              int64_t limit) {
  std::normal_distribution<double> normal(0, sigma);
  Matrix matrix{depth, columns, std::vector<int8_t>(depth * columns)};
  for (int8_t &value : matrix.values)
    value =
        int8_t(std::clamp<int64_t>(std::lround(normal(rng)), -limit, limit));
  return matrix;
}

/// vpmaddubsw on one lane.
int32_t maddubs(const uint8_t *lhs, const int8_t *weights) {
  return std::clamp(lhs[0] * weights[0] + lhs[1] * weights[1], -32768, 32767);
}

/// A column of a panel times `lhs`, as DotForm::Bytes multiplies.
int64_t multiply(const int8_t *panel, const int8_t *rest,
                 const int32_t *restGroups, int64_t extra, int64_t groups,
                 unsigned steps, int64_t column, const uint8_t *lhs) {
  int64_t sum = 0, groupSize = panelColumns * 4;
  auto addWindow = [&](const int8_t *quads, const uint8_t *from,
                       int64_t count) {
    for (int64_t pair = 0; pair < 4; pair += 2) {
      int16_t lane = 0;
      for (int64_t group = 0; group < count; ++group)
        lane = int16_t(lane +
                       maddubs(from + 4 * group + pair,
                               quads + group * groupSize + 4 * column + pair));
      sum += lane;
    }
  };
  for (int64_t first = 0; first < groups; first += steps)
    addWindow(panel + first * groupSize, lhs + 4 * first,
              std::min<int64_t>(steps, groups - first));
  for (int64_t i = 0; i < extra; ++i)
    addWindow(rest + i * groupSize, lhs + 4 * int64_t(restGroups[i]), 1);
  return sum;
}

/// Whether `decision` multiplies by `matrix` exactly, whatever lhs is.
bool isExact(const Matrix &matrix, const Packed &packed, unsigned steps,
             const SplitWeights *split, std::mt19937 &rng) {
  const QuadPanels &panels = packed.panels;
  for (int64_t n = 0; n < matrix.columns; ++n) {
    int64_t panel = n / panelColumns, extra = split ? split->extra : 0;
    const int8_t *main = (split ? split->main.data() : packed.data.data()) +
                         panel * panels.panelSize();
    const int8_t *rest =
        extra ? split->rest.data() + panel * extra * panels.groupSize()
              : nullptr;
    const int32_t *groups =
        extra ? split->restGroups.data() + panel * extra : nullptr;
    // 255 under positive weights, under negative ones, everywhere, at random.
    for (int pattern = 0; pattern < 5; ++pattern) {
      std::vector<uint8_t> lhs(panels.groups * 4);
      int64_t expected = 0;
      for (int64_t k = 0; k < panels.groups * 4; ++k) {
        int8_t weight = matrix.at(k, n);
        bool on = pattern == 0   ? weight > 0
                  : pattern == 1 ? weight < 0
                  : pattern == 2 ? true
                                 : rng() % 2 == 0;
        lhs[k] = on ? 255 : pattern == 4 ? uint8_t(rng()) : 0;
        expected += int64_t(lhs[k]) * weight;
      }
      if (multiply(main, rest, groups, extra, panels.groups, steps,
                   n % panelColumns, lhs.data()) != expected)
        return false;
    }
  }
  return true;
}

TEST(ByteDots, TheBoundIsTheLargestThatFits) {
  EXPECT_LE(255 * maxByteSum, 32767);
  EXPECT_GT(255 * (maxByteSum + 1), 32768);
}

TEST(ByteDots, WorstSumCountsSignsAndLanesApart) {
  // Column 0: pairs (60, 70), (-128, 1); column 1: (127, -127), (2, 3), then
  // (4, 0) in the second group.
  Matrix matrix{5, 2, {60, 127, 70, -127, -128, 2, 1, 3, 0, 4}};
  Packed packed = pack(matrix);
  EXPECT_EQ(getWorstByteSum(packed.panels, 1), 130);
  matrix.values[0] = 50;
  packed = pack(matrix);
  EXPECT_EQ(getWorstByteSum(packed.panels, 1), 128);
  EXPECT_EQ(getWorstByteSum(packed.panels, 2), 131);
}

TEST(ByteDots, DecisionsAreExactForEveryLhs) {
  std::mt19937 rng(7);
  unsigned proven = 0, split = 0, widened = 0;
  for (double sigma : {1.0, 6.0, 12.0, 16.0, 20.0, 27.0, 40.0, 100.0})
    for (int64_t limit : {15, 63, 127}) {
      Matrix matrix = random(rng, 61, 37, sigma, limit);
      Packed packed = pack(matrix);
      ByteDecision decision = chooseByteDots(packed.panels);
      EXPECT_FALSE(decision.note.empty());
      if (decision.steps == 0) {
        ++widened;
        continue;
      }
      ++(decision.split ? split : proven);
      EXPECT_TRUE(isExact(matrix, packed, decision.steps,
                          decision.split ? &*decision.split : nullptr, rng))
          << sigma << " " << limit << ": " << decision.note;
    }
  // All three occur, or the test says nothing.
  EXPECT_GT(proven, 0U);
  EXPECT_GT(split, 0U);
  EXPECT_GT(widened, 0U);
}

TEST(ByteDots, AWrongProofIsFound) {
  std::mt19937 rng(11);
  for (unsigned steps : {1U, 2U, 4U}) {
    Matrix matrix{8, 1, {64, 64, 0, 0, 0, 0, 0, 0}};
    EXPECT_EQ(getWorstByteSum(pack(matrix).panels, steps), 128);
    EXPECT_TRUE(isExact(matrix, pack(matrix), steps, nullptr, rng));
    matrix.values[0] = 65;
    EXPECT_EQ(getWorstByteSum(pack(matrix).panels, steps), 129);
    EXPECT_FALSE(isExact(matrix, pack(matrix), steps, nullptr, rng));
    matrix.values[0] = matrix.values[1] = -64;
    EXPECT_TRUE(isExact(matrix, pack(matrix), steps, nullptr, rng));
    matrix.values[0] = -65;
    EXPECT_FALSE(isExact(matrix, pack(matrix), steps, nullptr, rng));
  }
}

TEST(ByteDots, SplittingKeepsWeightsAndSums) {
  std::mt19937 rng(13);
  for (unsigned steps : {1U, 2U, 4U}) {
    // Weights of both extremes, where lanes need more than one group of rest.
    Matrix matrix = random(rng, 30, 20, 1000, 127);
    for (size_t i = 0; i < matrix.values.size(); i += 7)
      matrix.values[i] = -128;
    Packed packed = pack(matrix);
    const QuadPanels &panels = packed.panels;
    std::optional<SplitWeights> split = splitWeights(panels, steps, 1000);
    ASSERT_TRUE(split.has_value());
    EXPECT_TRUE(isExact(matrix, packed, steps, &*split, rng));
    QuadPanels main = panels;
    main.data = split->main;
    EXPECT_LE(getWorstByteSum(main, steps), maxByteSum);
    // main + rest are the weights again, and the column sums are untouched.
    std::vector<int> sum(split->main.begin(), split->main.end());
    for (int64_t panel = 0; panel < panels.panels; ++panel)
      for (int64_t i = 0; i < split->extra; ++i)
        for (int64_t j = 0; j < panels.groupSize(); ++j) {
          int64_t at = panel * split->extra + i;
          sum[panel * panels.panelSize() +
              split->restGroups[at] * panels.groupSize() + j] +=
              split->rest[at * panels.groupSize() + j];
        }
    EXPECT_TRUE(std::equal(sum.begin(), sum.end(), packed.data.begin()));
    EXPECT_FALSE(splitWeights(panels, steps, split->extra - 1).has_value());
  }
}

TEST(ByteDots, ColumnSumsLieBehindTheQuads) {
  std::mt19937 rng(17);
  Matrix matrix = random(rng, 7, 18, 60, 127);
  Packed packed = pack(matrix);
  for (int64_t n = 0; n < matrix.columns; ++n) {
    int32_t sum = 0;
    for (int64_t k = 0; k < matrix.depth; ++k)
      sum += matrix.at(k, n);
    const int8_t *stored =
        packed.data.data() + n / panelColumns * packed.panels.panelSize() +
        packed.panels.groups * packed.panels.groupSize() + n % panelColumns * 4;
    EXPECT_EQ(int32_t(llvm::support::endian::read32le(stored)), sum);
  }
}

} // namespace

//===- BlockwiseTest.cpp - Tests of 4-bit weights in blocks ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parameters and integers of blocks computed by hand.
//
//===----------------------------------------------------------------------===//

#include "needle/Quantization/Blockwise.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace needle;

namespace {

TEST(Blockwise, BlockSizes) {
  EXPECT_FALSE(isValidBlockSize(-16));
  EXPECT_FALSE(isValidBlockSize(0));
  EXPECT_FALSE(isValidBlockSize(8));
  EXPECT_TRUE(isValidBlockSize(16));
  EXPECT_FALSE(isValidBlockSize(48));
  EXPECT_TRUE(isValidBlockSize(65536));
  EXPECT_FALSE(isValidBlockSize(131072));
}

TEST(Blockwise, SymmetricColumnsHaveTheirOwnScales) {
  // 17 rows: a block of 16 and one of 1. Column 0 counts from -8 to 8, column 1
  // is twice that.
  std::vector<float> weight;
  for (int k = 0; k < 17; ++k)
    weight.insert(weight.end(), {float(k - 8), float(2 * (k - 8))});
  BlockwiseShape shape{17, 2, 16};
  ASSERT_EQ(shape.blocks(), 2);
  std::vector<int8_t> stored(34);
  std::vector<float> scales(4);
  quantizeBlockwise(weight, shape, stored, scales, {});
  EXPECT_EQ(scales,
            (std::vector<float>{8.0F / 7, 16.0F / 7, 8.0F / 7, 16.0F / 7}));
  for (int k = 0; k < 17; ++k)
    for (int n = 0; n < 2; ++n)
      EXPECT_EQ(stored[k * 2 + n], std::nearbyint((k - 8) / (8.0F / 7)))
          << k << ", " << n;
}

TEST(Blockwise, AsymmetricRangesContainZero) {
  // From 15 to 30: without zero in the range the integers would saturate.
  std::vector<float> weight;
  weight.reserve(16);
  for (int k = 0; k < 16; ++k)
    weight.push_back(float(15 + k));
  std::vector<int8_t> stored(16);
  std::vector<float> scales(1);
  std::vector<uint8_t> zeroPoints(1, 99);
  quantizeBlockwise(weight, {16, 1, 16}, stored, scales, zeroPoints);
  EXPECT_EQ(scales[0], 2.0F);
  EXPECT_EQ(zeroPoints[0], 0);
  EXPECT_EQ(stored.front(), 8); // 7.5 to even
  EXPECT_EQ(stored.back(), 15);
}

TEST(Blockwise, ZerosAndNaN) {
  std::vector<float> weight(16, 0.0F);
  weight[3] = std::numeric_limits<float>::quiet_NaN();
  std::vector<int8_t> stored(16, 5);
  std::vector<float> scales(1);
  quantizeBlockwise(weight, {16, 1, 16}, stored, scales, {});
  EXPECT_EQ(scales[0], 1.0F);
  EXPECT_EQ(stored, std::vector<int8_t>(16, 0));
}

TEST(Blockwise, WiderThan4Bits) {
  std::vector<int8_t> fits = {-8, 7, 0}, below = {7, -9}, above = {8};
  EXPECT_FALSE(findWiderThan4Bits(fits, false));
  EXPECT_EQ(findWiderThan4Bits(fits, true), 0);
  EXPECT_EQ(findWiderThan4Bits(below, false), 1);
  EXPECT_EQ(findWiderThan4Bits(above, false), 0);
  EXPECT_FALSE(findWiderThan4Bits(above, true));
  EXPECT_EQ(findWiderThan4Bits({15, 16}, true), 1);
}

TEST(Blockwise, ActivationsAreSymmetric) {
  std::vector<float> values = {-254.0F, 1.0F, 3.0F, 127.0F};
  std::vector<int8_t> stored(4);
  EXPECT_EQ(quantizeActivationBlock(values, stored), 2.0F);
  EXPECT_EQ(stored, (std::vector<int8_t>{-127, 0, 2, 64}));
}

/// N9: the f32 quotient is that of f64, rounded.
TEST(Blockwise, ActivationScaleMayBeDividedInF32) {
  for (uint32_t bits = 1; bits < 0x7f800000U; bits += 9973) {
    float largest;
    std::memcpy(&largest, &bits, 4);
    int8_t stored;
    float scale = quantizeActivationBlock({largest}, {&stored, 1});
    float quotient = largest / 127.0F;
    EXPECT_EQ(scale, std::max(quotient, std::numeric_limits<float>::min()))
        << largest;
  }
}

} // namespace

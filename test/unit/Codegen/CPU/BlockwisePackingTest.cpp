//===- BlockwisePackingTest.cpp - Tests of packed 4-bit weights -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every integer, scale and zero point is found again where the layout says.
//
//===----------------------------------------------------------------------===//

#include "needle/Codegen/CPU/BlockwiseKernel.h"
#include "gtest/gtest.h"
#include <cstring>
#include <random>
#include <vector>

using namespace needle::cpu;

namespace {

/// The integer of row k and column n, as docs/Rationale/BlockwiseWeights.md has
/// it: by itself, not by BlockwiseLayout.
int unpack(const std::vector<int8_t> &packed, int64_t depth, int64_t blockSize,
           int64_t header, int64_t width, int64_t k, int64_t n) {
  int64_t chunk = blockSize < 32 ? blockSize : 32;
  int64_t blocks = (depth + blockSize - 1) / blockSize;
  int64_t chunks = (depth + chunk - 1) / chunk;
  int64_t panel = blocks * header + chunks * chunk * width / 2;
  int64_t block = header + blockSize * width / 2;
  int64_t at = n / width * panel + k / blockSize * block + header +
               k % blockSize / 8 * width * 4 + n % width * 4 + k % 4;
  auto byte = static_cast<uint8_t>(packed[at]);
  return k % 8 < 4 ? byte & 15 : byte >> 4;
}

void check(int64_t depth, int64_t columns, int64_t blockSize, bool asymmetric) {
  SCOPED_TRACE(testing::Message() << depth << "x" << columns << ", blocks of "
                                  << blockSize << ", " << asymmetric);
  constexpr int64_t width = 16;
  std::mt19937 random(depth * 131 + columns);
  BlockwiseLayout layout{blockSize, asymmetric, width};
  std::vector<int8_t> stored(depth * columns);
  for (int8_t &value : stored)
    value = static_cast<int8_t>(int(random() % 16) - (asymmetric ? 0 : 8));
  std::vector<float> scales(layout.blocks(depth) * columns);
  for (float &scale : scales)
    scale = static_cast<float>(random());
  std::vector<uint8_t> zeroPoints(asymmetric ? scales.size() : 0);
  for (uint8_t &zeroPoint : zeroPoints)
    zeroPoint = random() % 16;

  std::vector<int8_t> packed =
      packBlockwise(layout, depth, columns, stored, scales, zeroPoints);
  ASSERT_EQ(int64_t(packed.size()),
            layout.panels(columns) * layout.panelBytes(depth));
  int64_t header = width * (asymmetric ? 5 : 4);
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t n = 0; n < columns; ++n)
      ASSERT_EQ(unpack(packed, depth, blockSize, header, width, k, n),
                stored[k * columns + n] + (asymmetric ? 0 : 8))
          << k << ", " << n;
  for (int64_t b = 0; b < layout.blocks(depth); ++b)
    for (int64_t n = 0; n < columns; ++n) {
      const int8_t *place = packed.data() +
                            n / width * layout.panelBytes(depth) +
                            b * (header + blockSize * width / 2);
      float scale;
      std::memcpy(&scale, place + n % width * 4, 4);
      ASSERT_EQ(scale, scales[b * columns + n]);
      if (asymmetric) {
        ASSERT_EQ(place[width * 4 + n % width], zeroPoints[b * columns + n]);
      }
    }
}

TEST(BlockwisePacking, FindsEverythingAgain) {
  for (bool asymmetric : {false, true})
    for (int64_t blockSize : {16, 32, 128})
      for (int64_t depth : {1, 15, 16, 33, 128, 200})
        for (int64_t columns : {1, 16, 35})
          check(depth, columns, blockSize, asymmetric);
}

TEST(BlockwisePacking, PadsWithZeros) {
  std::vector<int8_t> stored(3 * 2, 7);
  std::vector<int8_t> packed =
      packBlockwise({16, false, 16}, 3, 2, stored, {1.0F, 1.0F}, {});
  // Scales of 2 columns, then three integers of each.
  int64_t ones = 0;
  for (size_t i = 64; i < packed.size(); ++i)
    ones += packed[i] != 0;
  EXPECT_EQ(packed.size(), 64u + 16 / 2 * 16);
  EXPECT_EQ(ones, 6);
}

TEST(BlockwisePacking, Nothing) {
  EXPECT_TRUE(packBlockwise({32, true, 16}, 0, 5, {}, {}, {}).empty());
  EXPECT_TRUE(packBlockwise({32, true, 16}, 5, 0, {}, {}, {}).empty());
}

} // namespace

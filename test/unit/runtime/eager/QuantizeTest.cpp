// Quantization of arrays by the numeric rules.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/quantize.h"
#include "EagerTest.h"

#include <cfloat>
#include <cmath>

namespace ndl::test {
namespace {

using eager::QuantParams;
using eager::View;

class QuantizeArrays : public EagerTest {
protected:
  View values(const std::vector<float> &list) {
    size_t next = 0;
    return makeArray({static_cast<int64_t>(list.size())}, NDL_DTYPE_F32,
                     [&] { return list[next++]; });
  }
  std::pair<float, float> rangeOf(const View &x) {
    float min = NAN, max = NAN;
    Status status = range(library, x, min, max);
    EXPECT_TRUE(status.ok()) << status.message();
    return {min, max};
  }
};

using Range = std::pair<float, float>;

TEST_P(QuantizeArrays, RangesContainZero) {
  EXPECT_EQ(rangeOf(values({1, 2, 6})), Range(0, 6));
  EXPECT_EQ(rangeOf(values({-3, -1})), Range(-3, 0));
  EXPECT_EQ(rangeOf(values({-3, 5, NAN})), Range(-3, 5));
  EXPECT_EQ(rangeOf(values({NAN, INFINITY})), Range(0, FLT_MAX));
  EXPECT_EQ(rangeOf(values({-INFINITY, 1})), Range(-FLT_MAX, 1));
  EXPECT_EQ(rangeOf(values({NAN, NAN, NAN})), Range(0, 0));
  EXPECT_EQ(rangeOf(values({})), Range(0, 0));
  EXPECT_EQ(rangeOf(makeArray({}, NDL_DTYPE_F32, [] { return NAN; })),
            Range(0, 0));
  EXPECT_EQ(rangeOf(makeArray({}, NDL_DTYPE_F32, [] { return -INFINITY; })),
            Range(-FLT_MAX, 0));
}

TEST_P(QuantizeArrays, RoundsToEvenAndClamps) {
  View q;
  View x = values({0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 3e9f, -3e9f, INFINITY,
                   -INFINITY, NAN, 126, 127, 128, -128, -129});
  ASSERT_OK(quantize(library, x, {1, 128}, q));
  EXPECT_EQ(elements<uint8_t>(q),
            (std::vector<uint8_t>{128, 130, 130, 128, 126, 255, 0, 255, 0, 128,
                                  254, 255, 255, 0, 0}));
}

TEST_P(QuantizeArrays, RoundTripsEveryCode) {
  View codes = makeCounting({256}, NDL_DTYPE_U8), x, again;
  for (QuantParams params : {QuantParams{0.013696f, 140},
                             {1e-30f, 0},
                             {3e30f, 255},
                             {FLT_MIN, 17}}) {
    ASSERT_OK(dequantize(library, codes, params, x));
    for (int64_t i = 0; i < 256; ++i)
      ASSERT_EQ(at(x, {i}),
                static_cast<float>(i - params.zeroPoint) * params.scale);
    ASSERT_OK(quantize(library, x, params, again));
    EXPECT_EQ(elements<uint8_t>(again), elements<uint8_t>(codes));
  }
}

TEST_P(QuantizeArrays, RandomViews) {
  for (int round = 0; round < 100; ++round) {
    View x = randomView(random, randomShape(random, 6, 9)), q, again;
    ASSERT_OK(quantize(library, x, {2, 50}, q));
    EXPECT_TRUE(q.isCompact());
    forEachIndex(shapeOf(x), [&](const Shape &index) {
      float wanted = std::nearbyint(at(x, index) / 2) + 50;
      ASSERT_EQ(at<uint8_t>(q, index), wanted < 0 ? 0 : wanted);
    });
    View bytes = randomView(random, shapeOf(x), NDL_DTYPE_U8);
    ASSERT_OK(dequantize(library, bytes, {0.5f, 7}, again));
    forEachIndex(shapeOf(x), [&](const Shape &index) {
      ASSERT_EQ(at(again, index), (at<uint8_t>(bytes, index) - 7) * 0.5f);
    });
    if (HasFailure())
      return;
  }
}

TEST_P(QuantizeArrays, RefusesWhatDoesNotFit) {
  View x = makeCounting({3}), bytes = makeCounting({3}, NDL_DTYPE_U8), result;
  expectError(quantize(library, x, {0, 0}, result), NDL_INVALID_ARGUMENT,
              "a scale must be positive and finite");
  expectError(dequantize(library, bytes, {1, 300}, result),
              NDL_INVALID_ARGUMENT, "not 300");
  expectError(quantize(library, bytes, {}, result), NDL_INVALID_ARGUMENT,
              "quantize_u8 takes f32 arrays, not u8");
  expectError(dequantize(library, x, {}, result), NDL_INVALID_ARGUMENT,
              "dequantize_u8 takes u8 arrays, not f32");
}

NEEDLE_INSTANTIATE_EAGER_TEST(QuantizeArrays);

} // namespace
} // namespace ndl::test

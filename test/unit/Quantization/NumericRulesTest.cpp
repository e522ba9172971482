//===- NumericRulesTest.cpp - Tests of the numeric rules N1 to N5 ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values computed by hand, and random values against other formulations: the
// C library's rounding, long double, 128-bit integers.
//
//===----------------------------------------------------------------------===//

#include "needle/Quantization/NumericRules.h"
#include "gtest/gtest.h"
#include <cfenv>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

using namespace needle;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr IntegerRange kU8{0, 255};
constexpr IntegerRange kS8{-127, 127};

float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

uint32_t toBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Random bit patterns: every exponent, NaN and infinities included.
class RandomFloats {
public:
  explicit RandomFloats(uint32_t seed) : generator(seed) {}
  float next() { return fromBits(generator()); }
  float positive() {
    float value;
    do
      value = std::fabs(next());
    while (!std::isfinite(value) || value == 0.0f);
    return value;
  }
  float around(float magnitude) {
    return std::uniform_real_distribution<float>(-magnitude,
                                                 magnitude)(generator);
  }
  int64_t integer(int64_t min, int64_t max) {
    return std::uniform_int_distribution<int64_t>(min, max)(generator);
  }

private:
  std::mt19937 generator;
};

constexpr uint32_t kSeed = 20240229;

//===----------------------------------------------------------------------===//
// N1
//===----------------------------------------------------------------------===//

TEST(RoundEven, TiesGoToEven) {
  EXPECT_EQ(roundEven(0.5f), 0.0f);
  EXPECT_EQ(roundEven(1.5f), 2.0f);
  EXPECT_EQ(roundEven(2.5f), 2.0f);
  EXPECT_EQ(roundEven(-0.5f), 0.0f);
  EXPECT_TRUE(std::signbit(roundEven(-0.5f)));
  EXPECT_EQ(roundEven(-1.5f), -2.0f);
  EXPECT_EQ(roundEven(-2.5f), -2.0f);
  EXPECT_EQ(roundEven(0x1.fffffep-2f), 0.0f);
  EXPECT_EQ(roundEven(8388606.5f), 8388606.0f);
  EXPECT_EQ(roundEven(8388607.5f), 8388608.0f);
  EXPECT_EQ(roundEven(4503599627370494.5), 4503599627370494.0);
  EXPECT_EQ(roundEven(4503599627370495.5), 4503599627370496.0);
}

TEST(RoundEven, SpecialValuesStay) {
  EXPECT_EQ(roundEven(kInf), kInf);
  EXPECT_EQ(roundEven(-kInf), -kInf);
  EXPECT_TRUE(std::isnan(roundEven(kNaN)));
  EXPECT_EQ(roundEven(3e38f), 3e38f);
  EXPECT_EQ(roundEven(FLT_TRUE_MIN), 0.0f);
  EXPECT_EQ(toBits(roundEven(-0.0f)), 0x80000000u);
}

TEST(RoundEven, AgreesWithTheCLibraryOnRandomBits) {
  ASSERT_EQ(std::fegetround(), FE_TONEAREST);
  RecordProperty("seed", kSeed);
  RandomFloats random(kSeed);
  for (int i = 0; i < 1000000; ++i) {
    // Half of the values over all exponents, half where fractions exist.
    float value = i % 2 ? random.next() : random.around(1 << 24);
    if (std::isnan(value))
      continue;
    ASSERT_EQ(toBits(roundEven(value)), toBits(std::nearbyint(value)))
        << "seed " << kSeed << ", value " << value;
    double wide = value * 1048577.0;
    ASSERT_EQ(roundEven(wide), std::nearbyint(wide))
        << "seed " << kSeed << ", value " << wide;
  }
}

TEST(RoundEven, DoesNotDependOnTheRoundingMode) {
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  float up = roundEven(2.25f), tie = roundEven(2.5f);
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(up, 2.0f);
  EXPECT_EQ(tie, 2.0f);
}

TEST(Quantize, ClampsBeforeTheConversion) {
  QuantParams params{0.5f, 3};
  EXPECT_EQ(quantize(kInf, params, kU8), 255);
  EXPECT_EQ(quantize(-kInf, params, kU8), 0);
  EXPECT_EQ(quantize(3e9f, params, kU8), 255);
  EXPECT_EQ(quantize(-3e9f, params, kU8), 0);
  EXPECT_EQ(quantize(FLT_MAX, {FLT_TRUE_MIN, 3}, kU8), 255);
  EXPECT_EQ(quantize(126.0f, params, kU8), 255);
  EXPECT_EQ(quantize(125.5f, params, kU8), 254);
  EXPECT_EQ(quantize(-200.0f, {1.0f, 0}, kS8), -127);
  EXPECT_EQ(quantize(-128.0f, {1.0f, 0}, {-128, 127}), -128);
}

TEST(Quantize, NaNBecomesTheZeroPoint) {
  EXPECT_EQ(quantize(kNaN, {0.5f, 37}, kU8), 37);
  EXPECT_EQ(quantize(-kNaN, {0.5f, 0}, kS8), 0);
  // 0 / 0 and inf / inf are NaN as well.
  EXPECT_EQ(quantize(0.0f, {0.0f, 9}, kU8), 9);
  EXPECT_EQ(quantize(kInf, {kInf, 9}, kU8), 9);
}

TEST(Quantize, TiesGoToEvenBeforeTheZeroPointIsAdded) {
  // With an odd zero point, rounding after the addition would differ.
  QuantParams params{1.0f, 3};
  EXPECT_EQ(quantize(0.5f, params, kU8), 3);
  EXPECT_EQ(quantize(1.5f, params, kU8), 5);
  EXPECT_EQ(quantize(2.5f, params, kU8), 5);
  EXPECT_EQ(quantize(-0.5f, params, kU8), 3);
  EXPECT_EQ(quantize(-1.5f, params, kU8), 1);
}

TEST(Quantize, ZerosAndDenormals) {
  EXPECT_EQ(quantize(0.0f, {0.1f, 128}, kU8), 128);
  EXPECT_EQ(quantize(-0.0f, {0.1f, 128}, kU8), 128);
  EXPECT_EQ(quantize(3 * FLT_TRUE_MIN, {FLT_TRUE_MIN, 0}, kU8), 3);
  EXPECT_EQ(quantize(FLT_MIN / 2, {FLT_MIN, 0}, kU8), 0);
  EXPECT_EQ(quantize(FLT_MIN * 1.5f, {FLT_MIN, 0}, kU8), 2);
}

TEST(Quantize, DividesInsteadOfMultiplyingByTheReciprocal) {
  // Only inputs that tell the two apart count here.
  RandomFloats random(kSeed);
  int differing = 0;
  for (int i = 0; i < 1000000; ++i) {
    float scale = random.positive();
    float x = scale * (random.integer(-60, 60) + 0.5f);
    float quotient = static_cast<float>((long double)x / scale);
    float byReciprocal = x * (1.0f / scale);
    if (!std::isfinite(x) || !std::isfinite(byReciprocal) ||
        std::nearbyint(quotient) == std::nearbyint(byReciprocal))
      continue;
    ++differing;
    ASSERT_EQ(quantize(x, {scale, 0}, kS8), std::lrint(quotient))
        << "seed " << kSeed << ", x " << x << ", scale " << scale;
  }
  EXPECT_GT(differing, 100);
}

/// The rule in the words of the specification, with the C library's rounding
/// and long double for what must be exact.
int64_t quantizeInWords(float x, QuantParams params, IntegerRange range) {
  float quotient = static_cast<float>((long double)x / params.scale);
  if (std::isnan(quotient))
    return params.zeroPoint;
  long double rounded = std::nearbyint(quotient);
  long double low = range.min - params.zeroPoint;
  long double high = range.max - params.zeroPoint;
  return params.zeroPoint +
         static_cast<int64_t>(std::min(std::max(rounded, low), high));
}

TEST(Quantize, AgreesWithTheWordsOnRandomBits) {
  RecordProperty("seed", kSeed);
  RandomFloats random(kSeed);
  for (int i = 0; i < 1000000; ++i) {
    float scale = random.positive();
    // Any bits, or something that lands among the stored integers.
    float x = i % 2 ? random.next() : scale * random.around(300);
    QuantParams params{scale, random.integer(0, 255)};
    ASSERT_EQ(quantize(x, params, kU8), quantizeInWords(x, params, kU8))
        << "seed " << kSeed << ", x " << x << ", scale " << scale << ", zero "
        << "point " << params.zeroPoint;
  }
}

TEST(Quantize, ClampingBeforeRoundingIsTheSame) {
  // Generated code clamps first, to have an argument that a constant can round.
  RandomFloats random(kSeed);
  for (int i = 0; i < 1000000; ++i) {
    float scale = random.positive();
    float x = i % 2 ? random.next() : scale * random.around(300);
    int64_t zeroPoint = random.integer(0, 255);
    float t = x / scale;
    if (std::isnan(t))
      continue;
    float clamped =
        std::min(std::max(t, -float(zeroPoint)), float(255 - zeroPoint));
    int64_t q = zeroPoint + int64_t((clamped + 0x1.8p23f) - 0x1.8p23f);
    ASSERT_EQ(quantize(x, {scale, zeroPoint}, kU8), q)
        << "seed " << kSeed << ", x " << x << ", scale " << scale;
  }
}

TEST(Quantize, WideStorage) {
  IntegerRange s32{INT32_MIN, INT32_MAX};
  EXPECT_EQ(quantize(kInf, {1.0f, 0}, s32), INT32_MAX);
  EXPECT_EQ(quantize(-kInf, {1.0f, 5}, s32), INT32_MIN);
  EXPECT_EQ(quantize(kInf, {1.0f, 65535}, {0, 65535}), 65535);
  EXPECT_EQ(quantize(5e9f, {1.0f, 0}, {0, UINT32_MAX}), UINT32_MAX);
}

TEST(Quantize, SpansAndAxes) {
  std::vector<float> values{-1, 1, 2, 3, 4, 1e9f};
  std::vector<int8_t> result(6);
  quantize<int8_t>(values, {2.0f, 0}, kS8, result);
  EXPECT_EQ(result, (std::vector<int8_t>{0, 0, 1, 2, 2, 127}));
  // 2x3, parameters along the last axis, then along the first.
  QuantParams columns[] = {{1.0f, 0}, {0.5f, 1}, {0.25f, -3}};
  quantizePerAxis<int8_t>(values, AxisView::of({2, 3}, 1), columns, kS8,
                          result);
  EXPECT_EQ(result, (std::vector<int8_t>{-1, 3, 5, 3, 9, 127}));
  QuantParams rows[] = {{1.0f, 0}, {0.5f, 1}};
  quantizePerAxis<int8_t>(values, AxisView::of({2, 3}, 0), rows, kS8, result);
  EXPECT_EQ(result, (std::vector<int8_t>{-1, 1, 2, 7, 9, 127}));
}

//===----------------------------------------------------------------------===//
// N2
//===----------------------------------------------------------------------===//

TEST(Range, ContainsZeroIgnoresNaNAndIsFinite) {
  EXPECT_EQ(computeRange({}), (RealRange{0, 0}));
  EXPECT_EQ(computeRange({kNaN, kNaN}), (RealRange{0, 0}));
  EXPECT_EQ(computeRange({1, 6}), (RealRange{0, 6}));
  EXPECT_EQ(computeRange({-1, -6}), (RealRange{-6, 0}));
  EXPECT_EQ(computeRange({kNaN, -2, kNaN, 5, kNaN}), (RealRange{-2, 5}));
  EXPECT_EQ(computeRange({-kInf, 1}), (RealRange{-FLT_MAX, 1}));
  EXPECT_EQ(computeRange({kInf, kNaN}), (RealRange{0, FLT_MAX}));
  EXPECT_EQ(computeRange({FLT_TRUE_MIN}), (RealRange{0, FLT_TRUE_MIN}));
  EXPECT_EQ(widenRange(std::nan(""), 2), (RealRange{0, 2}));
  EXPECT_EQ(widenRange(-1e300, 1e300), (RealRange{-FLT_MAX, FLT_MAX}));
  EXPECT_EQ(widenRange(kInf, -kInf), (RealRange{0, 0}));
}

TEST(Range, PerAxis) {
  std::vector<float> values{1, -2, kNaN, 4, -5, kInf};
  std::vector<RealRange> columns(3), rows(2);
  computeRangePerAxis(values, AxisView::of({2, 3}, 1), columns);
  EXPECT_EQ(columns[0], (RealRange{0, 4}));
  EXPECT_EQ(columns[1], (RealRange{-5, 0}));
  EXPECT_EQ(columns[2], (RealRange{0, FLT_MAX}));
  computeRangePerAxis(values, AxisView::of({2, 3}, 0), rows);
  EXPECT_EQ(rows[0], (RealRange{-2, 1}));
  EXPECT_EQ(rows[1], (RealRange{-5, FLT_MAX}));
}

TEST(Params, UInt8Asymmetric) {
  EXPECT_EQ(chooseParams({0, 255}, kUInt8Asymmetric), (QuantParams{1.0f, 0}));
  EXPECT_EQ(chooseParams({-255, 0}, kUInt8Asymmetric),
            (QuantParams{1.0f, 255}));
  EXPECT_EQ(chooseParams({-127.5, 127.5}, kUInt8Asymmetric),
            (QuantParams{1.0f, 128})); // a tie: 127.5 goes to 128
  EXPECT_EQ(chooseParams({-126.5, 128.5}, kUInt8Asymmetric),
            (QuantParams{1.0f, 126})); // a tie: 126.5 goes to 126
  EXPECT_EQ(chooseParams({1, 6}, kUInt8Asymmetric),
            (QuantParams{6.0f / 255.0f, 0}));
}

TEST(Params, ZeroRangeHasScaleOne) {
  for (const QuantFormat &format :
       {kUInt8Asymmetric, kInt8Symmetric, kUInt4Asymmetric, kInt4Symmetric})
    EXPECT_EQ(chooseParams({0, 0}, format), (QuantParams{1.0f, 0}));
}

TEST(Params, ScaleStaysNormal) {
  EXPECT_EQ(chooseParams({0, FLT_TRUE_MIN}, kUInt8Asymmetric).scale, FLT_MIN);
  EXPECT_EQ(chooseParams({-FLT_TRUE_MIN, 0}, kUInt8Asymmetric),
            (QuantParams{FLT_MIN, 0}));
  EXPECT_EQ(chooseParams({-FLT_MIN, FLT_MIN}, kInt8Symmetric).scale, FLT_MIN);
  QuantParams whole = chooseParams({-FLT_MAX, FLT_MAX}, kUInt8Asymmetric);
  EXPECT_EQ(whole.scale, static_cast<float>(2.0 * FLT_MAX / 255.0));
  EXPECT_EQ(whole.zeroPoint, 128);
  // One step for the whole range does not fit f32.
  QuantFormat oneBit{1, false, false, {0, 1}};
  EXPECT_EQ(chooseParams({-FLT_MAX, FLT_MAX}, oneBit).scale, FLT_MAX);
}

TEST(Params, TheRangeIsSubtractedInF64) {
  // In f32, 1 + 2^-24 is a tie that goes to 1.
  double tiny = 0x1p-24;
  EXPECT_EQ(chooseParams({-tiny, 1}, kUInt8Asymmetric).scale,
            static_cast<float>((1 + tiny) / 255));
  // An example where the two differ after the division as well.
  RandomFloats random(kSeed);
  int differing = 0;
  for (int i = 0; i < 100000; ++i) {
    float max = std::fabs(random.around(10)),
          min = -std::fabs(random.around(1));
    auto expected =
        static_cast<float>(((long double)max - (long double)min) / 255.0L);
    differing += (max - min) / 255.0f != expected;
    ASSERT_EQ(chooseParams({min, max}, kUInt8Asymmetric).scale, expected)
        << "seed " << kSeed << ", [" << min << ", " << max << "]";
  }
  EXPECT_GT(differing, 1000);
}

TEST(Params, Symmetric) {
  EXPECT_EQ(chooseParams({-127, 5}, kInt8Symmetric), (QuantParams{1.0f, 0}));
  EXPECT_EQ(chooseParams({-5, 254}, kInt8Symmetric), (QuantParams{2.0f, 0}));
  EXPECT_EQ(chooseParams({-3.5, 2}, kInt4Symmetric), (QuantParams{0.5f, 0}));
  EXPECT_EQ(chooseParams({-5, 10}, kUInt4Asymmetric), (QuantParams{1.0f, 5}));
}

TEST(Params, ZeroIsExactAndTheEndsAreWithinOneStep) {
  RecordProperty("seed", kSeed);
  RandomFloats random(kSeed);
  for (int i = 0; i < 100000; ++i) {
    float min = random.next(), max = random.next();
    RealRange range = computeRange({min, max});
    for (const QuantFormat &format :
         {kUInt8Asymmetric, kInt8Symmetric, kUInt4Asymmetric, kInt4Symmetric}) {
      QuantParams params = chooseParams(range, format);
      ASSERT_TRUE(format.range.contains(params.zeroPoint)) << "seed " << kSeed;
      ASSERT_TRUE(params.scale >= FLT_MIN && params.scale <= FLT_MAX);
      ASSERT_EQ(dequantize(quantize(0.0f, params, format.range), params), 0.0f);
      for (double end : {range.min, range.max}) {
        int64_t q = quantize(static_cast<float>(end), params, format.range);
        double back = double(q - params.zeroPoint) * params.scale;
        ASSERT_LE(std::fabs(back - end), 1.0001 * params.scale)
            << "seed " << kSeed << ", [" << range.min << ", " << range.max
            << "], scale " << params.scale;
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// N3, N4, N5
//===----------------------------------------------------------------------===//

TEST(Dequantize, SubtractsInIntegers) {
  EXPECT_EQ(dequantize(255, {0.3f, 3}), 252.0f * 0.3f);
  EXPECT_EQ(dequantize(0, {0.3f, 255}), -255.0f * 0.3f);
  EXPECT_EQ(dequantize(255, {1.0f, -2147483648LL}), 2147483904.0f);
  EXPECT_TRUE(std::isnan(dequantize(7, {kInf, 7}))) << "0 times infinity";
}

TEST(Contraction, DepthOfKnownFormats) {
  EXPECT_EQ(centeredRange({0, 255}, 3), (IntegerRange{-3, 252}));
  EXPECT_EQ(centeredRange({0, 255}), (IntegerRange{-255, 255}));
  IntegerRange u8 = centeredRange({0, 255}), s8{-127, 127};
  EXPECT_EQ(maxContractionDepth(u8, u8), 33025);
  EXPECT_EQ(maxContractionDepth({0, 255}, {0, 255}), 33025);
  EXPECT_EQ(maxContractionDepth(u8, s8), 66311);
  EXPECT_EQ(maxContractionDepth({-128, 127}, {-128, 127}), 131071);
  EXPECT_EQ(maxContractionDepth({0, 255}, s8, 16), 1);
  EXPECT_EQ(maxContractionDepth({0, 0}, u8), INT64_MAX);
  EXPECT_EQ(maxContractionDepth({-1, 0}, {0, 1}, 32), int64_t(1) << 31);
  EXPECT_EQ(maxContractionDepth({-1, 0}, {0, 1}, 64), INT64_MAX);
  EXPECT_EQ(maxContractionDepth({INT64_MIN, 0}, {-1, 1}), 0);
}

TEST(Contraction, DepthIsTheLargestThatFits) {
  RecordProperty("seed", kSeed);
  RandomFloats random(kSeed);
  for (int i = 0; i < 10000; ++i) {
    auto range = [&] {
      int64_t a = random.integer(-300, 300), b = random.integer(-300, 300);
      return IntegerRange{std::min(a, b), std::max(a, b)};
    };
    IntegerRange lhs = range(), rhs = range();
    int64_t depth = maxContractionDepth(lhs, rhs);
    if (depth == INT64_MAX)
      continue;
    __int128 least = 0, most = 0;
    for (int64_t a = lhs.min; a <= lhs.max; a = a < lhs.max ? lhs.max : a + 1)
      for (int64_t b = rhs.min; b <= rhs.max;
           b = b < rhs.max ? rhs.max : b + 1) {
        least = std::min<__int128>(least, a * b);
        most = std::max<__int128>(most, a * b);
      }
    EXPECT_TRUE(least * depth >= INT32_MIN && most * depth <= INT32_MAX);
    EXPECT_FALSE(least * (depth + 1) >= INT32_MIN &&
                 most * (depth + 1) <= INT32_MAX)
        << "seed " << kSeed;
  }
}

TEST(Contraction, WrapsModulo2To32) {
  EXPECT_EQ(wrapToInt32(0x7fffffff), INT32_MAX);
  EXPECT_EQ(wrapToInt32(0x80000000), INT32_MIN);
  EXPECT_EQ(wrapToInt32(int64_t(40000) * 65025), -1693967296);
  EXPECT_EQ(wrapToInt32(-0x80000001LL), INT32_MAX);
}

TEST(Rescale, RoundsTheSumOnce) {
  EXPECT_EQ(rescale(16777217, 1.0f), 16777216.0f); // a tie, to even
  EXPECT_EQ(rescale(16777219, 1.0f), 16777220.0f);
  // Through f64 this sum would be rounded twice, to the even neighbour below:
  // 2^60 + 2^36 + 1 lies just above the middle of two f32 values.
  int64_t sum = (int64_t(1) << 60) + (int64_t(1) << 36) + 1;
  EXPECT_EQ(static_cast<float>(static_cast<double>(sum)), 0x1p60f);
  EXPECT_EQ(rescale(sum, 1.0f), 0x1.000002p60f);
  EXPECT_EQ(rescale(-sum, 1.0f), -0x1.000002p60f);
}

TEST(Rescale, CombinedScaleIsRoundedToF32) {
  float a = 0.1f, b = 0.3f;
  EXPECT_EQ(combineScales(a, b), static_cast<float>(double(a) * double(b)));
  EXPECT_EQ(combineScales(FLT_MIN, FLT_MIN), 0.0f);
  EXPECT_EQ(combineScales(FLT_MAX, 2.0f), kInf);
}

TEST(Relu, IsIeeeMaximumWithZero) {
  EXPECT_EQ(toBits(relu(-0.0f)), 0u);
  EXPECT_EQ(toBits(relu(-1.0f)), 0u);
  EXPECT_EQ(relu(FLT_TRUE_MIN), FLT_TRUE_MIN);
  EXPECT_EQ(relu(kInf), kInf);
  EXPECT_EQ(toBits(relu(-kInf)), 0u);
  EXPECT_TRUE(std::isnan(relu(kNaN)));
  EXPECT_TRUE(std::isnan(relu(-kNaN)));
}

} // namespace

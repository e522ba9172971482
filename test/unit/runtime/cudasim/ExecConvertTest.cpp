// Conversions and f16 against independent arithmetic.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Simulated.h"

#include <algorithm>
#include <cfenv>
#include <cmath>

namespace ndl::test {
namespace {

float single(uint64_t x) { return bits<float>(static_cast<uint32_t>(x)); }
uint64_t ofSingle(float x) {
  return std::isnan(x) ? 0x7fffffff : bits<uint32_t>(x);
}

struct Mode {
  const char *name;
  int mode;
};
const Mode modes[] = {{".rn", FE_TONEAREST},
                      {".rz", FE_TOWARDZERO},
                      {".rm", FE_DOWNWARD},
                      {".rp", FE_UPWARD}};

TEST(Convert, FloatToInteger) {
  std::vector<uint64_t> values = floatEdges();
  for (float x : {0.5f, -0.5f, 1.5f, 2.5f, -1.5f, 254.5f, 255.5f, 300.0f,
                  -129.0f, 2147483520.0f, 4294967040.0f, -2147483648.0f})
    values.push_back(ofSingle(x));
  struct Case {
    const char *name;
    double (*round)(double);
  };
  const Case roundings[] = {
      {".rni", [](double x) { return std::nearbyint(x); }},
      {".rzi", [](double x) { return std::trunc(x); }},
      {".rmi", [](double x) { return std::floor(x); }},
      {".rpi", [](double x) { return std::ceil(x); }}};
  for (const Case &one : roundings) {
    auto clamp = [&](float x, double low, double high) {
      return std::isnan(x) ? 0.0
                           : std::fmin(std::fmax(one.round(x), low), high);
    };
    std::string name = one.name;
    std::vector<uint64_t> s32 =
        evaluate("cvt" + name + ".s32.f32 %d, %a;", "%d", values);
    std::vector<uint64_t> u32 =
        evaluate("cvt" + name + ".u32.f32 %d, %a;", "%d", values);
    std::vector<uint64_t> s8 =
        evaluate("cvt" + name + ".sat.s8.f32 %d, %a;", "%d", values);
    std::vector<uint64_t> u8 =
        evaluate("cvt" + name + ".u8.f32 %d, %a;", "%d", values);
    std::vector<uint64_t> s64 =
        evaluate("cvt" + name + ".s64.f32 %dd, %a;", "%dd", values);
    for (size_t i = 0; i < values.size(); ++i) {
      float x = single(values[i]);
      EXPECT_EQ(s32[i], uint32_t(int32_t(clamp(x, INT32_MIN, INT32_MAX)))) << x;
      EXPECT_EQ(u32[i], uint32_t(clamp(x, 0, UINT32_MAX))) << x;
      EXPECT_EQ(s8[i], uint32_t(int32_t(clamp(x, -128, 127)))) << x;
      EXPECT_EQ(u8[i], uint32_t(clamp(x, 0, 255))) << x;
      // "cvt": NaN to 64 bits is the highest bit alone.
      uint64_t wide = std::isnan(x)   ? uint64_t(1) << 63
                      : x >= 0x1p63f  ? uint64_t(INT64_MAX)
                      : x <= -0x1p63f ? uint64_t(INT64_MIN)
                                      : uint64_t(int64_t(one.round(x)));
      EXPECT_EQ(s64[i], wide) << x;
    }
  }
}

TEST(Convert, IntegerToFloat) {
  std::vector<uint64_t> values = edges64();
  values.push_back((uint64_t(1) << 40) + 1);
  values.push_back(16777217);
  values.push_back(33554435);
  for (const Mode &mode : modes) {
    std::string name = mode.name;
    auto compare = [&](const std::string &code, auto convert) {
      std::vector<uint64_t> got = evaluate(code, "%d", values);
      for (size_t i = 0; i < got.size(); ++i) {
        volatile uint64_t value = values[i];
        std::fesetround(mode.mode);
        volatile float expected = convert(value);
        std::fesetround(FE_TONEAREST);
        EXPECT_EQ(got[i], ofSingle(expected)) << code << " " << values[i];
      }
    };
    compare("cvt" + name + ".f32.s32 %d, %a;", [](uint64_t x) {
      return static_cast<float>(static_cast<int32_t>(x));
    });
    compare("cvt" + name + ".f32.u32 %d, %a;", [](uint64_t x) {
      return static_cast<float>(
          static_cast<long double>(static_cast<uint32_t>(x)));
    });
    compare("cvt" + name + ".f32.s64 %d, %ad;", [](uint64_t x) {
      return static_cast<float>(
          static_cast<long double>(static_cast<int64_t>(x)));
    });
    compare("cvt" + name + ".f32.u64 %d, %ad;", [](uint64_t x) {
      return static_cast<float>(static_cast<long double>(x));
    });
  }
}

TEST(Convert, BetweenIntegers) {
  for (uint64_t x : edges64()) {
    auto one = [&](const std::string &code, const char *result) {
      return evaluate(code, result, {x})[0];
    };
    EXPECT_EQ(one("cvt.s32.s8 %d, %a;", "%d"), uint32_t(int8_t(x)));
    EXPECT_EQ(one("cvt.u32.u16 %d, %a;", "%d"), uint16_t(x));
    EXPECT_EQ(one("cvt.s64.s32 %dd, %a;", "%dd"), uint64_t(int32_t(x)));
    EXPECT_EQ(one("cvt.u64.u32 %dd, %a;", "%dd"), uint32_t(x));
    EXPECT_EQ(one("cvt.s16.s8 %dh, %a;", "%dh"), uint16_t(int8_t(x)));
    EXPECT_EQ(one("cvt.sat.s8.s32 %d, %a;", "%d"),
              uint32_t(std::min(std::max(int32_t(x), -128), 127)));
    EXPECT_EQ(one("cvt.sat.u8.s32 %d, %a;", "%d"),
              uint32_t(std::min(std::max(int32_t(x), 0), 255)));
    EXPECT_EQ(one("cvt.sat.u32.s64 %d, %ad;", "%d"),
              int64_t(x) < 0 ? 0 : std::min<uint64_t>(x, UINT32_MAX));
    EXPECT_EQ(one("cvt.pack.sat.u8.s32.b32 %d, %a, 300, 0x11223344;", "%d"),
              0x33440000u |
                  uint32_t(std::min(std::max(int32_t(x), 0), 255)) << 8 | 0xff);
  }
}

TEST(Convert, Halves) {
  // Every f16 is exact in f32, and comes back.
  std::vector<uint64_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = i;
  std::vector<uint64_t> wide = evaluate("cvt.f32.f16 %d, %ah;", "%d", all);
  std::vector<uint64_t> back = evaluate("cvt.rn.f16.f32 %dh, %a;", "%dh", wide);
  for (size_t i = 0; i < all.size(); ++i) {
    unsigned exponent = i >> 10 & 31, mantissa = i & 1023;
    double sign = i >> 15 ? -1 : 1;
    if (exponent == 31 && mantissa != 0) {
      ASSERT_EQ(wide[i], 0x7fffffffu);
      ASSERT_EQ(back[i], 0x7fffu);
      continue;
    }
    double value = exponent == 31  ? INFINITY
                   : exponent == 0 ? std::ldexp(mantissa, -24)
                                   : std::ldexp(1024 + mantissa, exponent - 25);
    ASSERT_EQ(single(wide[i]), sign * value) << i;
    ASSERT_EQ(back[i], i);
  }
  // Ties, overflow and denormal numbers.
  std::vector<uint64_t> values;
  for (float x : {1 + 0x1p-11f, 1 + 3 * 0x1p-11f, 65519.0f, 65520.0f, 0x1p-25f,
                  0x1.8p-25f, -0x1p-24f, 1e30f})
    values.push_back(ofSingle(x));
  EXPECT_EQ(evaluate("cvt.rn.f16.f32 %dh, %a;", "%dh", values),
            (std::vector<uint64_t>{0x3c00, 0x3c02, 0x7bff, 0x7c00, 0, 1, 0x8001,
                                   0x7c00}));
  EXPECT_EQ(evaluate("cvt.rz.f16.f32 %dh, %a;", "%dh", values),
            (std::vector<uint64_t>{0x3c00, 0x3c01, 0x7bff, 0x7bff, 0, 0, 0x8001,
                                   0x7bff}));
  EXPECT_EQ(evaluate("cvt.rn.bf16.f32 %dh, %a;", "%dh",
                     {0x3f808000, 0x3f818000, 0x3f808001, 0x7f7fffff}),
            (std::vector<uint64_t>{0x3f80, 0x3f82, 0x3f81, 0x7f80}));
  EXPECT_EQ(evaluate("cvt.rn.f16x2.f32 %d, %a, %b;", "%d", {0x3f800000},
                     {0x40000000}),
            (std::vector<uint64_t>{0x3c004000}));
  EXPECT_EQ(evaluate("cvt.rn.relu.bf16x2.f32 %d, %a, %b;", "%d", {0xbf800000},
                     {0x40000000}),
            (std::vector<uint64_t>{0x00004000}));
  EXPECT_EQ(evaluate("cvt.rna.tf32.f32 %d, %a;", "%d",
                     {0x3f801000, 0x3f800fff, 0x3f803000}),
            (std::vector<uint64_t>{0x3f802000, 0x3f800000, 0x3f804000}));
}

TEST(Convert, Floats) {
  // 1 + 2^-24 + 2^-50 in double; a tie; the largest.
  std::vector<uint64_t> values = {
      bits<uint64_t>(1 + 0x1p-24 + 0x1p-50), bits<uint64_t>(1 + 0x1p-24),
      bits<uint64_t>(1e300), bits<uint64_t>(-0x1p-150)};
  EXPECT_EQ(
      evaluate("cvt.rn.f32.f64 %d, %ad;", "%d", values),
      (std::vector<uint64_t>{0x3f800001, 0x3f800000, 0x7f800000, 0x80000000}));
  EXPECT_EQ(
      evaluate("cvt.rm.f32.f64 %d, %ad;", "%d", values),
      (std::vector<uint64_t>{0x3f800000, 0x3f800000, 0x7f7fffff, 0x80000001}));
  EXPECT_EQ(evaluate("cvt.rni.f32.f32 %d, %a;", "%d",
                     {0x3f000000, 0x3fc00000, 0xc0200000}),
            (std::vector<uint64_t>{0, 0x40000000, 0xc0000000}));
  EXPECT_EQ(evaluate("cvt.sat.f32.f32 %d, %a;", "%d",
                     {0x40000000, 0xbf800000, 0x7fc00000, 0x3f000000}),
            (std::vector<uint64_t>{0x3f800000, 0, 0, 0x3f000000}));
}

TEST(Half, ArithmeticIsRoundedOnce) {
  std::vector<uint64_t> values = {0x0000, 0x8000, 0x3c00, 0x3c01, 0xbc00,
                                  0x0001, 0x03ff, 0x0400, 0x7bff, 0xfbff,
                                  0x7c00, 0x7e00, 0x3555, 0x1400, 0x6400};
  std::vector<uint64_t> wide = evaluate("cvt.f32.f16 %d, %ah;", "%d", values);
  auto valueOf = [&](uint64_t half) {
    return single(
        wide[std::find(values.begin(), values.end(), half) - values.begin()]);
  };
  // An exact result in long double (64 bits are enough but for the largest
  // spans, where what is lost is far below half an ulp), rounded to f16 bits.
  auto rounded = [](long double exact) -> uint64_t {
    if (std::isnan(exact))
      return 0x7fff;
    uint64_t sign = std::signbit(exact) ? 0x8000 : 0;
    exact = std::fabs(exact);
    if (exact >= 65520)
      return sign | 0x7c00;
    int exponent = exact < 0x1p-14L ? -14 : std::ilogb(exact);
    auto steps =
        static_cast<uint64_t>(std::nearbyint(std::ldexp(exact, 10 - exponent)));
    return sign + (uint64_t(exponent + 14) << 10) + steps;
  };
  Operands triples = triplesOf(values);
  std::vector<uint64_t> sums =
      evaluate("add.f16 %dh, %ah, %bh;", "%dh", triples.a, triples.b);
  std::vector<uint64_t> products =
      evaluate("mul.rn.f16 %dh, %ah, %bh;", "%dh", triples.a, triples.b);
  std::vector<uint64_t> fused = evaluate(
      "fma.rn.f16 %dh, %ah, %bh, %ch;", "%dh", triples.a, triples.b, triples.c);
  for (size_t i = 0; i < sums.size(); ++i) {
    long double a = valueOf(triples.a[i]), b = valueOf(triples.b[i]);
    long double c = valueOf(triples.c[i]);
    ASSERT_EQ(sums[i], rounded(a + b)) << i;
    ASSERT_EQ(products[i], rounded(a * b)) << i;
    ASSERT_EQ(fused[i], rounded(a * b + c))
        << double(a) << " " << double(b) << " " << double(c);
  }
  EXPECT_EQ(
      evaluate("add.rn.bf16x2 %d, %a, %b;", "%d", {0x3f803f80}, {0x3b803f80}),
      (std::vector<uint64_t>{0x3f804000}));
  EXPECT_EQ(evaluate("max.f16x2 %d, %a, %b;", "%d", {0x7e00bc00}, {0x3c000000}),
            (std::vector<uint64_t>{0x3c000000}));
  EXPECT_EQ(evaluate("neg.bf16 %dh, %ah;", "%dh", {0x3f80}),
            (std::vector<uint64_t>{0xbf80}));
}

} // namespace
} // namespace ndl::test

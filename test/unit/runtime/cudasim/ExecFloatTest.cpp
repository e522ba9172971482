// Floating-point instructions against independent arithmetic.
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

/// Compares with expected(a, b, c); NaN must be 0x7fffffff.
template <typename Expected>
void check(const std::string &code, const Operands &operands,
           Expected expected) {
  std::vector<uint64_t> got =
      evaluate(code, "%d", operands.a, operands.b, operands.c);
  for (size_t i = 0; i < got.size(); ++i) {
    float a = single(operands.a[i]);
    float b = operands.b.empty() ? 0 : single(operands.b[i]);
    float c = operands.c.empty() ? 0 : single(operands.c[i]);
    ASSERT_EQ(got[i], ofSingle(expected(a, b, c)))
        << code << " of " << a << ", " << b << ", " << c;
  }
}

struct Mode {
  const char *name;
  int mode;
};
const Mode modes[] = {{".rn", FE_TONEAREST},
                      {".rz", FE_TOWARDZERO},
                      {".rm", FE_DOWNWARD},
                      {".rp", FE_UPWARD}};

/// What the operation gives in a rounding mode of the host.
template <typename Operation>
float inMode(int mode, Operation operation) {
  std::fesetround(mode);
  volatile float result = operation();
  std::fesetround(FE_TONEAREST);
  return result;
}

TEST(Float, ArithmeticInEachMode) {
  Operands pairs = pairsOf(floatEdges());
  for (const Mode &mode : modes) {
    std::string name = mode.name;
    check("add" + name + ".f32 %d, %a, %b;", pairs,
          [&](volatile float a, volatile float b, float) {
            return inMode(mode.mode, [&] { return a + b; });
          });
    check("sub" + name + ".f32 %d, %a, %b;", pairs,
          [&](volatile float a, volatile float b, float) {
            return inMode(mode.mode, [&] { return a - b; });
          });
    check("mul" + name + ".f32 %d, %a, %b;", pairs,
          [&](volatile float a, volatile float b, float) {
            return inMode(mode.mode, [&] { return a * b; });
          });
    check("div" + name + ".f32 %d, %a, %b;", pairs,
          [&](volatile float a, volatile float b, float) {
            return inMode(mode.mode, [&] { return a / b; });
          });
    check("rcp" + name + ".f32 %d, %a;", pairs,
          [&](volatile float a, float, float) {
            return inMode(mode.mode, [&] { return 1.0f / a; });
          });
    check("sqrt" + name + ".f32 %d, %a;", pairs,
          [&](volatile float a, float, float) {
            return inMode(mode.mode, [&] { return std::sqrt(float(a)); });
          });
  }
}

TEST(Float, KnownRoundings) {
  // 1 + 2^-24 is a tie; 1 + 2^-24 + 2^-40 is not.
  std::vector<uint64_t> one = {0x3f800000, 0x3f800000, 0xbf800000};
  std::vector<uint64_t> tiny = {0x33800000, 0x33800080, 0xb3800000};
  EXPECT_EQ(evaluate("add.rn.f32 %d, %a, %b;", "%d", one, tiny),
            (std::vector<uint64_t>{0x3f800000, 0x3f800001, 0xbf800000}));
  EXPECT_EQ(evaluate("add.rz.f32 %d, %a, %b;", "%d", one, tiny),
            (std::vector<uint64_t>{0x3f800000, 0x3f800000, 0xbf800000}));
  EXPECT_EQ(evaluate("add.rm.f32 %d, %a, %b;", "%d", one, tiny),
            (std::vector<uint64_t>{0x3f800000, 0x3f800000, 0xbf800001}));
  EXPECT_EQ(evaluate("add.rp.f32 %d, %a, %b;", "%d", one, tiny),
            (std::vector<uint64_t>{0x3f800001, 0x3f800001, 0xbf800000}));
}

TEST(Float, FusedMultiplyAdd) {
  Operands triples =
      triplesOf({0, 0x80000000, 0x3f800001, 0xbf7fffff, 0x7f800000, 0x00000001,
                 0x40490fdb, 0x7f7fffff, 0x7fc00000, 0xb3800001});
  for (const Mode &mode : modes)
    check("fma" + std::string(mode.name) + ".f32 %d, %a, %b, %c;", triples,
          [&](volatile float a, volatile float b, volatile float c) {
            return inMode(mode.mode, [&] {
              return std::fma(float(a), float(b), float(c));
            });
          });
  // (1 + 2^-23)^2 - (1 + 2^-22) is 2^-46, and zero if rounded in between.
  EXPECT_EQ(evaluate("fma.rn.f32 %d, %a, %b, %c;", "%d", {0x3f800001},
                     {0x3f800001}, {0xbf800002}),
            (std::vector<uint64_t>{0x28800000}));
}

TEST(Float, FlushAndSaturate) {
  Operands pairs = pairsOf(floatEdges());
  auto flushed = [](float x) {
    return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x;
  };
  auto saturated = [](float x) {
    return std::isnan(x) ? 0.0f : std::fmin(std::fmax(x, 0.0f), 1.0f) + 0.0f;
  };
  check("add.ftz.f32 %d, %a, %b;", pairs, [&](float a, float b, float) {
    return flushed(flushed(a) + flushed(b));
  });
  check("mul.ftz.f32 %d, %a, %b;", pairs, [&](float a, float b, float) {
    return flushed(flushed(a) * flushed(b));
  });
  check("mul.rn.sat.f32 %d, %a, %b;", pairs,
        [&](float a, float b, float) { return saturated(a * b); });
  EXPECT_EQ(evaluate("abs.ftz.f32 %d, %a;", "%d", {0x80000001, 0xbf800000}),
            (std::vector<uint64_t>{0, 0x3f800000}));
}

TEST(Float, MinMaxAndSigns) {
  Operands pairs = pairsOf(floatEdges());
  auto least = [](float a, float b, bool isMax) {
    if (std::isnan(a) || std::isnan(b))
      return std::isnan(a) ? b : a;
    if (a == b)
      return std::signbit(a) != isMax ? a : b;
    return (a < b) != isMax ? a : b;
  };
  check("min.f32 %d, %a, %b;", pairs,
        [&](float a, float b, float) { return least(a, b, false); });
  check("max.f32 %d, %a, %b;", pairs,
        [&](float a, float b, float) { return least(a, b, true); });
  check("max.NaN.f32 %d, %a, %b;", pairs, [&](float a, float b, float) {
    return std::isnan(a) || std::isnan(b) ? NAN : least(a, b, true);
  });
  EXPECT_EQ(evaluate("neg.f32 %d, %a;", "%d", {0, 0x3f800000, 0x80000001}),
            (std::vector<uint64_t>{0x80000000, 0xbf800000, 1}));
  EXPECT_EQ(evaluate("copysign.f32 %d, %a, %b;", "%d", {0x80000000, 0},
                     {0x3f800000, 0xbf800000}),
            (std::vector<uint64_t>{0xbf800000, 0x3f800000}));
}

TEST(Float, Comparisons) {
  Operands pairs = pairsOf(floatEdges());
  struct Case {
    const char *name;
    bool (*apply)(float, float);
  };
  const Case cases[] = {
      {"eq", [](float a, float b) { return a == b; }},
      {"ne", [](float a, float b) { return a < b || a > b; }},
      {"lt", [](float a, float b) { return a < b; }},
      {"ge", [](float a, float b) { return a >= b; }},
      {"equ", [](float a, float b) { return !(a < b || a > b); }},
      {"neu", [](float a, float b) { return a != b; }},
      {"ltu", [](float a, float b) { return !(a >= b); }},
      {"leu", [](float a, float b) { return !(a > b); }},
      {"gtu", [](float a, float b) { return !(a <= b); }},
      {"geu", [](float a, float b) { return !(a < b); }},
      {"num", [](float a, float b) { return a == a && b == b; }},
      {"nan", [](float a, float b) { return a != a || b != b; }}};
  for (const Case &one : cases) {
    std::vector<uint64_t> got =
        evaluate("setp." + std::string(one.name) + ".f32 %pd, %a, %b;", "%pd",
                 pairs.a, pairs.b);
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_EQ(got[i], one.apply(single(pairs.a[i]), single(pairs.b[i])))
          << one.name << " " << single(pairs.a[i]) << " " << single(pairs.b[i]);
  }
}

TEST(Float, Doubles) {
  Operands pairs = pairsOf(doubleEdges());
  for (const Mode &mode : modes) {
    auto compare = [&](const std::string &code, auto operation) {
      std::vector<uint64_t> got = evaluate(code, "%dd", pairs.a, pairs.b);
      for (size_t i = 0; i < got.size(); ++i) {
        volatile double a = bits<double>(pairs.a[i]);
        volatile double b = bits<double>(pairs.b[i]);
        std::fesetround(mode.mode);
        volatile double expected = operation(a, b);
        std::fesetround(FE_TONEAREST);
        if (std::isnan(expected))
          ASSERT_TRUE(std::isnan(bits<double>(got[i]))) << code;
        else
          ASSERT_EQ(got[i], bits<uint64_t>(double(expected)))
              << code << " " << a << " " << b;
      }
    };
    std::string name = mode.name;
    compare("add" + name + ".f64 %dd, %ad, %bd;",
            [](volatile double &a, volatile double &b) { return a + b; });
    compare("mul" + name + ".f64 %dd, %ad, %bd;",
            [](volatile double &a, volatile double &b) { return a * b; });
    compare("div" + name + ".f64 %dd, %ad, %bd;",
            [](volatile double &a, volatile double &b) { return a / b; });
    compare("fma" + name + ".f64 %dd, %ad, %bd, %ad;",
            [](volatile double &a, volatile double &b) {
              return std::fma(double(a), double(b), double(a));
            });
  }
}

TEST(Float, Approximations) {
  std::vector<uint64_t> values;
  for (float x : {0.001f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 6.2f, 10.0f})
    values.push_back(ofSingle(x));
  struct Case {
    const char *code;
    double (*apply)(double);
    double error;
  };
  // Errors that the PTX ISA states; absolute for sin, cos, lg2.
  const Case cases[] = {
      {"ex2.approx.f32", [](double x) { return std::exp2(x); }, 0x1p-22},
      {"lg2.approx.f32", [](double x) { return std::log2(x); }, 0x1p-22},
      {"rsqrt.approx.f32", [](double x) { return 1 / std::sqrt(x); }, 0x1p-22},
      {"sin.approx.f32", [](double x) { return std::sin(x); }, 0x1p-20},
      {"cos.approx.f32", [](double x) { return std::cos(x); }, 0x1p-20},
      {"tanh.approx.f32", [](double x) { return std::tanh(x); }, 0x1p-11},
      {"rcp.approx.ftz.f32", [](double x) { return 1 / x; }, 0x1p-22}};
  for (const Case &one : cases) {
    std::vector<uint64_t> got =
        evaluate(std::string(one.code) + " %d, %a;", "%d", values);
    for (size_t i = 0; i < got.size(); ++i) {
      double expected = one.apply(single(values[i]));
      EXPECT_NEAR(single(got[i]), expected,
                  one.error * std::fmax(1, std::fabs(expected)))
          << one.code;
    }
  }
  EXPECT_EQ(evaluate("ex2.approx.f32 %d, %a;", "%d",
                     {0xff800000, 0x7f800000, 0x7fc00000, 0x80000000}),
            (std::vector<uint64_t>{0, 0x7f800000, 0x7fffffff, 0x3f800000}));
}

} // namespace
} // namespace ndl::test

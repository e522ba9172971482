//===- ExpandMathPow.cpp - x^y, by way of f64 -----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// x^y = 2^(y · log2 |x|), evaluated in f64: an f32 has at most 2^8 for the
// product, so a relative error of 2^-44 of the logarithm is one of 2^-36 in the
// result, which is then rounded to f32 once.
//
//===----------------------------------------------------------------------===//

#include "ExpandMath.h"

#include <limits>

using namespace mlir;
using namespace needle;
using arith::CmpFPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr int64_t kBias = 1023;

/// log2 x for x > 0, finite or not, given as f64 with a normal exponent; ±inf
/// at the ends. Relative error below 2^-44.
static Real emitLog2(ElementwiseBuilder &b, Real x) {
  // x = 2^e · m with m in [√½, √2).
  Value bits = b.bitsOf(x);
  constexpr int64_t sqrtHalf = 0x3fe6a09e667f3bcd, one = kBias << 52;
  Value offset = b.make<arith::AddIOp>(bits, b.i64(one - sqrtHalf));
  Value biased = b.make<arith::ShRUIOp>(offset, b.i64(52));
  // As an f64, without a conversion of 64-bit integers: 2^52 has it in its last
  // bits.
  constexpr int64_t twoTo52 = (kBias + 52) << 52;
  Real e = Real(b, b.fromBits(b.make<arith::OrIOp>(biased, b.i64(twoTo52)))) -
           (0x1.0p+52 + kBias);
  Value exponent = b.make<arith::SubIOp>(
      b.make<arith::ShLIOp>(biased, b.i64(52)), b.i64(one));
  Real f = Real(b, b.fromBits(b.make<arith::SubIOp>(bits, exponent))) - 1.0;

  // With s = f / (2 + f), log2(1 + f) = 2 artanh(s) / ln 2.
  Real s = f / (f + 2.0);
  Real square = s * s;
  Real series = square.polynomial({2.88539008177785, 0.9617966941134019,
                                   0.5770779423465943, 0.41220925433664757,
                                   0.31990561173358695, 0.28290144570830644});
  Value result = e + s * series;
  result = b.select(b.compare(CmpFPredicate::OEQ, x, b.f64(0.0)),
                    b.f64(-kInfinity), result);
  return {b, b.select(b.compare(CmpFPredicate::OEQ, x, b.f64(kInfinity)), x,
                      result)};
}

/// 2^x for |x| ≤ 1000, relative error below 2^-34; NaN of NaN.
static Real emitExp2(ElementwiseBuilder &b, Real x) {
  Real shifted = x + kRoundF64;
  Real rest = x - (shifted - kRoundF64);
  Real power = rest.polynomial(
      {0.9999999999616215, 0.6931471807287144, 0.24022651198754624,
       0.055504103528388596, 0.009618027172760796, 0.001333392285010186,
       0.00015469317310837328, 1.5201902357481663e-05});
  // The exponent lies in the low bits of the shifted value.
  Value exponent = b.make<arith::ShLIOp>(b.bitsOf(shifted), b.i64(52));
  Real scale(b,
             b.fromBits(b.make<arith::AddIOp>(exponent, b.i64(kBias << 52))));
  return power * scale;
}

namespace {
/// Whether a number is an integer, and an odd one.
struct Parity {
  Value isInteger;
  Value isOdd;
};
} // namespace

static Parity emitParity(ElementwiseBuilder &b, Real y) {
  // An f32 from 2^24 on is even. Below, rounding in f64 is exact.
  Real bounded(b,
               b.selectIf(CmpFPredicate::OLT, b.f64(0x1.0p+24), y.magnitude()));
  auto isWhole = [&](Real v) {
    return b.compare(CmpFPredicate::OEQ, (v + kRoundF64) - kRoundF64, v);
  };
  Value isInteger = isWhole(bounded), isEven = isWhole(bounded * 0.5);
  Value notEven = b.make<arith::XOrIOp>(isInteger, isEven);
  return {isInteger, notEven};
}

Value needle::expandPow(OpBuilder &builder, Location loc, Value base,
                        Value power) {
  ElementwiseBuilder b(builder, loc, base);
  Type f32 = builder.getF32Type(), f64 = builder.getF64Type();
  Real y(b, b.convert<arith::ExtFOp>(f64, power));
  Real x(b, b.convert<arith::ExtFOp>(f64, base));
  Real size = x.magnitude();
  Value isUnit = b.compare(CmpFPredicate::OEQ, size, b.f64(1.0));
  auto [isInteger, isOdd] = emitParity(b, y);

  // |x|^y. Beyond 2^±160 the result is 0 or infinite in f32.
  Value product = y * emitLog2(b, size);
  Real bounded(b, b.clampOrNaN(product, b.f64(-160.0), b.f64(160.0)));
  Value result = b.convert<arith::TruncFOp>(f32, emitExp2(b, bounded));
  // 1^±inf; the product was 0 · inf.
  result = b.select(isUnit, b.f32(1.0F), result);

  // The sign of x, under an odd power; NaN under a fraction of one.
  Value sign = b.make<arith::AndIOp>(
      b.bitsOf(base), b.i32(std::numeric_limits<int32_t>::min()));
  sign = b.select(isOdd, sign, b.i32(0));
  result = b.fromBits(b.make<arith::OrIOp>(b.bitsOf(result), sign));
  Value nan = b.f32(std::numeric_limits<float>::quiet_NaN());
  Value isNegative = b.make<arith::AndIOp>(
      b.compare(CmpFPredicate::OLT, x, b.f64(0.0)),
      b.compare(CmpFPredicate::OGT, x, b.f64(-kInfinity)));
  result = b.select(isInteger, result, b.select(isNegative, nan, result));
  result = b.select(b.compare(CmpFPredicate::UNO, base, power), nan, result);

  // x^0 and 1^y are 1, of NaN too.
  Value isOne =
      b.make<arith::OrIOp>(b.compare(CmpFPredicate::OEQ, power, b.f32(0.0F)),
                           b.compare(CmpFPredicate::OEQ, base, b.f32(1.0F)));
  return b.select(isOne, b.f32(1.0F), result);
}

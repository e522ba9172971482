//===- ExpandMathF32.cpp - exp, log and tanh in f32 -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Argument reduction after Cody and Waite (Software Manual for the Elementary
// Functions, 1980) and minimax polynomials, found with Remez' algorithm for the
// relative error of the whole function.
//
//===----------------------------------------------------------------------===//

#include "ExpandMath.h"

#include "mlir/IR/TypeUtilities.h"
#include <limits>

using namespace mlir;
using namespace needle;
using arith::CmpFPredicate;

/// ln 2 in two parts. The first has 10 bits, so that its product with any
/// exponent of an f32 is exact.
static constexpr double kLn2High = 0.693359375;
static constexpr double kLn2Low = -2.12194440e-4F;
static constexpr double kLog2E = 0x1.715476p+0;
static constexpr float kInfinity = std::numeric_limits<float>::infinity();

Real Real::constant(double x) const {
  bool isF32 = getElementTypeOrSelf(value).isF32();
  return {*b, isF32 ? b->f32(static_cast<float>(x)) : b->f64(x)};
}

Real Real::magnitude() const {
  bool isF32 = getElementTypeOrSelf(value).isF32();
  Value mask = isF32 ? b->i32(std::numeric_limits<int32_t>::max())
                     : b->i64(std::numeric_limits<int64_t>::max());
  return {*b, b->fromBits(b->make<arith::AndIOp>(b->bitsOf(value), mask))};
}

Real Real::polynomial(ArrayRef<double> coefficients) const {
  Real sum = constant(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = sum * *this + coefficient;
  return sum;
}

namespace {
/// x = exponent · ln 2 + rest with |rest| ≤ ln 2 / 2, and e^rest.
struct ReducedExp {
  Value exponent; ///< i32
  Real power;     ///< e^rest
};
} // namespace

/// Requires |x| < 2^22; a NaN gives a NaN and any exponent.
static ReducedExp reduceExp(ElementwiseBuilder &b, Real x) {
  Real shifted = x * kLog2E + kRoundF32;
  Real n = shifted - kRoundF32;
  Value exponent = b.make<arith::SubIOp>(b.bitsOf(shifted),
                                         b.bitsOf(shifted.constant(kRoundF32)));
  // The first difference is exact.
  Real rest = (x - n * kLn2High) - n * kLn2Low;
  // (e^r - 1 - r) / r^2 on |r| ≤ ln 2 / 2, off by less than 2^-28 of e^r.
  Real tail = rest.polynomial({0x1.fffffcp-2, 0x1.555490p-3, 0x1.5558f4p-5,
                               0x1.123a6cp-7, 0x1.6a2352p-10});
  Real power = (rest + (rest * rest) * tail) + 1.0;
  return {exponent, power};
}

/// 2^exponent for an exponent (i32) of a normal number.
static Real powerOfTwo(ElementwiseBuilder &b, Value exponent) {
  Value biased = b.make<arith::AddIOp>(exponent, b.i32(127));
  return {b, b.fromBits(b.make<arith::ShLIOp>(biased, b.i32(23)))};
}

Value needle::expandExp(OpBuilder &builder, Location loc, Value argument) {
  ElementwiseBuilder b(builder, loc, argument);
  // e^90 is beyond FLT_MAX, e^-105 below half the smallest denormal.
  Real x(b, b.clampOrNaN(argument, b.f32(-105.0F), b.f32(90.0F)));
  auto [exponent, power] = reduceExp(b, x);
  // The exponent may be that of no f32, its halves are. The first product is
  // exact; the second rounds denormals and overflows.
  Value half = b.make<arith::ShRSIOp>(exponent, b.i32(1));
  Value rest = b.make<arith::SubIOp>(exponent, half);
  return power * powerOfTwo(b, half) * powerOfTwo(b, rest);
}

Value needle::expandLog(OpBuilder &builder, Location loc, Value argument) {
  ElementwiseBuilder b(builder, loc, argument);
  // x = 2^e · (1 + f) with 1 + f in [√½, √2).
  Value isDenormal =
      b.compare(CmpFPredicate::OLT, argument, b.f32(0x1.0p-126F));
  Real x(b, argument);
  Value normal = b.select(isDenormal, x * 0x1.0p+23, argument);
  Value bits = b.bitsOf(normal);
  constexpr int32_t sqrtHalf = 0x3f3504f3, bias = 127;
  Value offset = b.make<arith::AddIOp>(bits, b.i32((bias << 23) - sqrtHalf));
  Value exponent = b.make<arith::SubIOp>(
      b.make<arith::ShRUIOp>(offset, b.i32(23)), b.i32(bias));
  Real f = Real(b, b.fromBits(b.make<arith::SubIOp>(
                       bits, b.make<arith::ShLIOp>(exponent, b.i32(23))))) -
           1.0;
  Real e = Real(b, b.toF32(exponent)) +
           Real(b, b.select(isDenormal, b.f32(-23.0F), b.f32(0.0F)));

  // log(1 + f) = f - f²/2 + f³ · q, q off by less than 2^-30 of the sum.
  Real square = f * f;
  Real q = f.polynomial({0x1.555548p-2, -0x1.000006p-2, 0x1.99a4b6p-3,
                         -0x1.555c4ep-3, 0x1.233776p-3, -0x1.fc220ap-4,
                         0x1.e6f06ap-4, -0x1.de3c04p-4, 0x1.145796p-4});
  // e · ln 2 + f, the rounding error of the sum kept: where e is not 0, its
  // term is the larger one [Dekker 1971].
  Real high = e * kLn2High;
  Real sum = high + f;
  Real lost = (high - sum) + f;
  Real rest = ((f * square) * q + e * kLn2Low) - square * 0.5;
  Value result = sum + (rest + lost);

  Value infinity = b.f32(kInfinity);
  result = b.select(b.compare(CmpFPredicate::OEQ, argument, infinity), argument,
                    result);
  result = b.select(b.compare(CmpFPredicate::OEQ, argument, b.f32(0.0F)),
                    b.f32(-kInfinity), result);
  Value isValid = b.compare(CmpFPredicate::OGE, argument, b.f32(0.0F));
  return b.select(isValid, result,
                  b.f32(std::numeric_limits<float>::quiet_NaN()));
}

Value needle::expandTanh(OpBuilder &builder, Location loc, Value argument) {
  ElementwiseBuilder b(builder, loc, argument);
  constexpr float middle = 0.55F;
  Real x = Real(b, argument).magnitude();
  // x + x³ · q, off by less than 2^-29 of tanh x for x < 0.55.
  Real square = x * x;
  Real q = square.polynomial({-0x1.55554ap-2, 0x1.110d26p-3, -0x1.b92878p-5,
                              0x1.593d08p-6, -0x1.9b3046p-8});
  Real small = x + (x * square) * q;
  // 1 - 2 / (e^2x + 1), which is 1 from x = 9.02 on.
  Real doubled(b, b.clampOrNaN(x + x, b.f32(0.0F), b.f32(18.5F)));
  auto [exponent, power] = reduceExp(b, doubled);
  Real sum = power * powerOfTwo(b, exponent) + 1.0;
  Real large = sum.constant(1.0) - sum.constant(2.0) / sum;
  Value result =
      b.select(b.compare(CmpFPredicate::OLT, x, b.f32(middle)), small, large);
  // The sign of the argument; tanh is odd.
  Value sign = b.make<arith::AndIOp>(
      b.bitsOf(argument), b.i32(std::numeric_limits<int32_t>::min()));
  return b.fromBits(b.make<arith::OrIOp>(b.bitsOf(result), sign));
}

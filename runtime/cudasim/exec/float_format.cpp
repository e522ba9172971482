// Numbers in the floating-point formats of the device, rounded exactly.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/float_format.h"

namespace ndl::cudasim {
namespace {

bool roundsUp(Rounding rounding, bool negative, bool isOdd, bool half,
              bool rest) {
  switch (rounding) {
  case Rounding::NearestEven:
    return half && (rest || isOdd);
  case Rounding::NearestAway:
    return half;
  case Rounding::TowardZero:
    return false;
  case Rounding::Down:
    return negative && (half || rest);
  case Rounding::Up:
    return !negative && (half || rest);
  }
  return false;
}

} // namespace

uint64_t roundToFormat(bool negative, uint64_t significand, int exponent,
                       FloatFormat format, Rounding rounding) {
  unsigned mantissaBits = format.mantissaBits;
  uint64_t sign = uint64_t(negative) << (format.exponentBits + mantissaBits);
  if (significand == 0)
    return sign;
  int leading = __builtin_clzll(significand);
  significand <<= leading;
  // The exponent of the first bit.
  int top = exponent - leading + 63;
  int bias = (1 << (format.exponentBits - 1)) - 1;
  bool isDenormal = top < 1 - bias;
  int keep =
      static_cast<int>(mantissaBits) + 1 - (isDenormal ? 1 - bias - top : 0);
  uint64_t kept = keep <= 0 ? 0 : significand >> (64 - keep);
  bool half = keep >= 0 && (significand << keep) >> 63;
  bool rest = keep < 0 || (keep == 63 ? false : significand << (keep + 1) != 0);
  kept += roundsUp(rounding, negative, kept & 1, half, rest);
  // A carry out of the mantissa runs into the exponent, as it should.
  uint64_t bits = isDenormal
                      ? kept
                      : (static_cast<uint64_t>(top + bias) << mantissaBits) +
                            kept - (uint64_t(1) << mantissaBits);
  uint64_t infinity = ((uint64_t(1) << format.exponentBits) - 1)
                      << mantissaBits;
  if (bits >= infinity) {
    bool isFinite = rounding == Rounding::TowardZero ||
                    (rounding == Rounding::Down && !negative) ||
                    (rounding == Rounding::Up && negative);
    bits = isFinite ? infinity - 1 : infinity;
  }
  return sign | bits;
}

uint64_t roundToFormat(double value, FloatFormat format, Rounding rounding) {
  auto bits = bitCast<uint64_t>(value);
  bool negative = bits >> 63;
  int exponent = static_cast<int>(bits >> 52 & 0x7ff);
  uint64_t mantissa = bits & ((uint64_t(1) << 52) - 1);
  unsigned width = format.exponentBits + format.mantissaBits;
  uint64_t infinity = ((uint64_t(1) << format.exponentBits) - 1)
                      << format.mantissaBits;
  if (exponent == 0x7ff)
    return mantissa ? (uint64_t(1) << width) - 1
                    : (uint64_t(negative) << width) | infinity;
  if (exponent == 0)
    return roundToFormat(negative, mantissa, -1074, format, rounding);
  return roundToFormat(negative, mantissa | uint64_t(1) << 52, exponent - 1075,
                       format, rounding);
}

double addToOdd(double a, double b) {
  double sum = a + b;
  if (!std::isfinite(sum))
    return sum;
  double part = sum - a;
  double error = (a - (sum - part)) + (b - part);
  auto bits = bitCast<uint64_t>(sum);
  if (error == 0 || (bits & 1))
    return sum;
  // Toward the error: away from zero if it has the sum's sign.
  bool isAway = (error > 0) == (sum > 0);
  return bitCast<double>(isAway ? bits + 1 : bits - 1);
}

} // namespace ndl::cudasim

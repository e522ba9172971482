// Numbers in the floating-point formats of the device, rounded exactly.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_FLOAT_FORMAT_H
#define NEEDLE_CUDASIM_EXEC_FLOAT_FORMAT_H

#include "exec/lanes.h"

#include <cmath>
#include <cstdint>

namespace ndl::cudasim {

/// .rn .rz .rm .rp, and .rna (ties away from zero) of tf32.
enum class Rounding : uint8_t {
  NearestEven,
  TowardZero,
  Down,
  Up,
  NearestAway
};

struct FloatFormat {
  unsigned exponentBits;
  unsigned mantissaBits;
};
constexpr FloatFormat formatF16 = {5, 10};
constexpr FloatFormat formatBF16 = {8, 7};
constexpr FloatFormat formatTF32 = {8, 10};
constexpr FloatFormat formatF32 = {8, 23};
constexpr FloatFormat formatF64 = {11, 52};

/// The number (-1)^negative * significand * 2^exponent, rounded once.
uint64_t roundToFormat(bool negative, uint64_t significand, int exponent,
                       FloatFormat format, Rounding rounding);
/// NaN becomes canonical: all ones but for the sign.
uint64_t roundToFormat(double value, FloatFormat format, Rounding rounding);

inline float halfToFloat(uint16_t half) {
  uint32_t sign = uint32_t(half & 0x8000) << 16;
  uint32_t magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00)
    return bitCast<float>(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  // Exact for denormal numbers too: a multiplication by a power of two.
  float scaled = bitCast<float>(magnitude << 13) * 0x1p112f;
  return bitCast<float>(sign | bitCast<uint32_t>(scaled));
}

inline float bf16ToFloat(uint16_t half) {
  return bitCast<float>(uint32_t(half) << 16);
}

/// Also of integers, which never are.
template <typename T>
bool isNan(T value) {
  if constexpr (std::is_floating_point_v<T>)
    return std::isnan(value);
  else
    return false;
}

/// f32 results that are not a number have this value: "Floating-Point
/// Instructions" in the PTX ISA.
inline float canonical(float value) {
  return isNan(value) ? bitCast<float>(0x7fffffffu) : value;
}
inline double canonical(double value) { return value; }

/// .ftz: denormal numbers are zero with their sign.
inline float flush(float value) {
  return std::fabs(value) < 0x1p-126f ? std::copysign(0.0f, value) : value;
}
inline double flush(double value) { return value; }

/// .sat: to [0, 1], with 0 for NaN.
template <typename T>
T saturate(T value) {
  return value > 0 ? (value < 1 ? value : T(1)) : T(0);
}

/// a + b rounded to odd: the last bit says whether the sum is inexact, so that
/// rounding it again to a format with at least two bits less is as good as
/// rounding the exact sum (Boldo and Melquiond).
double addToOdd(double a, double b);

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_FLOAT_FORMAT_H

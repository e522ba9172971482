// Integer helpers without undefined behaviour.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_INTEGERS_H
#define NEEDLE_CUDASIM_EXEC_INTEGERS_H

#include "exec/lanes.h"

#include <cstdint>
#include <limits>
#include <type_traits>

namespace ndl::cudasim {

/// Options of instructions with carry.
enum : uint32_t {
  takesCarry = 1,
  setsCarry = 2,
  subtractsCarry = 4,
  highHalf = 8
};

template <typename T>
struct Wider;
template <>
struct Wider<uint16_t> {
  using Type = uint32_t;
};
template <>
struct Wider<int16_t> {
  using Type = int32_t;
};
template <>
struct Wider<uint32_t> {
  using Type = uint64_t;
};
template <>
struct Wider<int32_t> {
  using Type = int64_t;
};
template <typename T>
using WiderOf = typename Wider<T>::Type;

/// The smallest number is its own negative.
template <typename T>
T negate(T a) {
  return static_cast<T>(BitsOf<T>(0) - static_cast<BitsOf<T>>(a));
}

template <typename T>
T mulHigh(T a, T b) {
  if constexpr (sizeof(T) == 8) {
    using Product =
        std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
    return static_cast<T>((static_cast<Product>(a) * b) >> 64);
  } else {
    return static_cast<T>((static_cast<WiderOf<T>>(a) * b) >> (8 * sizeof(T)));
  }
}

template <typename T>
T clampTo(int64_t value) {
  constexpr int64_t low = std::numeric_limits<T>::min();
  constexpr int64_t high = std::numeric_limits<T>::max();
  return static_cast<T>(value < low ? low : value > high ? high : value);
}

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_INTEGERS_H

// Access to the values of an operand, lane by lane.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_LANES_H
#define NEEDLE_CUDASIM_EXEC_LANES_H

#include "exec/warp.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace ndl::cudasim {

inline unsigned lowestLane(uint32_t mask) {
  return static_cast<unsigned>(__builtin_ctz(mask));
}

inline std::string hex(uint64_t value) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  do
    text.insert(text.begin(), digits[value & 15]);
  while (value >>= 4);
  return "0x" + text;
}

/// The unsigned type of a type's size.
template <typename T>
using BitsOf = std::conditional_t<
    sizeof(T) == 1, uint8_t,
    std::conditional_t<sizeof(T) == 2, uint16_t,
                       std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;

template <typename To, typename From>
To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

/// What a register of T takes: values of 8 and 16 bits use 32.
template <typename T>
using CellOf = std::conditional_t<sizeof(T) <= 4, uint32_t, uint64_t>;

template <typename T>
T lane(const uint8_t *data, unsigned lane) {
  T value;
  std::memcpy(&value, data + lane * sizeof(CellOf<T>), sizeof value);
  return value;
}

/// Bits above those of T become 0.
template <typename T>
void setLane(uint8_t *data, unsigned lane, T value) {
  CellOf<T> cell = bitCast<BitsOf<T>>(value);
  std::memcpy(data + lane * sizeof cell, &cell, sizeof cell);
}

/// The low bits of an operand that may be wider than the instruction's type.
inline uint64_t wideLane(const uint8_t *data, uint8_t stride, unsigned lane) {
  uint64_t value = 0;
  if (stride == 8)
    std::memcpy(&value, data + size_t(lane) * 8, 8);
  else
    std::memcpy(&value, data + size_t(lane) * 4, 4);
  return value;
}
inline void setWideLane(uint8_t *data, uint8_t stride, unsigned lane,
                        uint64_t value) {
  if (stride == 8)
    std::memcpy(data + size_t(lane) * 8, &value, 8);
  else
    std::memcpy(data + size_t(lane) * 4, &value, 4);
}

/// Sets the lanes in `mask` of a register to value(lane). All values are made
/// before any is stored if all lanes are active, so that the loop is one that
/// compilers vectorize.
template <typename T, typename Value>
void setLanes(Warp &warp, const Slot &slot, uint32_t mask, Value value) {
  uint8_t *data = warp.data(slot);
  if (mask == allLanes) {
    CellOf<T> cells[warpSize];
    for (unsigned i = 0; i < warpSize; ++i)
      cells[i] = bitCast<BitsOf<T>>(static_cast<T>(value(i)));
    std::memcpy(data, cells, sizeof cells);
    return;
  }
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned i = lowestLane(m);
    setLane<T>(data, i, static_cast<T>(value(i)));
  }
}

/// A handler: slot 0 = Op::apply(slot 1), in T.
template <typename T, typename Op, typename A = T>
Flow unary(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  setLanes<T>(warp, instr.slots[0], mask,
              [&](unsigned i) { return Op::apply(lane<A>(a, i)); });
  return Flow::Next;
}

template <typename T, typename Op, typename A = T, typename B = A>
Flow binary(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  const uint8_t *b = warp.data(instr.slots[2]);
  setLanes<T>(warp, instr.slots[0], mask, [&](unsigned i) {
    return Op::apply(lane<A>(a, i), lane<B>(b, i));
  });
  return Flow::Next;
}

template <typename T, typename Op, typename A = T, typename B = A,
          typename C = T>
Flow ternary(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  const uint8_t *b = warp.data(instr.slots[2]);
  const uint8_t *c = warp.data(instr.slots[3]);
  setLanes<T>(warp, instr.slots[0], mask, [&](unsigned i) {
    return Op::apply(lane<A>(a, i), lane<B>(b, i), lane<C>(c, i));
  });
  return Flow::Next;
}

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_LANES_H

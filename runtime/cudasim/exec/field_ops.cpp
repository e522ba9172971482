// Bit fields, byte permutations and logic by table.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/lanes.h"

#include <algorithm>

namespace ndl::cudasim {
namespace {

/// "bfe": position and length are taken from the low 8 bits.
struct ExtractField {
  template <typename T>
  static T apply(T a, uint32_t b, uint32_t c) {
    constexpr uint32_t top = 8 * sizeof(T) - 1;
    uint32_t position = b & 0xff, length = c & 0xff;
    using Bits = BitsOf<T>;
    auto bits = static_cast<Bits>(a);
    bool sign = false;
    if (std::is_signed_v<T> && length != 0)
      sign = bits >> std::min(position + length - 1, top) & 1;
    Bits field = position > top ? 0 : static_cast<Bits>(bits >> position);
    uint32_t have = position > top ? 0 : std::min(length, top + 1 - position);
    Bits mask = have > top ? static_cast<Bits>(~Bits(0))
                           : static_cast<Bits>((Bits(1) << have) - 1);
    Bits fill = sign ? static_cast<Bits>(~mask) : Bits(0);
    return static_cast<T>((field & mask) | fill);
  }
};

template <typename T>
Flow insertField(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]), *b = warp.data(instr.slots[2]);
  const uint8_t *c = warp.data(instr.slots[3]), *d = warp.data(instr.slots[4]);
  setLanes<T>(warp, instr.slots[0], mask, [&](unsigned i) {
    uint32_t position = lane<uint32_t>(c, i) & 0xff;
    uint32_t length = lane<uint32_t>(d, i) & 0xff;
    constexpr uint32_t width = 8 * sizeof(T);
    T base = lane<T>(b, i);
    if (length == 0 || position >= width)
      return base;
    T field = length >= width ? T(~T(0)) : T((T(1) << length) - 1);
    T place = T(field << position);
    return T((base & ~place) | (T(lane<T>(a, i) << position) & place));
  });
  return Flow::Next;
}

Flow logic3(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]), *b = warp.data(instr.slots[2]);
  const uint8_t *c = warp.data(instr.slots[3]);
  // Bit 4a + 2b + c of the table is the result: "lop3" in the PTX ISA.
  uint32_t select[8];
  for (unsigned i = 0; i < 8; ++i)
    select[i] = instr.options >> i & 1 ? allLanes : 0;
  setLanes<uint32_t>(warp, instr.slots[0], mask, [&](unsigned i) {
    auto x = lane<uint32_t>(a, i), y = lane<uint32_t>(b, i);
    auto z = lane<uint32_t>(c, i);
    uint32_t zero = (~y & ((~z & select[0]) | (z & select[1]))) |
                    (y & ((~z & select[2]) | (z & select[3])));
    uint32_t one = (~y & ((~z & select[4]) | (z & select[5]))) |
                   (y & ((~z & select[6]) | (z & select[7])));
    return (~x & zero) | (x & one);
  });
  return Flow::Next;
}

/// "prmt": each result byte is one of the eight of b:a.
uint32_t permute(uint32_t a, uint32_t b, uint32_t selectors) {
  uint64_t both = uint64_t(b) << 32 | a;
  uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    uint32_t selector = selectors >> (4 * i);
    auto byte = static_cast<uint8_t>(both >> (8 * (selector & 7)));
    if (selector & 8)
      byte = byte & 0x80 ? 0xff : 0;
    result |= uint32_t(byte) << (8 * i);
  }
  return result;
}

/// The selectors that the named modes stand for, by the low bits of c.
uint32_t selectorsOf(unsigned mode, uint32_t c) {
  constexpr uint32_t table[6][4] = {
      {0x3210, 0x4321, 0x5432, 0x6543}, // f4e
      {0x5670, 0x6701, 0x7012, 0x0123}, // b4e
      {0x0000, 0x1111, 0x2222, 0x3333}, // rc8
      {0x3210, 0x3211, 0x3222, 0x3333}, // ecl
      {0x0000, 0x1110, 0x2210, 0x3210}, // ecr
      {0x1010, 0x3232, 0x1010, 0x3232}  // rc16
  };
  return mode == 0 ? c : table[mode - 1][c & 3];
}

Flow permuteBytes(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]), *b = warp.data(instr.slots[2]);
  const uint8_t *c = warp.data(instr.slots[3]);
  setLanes<uint32_t>(warp, instr.slots[0], mask, [&](unsigned i) {
    return permute(lane<uint32_t>(a, i), lane<uint32_t>(b, i),
                   selectorsOf(instr.options, lane<uint32_t>(c, i)));
  });
  return Flow::Next;
}

/// "szext": the low b bits with sign or zeros above; "bmsk": b ones from a.
template <bool Signed, bool Wrap>
struct ExtendSign {
  static uint32_t apply(uint32_t a, uint32_t b) {
    uint32_t width = Wrap ? b & 31 : std::min(b, 32u);
    if (width == 0)
      return 0;
    if (width == 32)
      return a;
    uint32_t mask = (uint32_t(1) << width) - 1;
    bool fill = Signed && (a >> (width - 1) & 1);
    return fill ? a | ~mask : a & mask;
  }
};
template <bool Wrap>
struct MakeMask {
  static uint32_t apply(uint32_t a, uint32_t b) {
    uint32_t start = Wrap ? a & 31 : std::min(a, 32u);
    uint32_t width = Wrap ? b & 31 : std::min(b, 32u);
    uint64_t ones = (uint64_t(1) << width) - 1;
    return static_cast<uint32_t>(ones << start);
  }
};

} // namespace

bool decodeBfe(Decoder &d) {
  Type type = d.takeType();
  if (!d.hasOperands(4) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, Type::U32) ||
      !d.source(3, 3, Type::U32))
    return false;
  switch (type) {
  case Type::U32:
    return d.finish(
        ternary<uint32_t, ExtractField, uint32_t, uint32_t, uint32_t>);
  case Type::S32:
    return d.finish(
        ternary<int32_t, ExtractField, int32_t, uint32_t, uint32_t>);
  case Type::U64:
    return d.finish(
        ternary<uint64_t, ExtractField, uint64_t, uint32_t, uint32_t>);
  case Type::S64:
    return d.finish(
        ternary<int64_t, ExtractField, int64_t, uint32_t, uint32_t>);
  default:
    return d.finish(nullptr);
  }
}

bool decodeBfi(Decoder &d) {
  Type type = d.takeType();
  if (!d.hasOperands(5) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, type) ||
      !d.source(3, 3, Type::U32) || !d.source(4, 4, Type::U32))
    return false;
  return d.finish(type == Type::B32   ? insertField<uint32_t>
                  : type == Type::B64 ? insertField<uint64_t>
                                      : nullptr);
}

bool decodeLop3(Decoder &d) {
  Type type = d.takeType();
  if (type != Type::B32 || !d.hasOperands(5))
    return type != Type::B32 ? d.fail("only lop3.b32 is supported") : false;
  const ptx::Operand &table = d.in().operands[4];
  if (table.kind != ptx::Operand::Kind::Integer || table.value < 0 ||
      table.value > 255)
    return d.fail("the table must be a constant from 0 to 255");
  d.out().options = static_cast<uint32_t>(table.value);
  return d.destination(0, 0, type) && d.source(1, 1, type) &&
         d.source(2, 2, type) && d.source(3, 3, type) && d.finish(logic3);
}

bool decodePrmt(Decoder &d) {
  Type type = d.takeType();
  int mode = d.takeOneOf({".f4e", ".b4e", ".rc8", ".ecl", ".ecr", ".rc16"});
  if (type != Type::B32)
    return d.fail("only prmt.b32 is supported");
  d.out().options = static_cast<uint32_t>(mode + 1);
  return d.hasOperands(4) && d.destination(0, 0, type) &&
         d.source(1, 1, type) && d.source(2, 2, type) && d.source(3, 3, type) &&
         d.finish(permuteBytes);
}

bool decodeSzext(Decoder &d) {
  int mode = d.takeOneOf({".clamp", ".wrap"});
  Type type = d.takeType();
  if (mode < 0 || !d.hasOperands(3) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, Type::U32))
    return mode < 0 ? d.fail("one of .clamp and .wrap is needed") : false;
  if (d.in().opcode == "bmsk")
    return d.finish(type != Type::B32 ? nullptr
                    : mode            ? binary<uint32_t, MakeMask<true>>
                                      : binary<uint32_t, MakeMask<false>>);
  if (type == Type::S32)
    return d.finish(mode ? binary<uint32_t, ExtendSign<true, true>>
                         : binary<uint32_t, ExtendSign<true, false>>);
  if (type == Type::U32)
    return d.finish(mode ? binary<uint32_t, ExtendSign<false, true>>
                         : binary<uint32_t, ExtendSign<false, false>>);
  return d.finish(nullptr);
}

} // namespace ndl::cudasim

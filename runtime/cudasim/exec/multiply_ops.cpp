// Integer products: mul, mad, mul24, mad24.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/float_families.h"
#include "exec/integer_handlers.h"
#include "exec/integers.h"

namespace ndl::cudasim {
namespace {

struct Mul {
  // uint16_t would become int.
  template <typename T>
  static T apply(T a, T b) {
    return static_cast<T>(static_cast<uint64_t>(a) * b);
  }
  static uint32_t apply(uint32_t a, uint32_t b) { return a * b; }
};
struct MulHigh {
  template <typename T>
  static T apply(T a, T b) {
    return mulHigh(a, b);
  }
};
struct MulWide {
  template <typename T>
  static WiderOf<T> apply(T a, T b) {
    return static_cast<WiderOf<T>>(a) * static_cast<WiderOf<T>>(b);
  }
};
struct MadLow {
  template <typename T>
  static T apply(T a, T b, T c) {
    return static_cast<T>(Mul::apply(a, b) + c);
  }
};
struct MadHigh {
  template <typename T>
  static T apply(T a, T b, T c) {
    return static_cast<T>(static_cast<BitsOf<T>>(
        static_cast<BitsOf<T>>(mulHigh(a, b)) + static_cast<BitsOf<T>>(c)));
  }
};
struct MadHighSat {
  static int32_t apply(int32_t a, int32_t b, int32_t c) {
    return clampTo<int32_t>(int64_t(mulHigh(a, b)) + c);
  }
};
struct MadWide {
  template <typename T>
  static BitsOf<WiderOf<T>> apply(T a, T b, BitsOf<WiderOf<T>> c) {
    return static_cast<BitsOf<WiderOf<T>>>(
        static_cast<BitsOf<WiderOf<T>>>(MulWide::apply(a, b)) + c);
  }
};

/// The low 24 bits, with their sign for s32.
template <typename T>
int64_t low24(T a) {
  auto bits = static_cast<uint32_t>(a) << 8;
  return std::is_signed_v<T> ? int64_t(static_cast<int32_t>(bits) >> 8)
                             : int64_t(bits >> 8);
}
/// "mul24" in the PTX ISA: bits 0…31 or 16…47 of the product of 48 bits.
struct Mul24Low {
  template <typename T>
  static T apply(T a, T b) {
    return static_cast<T>(low24(a) * low24(b));
  }
};
struct Mul24High {
  template <typename T>
  static T apply(T a, T b) {
    return static_cast<T>((low24(a) * low24(b)) >> 16);
  }
};
template <typename Product>
struct Mad24 {
  template <typename T>
  static T apply(T a, T b, T c) {
    return static_cast<T>(static_cast<uint32_t>(Product::apply(a, b)) +
                          static_cast<uint32_t>(c));
  }
};

/// mad.cc and madc: the product is in T, added as without sign.
template <typename T>
Flow madCarry(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  const uint8_t *b = warp.data(instr.slots[2]);
  const uint8_t *c = warp.data(instr.slots[3]);
  using Bits = BitsOf<T>;
  bool takes = instr.options & takesCarry, sets = instr.options & setsCarry;
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned i = lowestLane(m);
    uint32_t bit = uint32_t(1) << i;
    T x = lane<T>(a, i), y = lane<T>(b, i);
    unsigned __int128 product =
        instr.options & highHalf ? static_cast<Bits>(mulHigh(x, y))
                                 : static_cast<Bits>(static_cast<uint64_t>(x) *
                                                     static_cast<uint64_t>(y));
    unsigned __int128 sum = product + static_cast<Bits>(lane<T>(c, i)) +
                            (takes && (warp.carry & bit) ? 1 : 0);
    if (sets)
      warp.setCarry(i, (sum >> (8 * sizeof(T))) & 1);
    setLane<Bits>(warp.data(instr.slots[0]), i, static_cast<Bits>(sum));
  }
  return Flow::Next;
}

template <typename Op>
Handler wideHandler(Type type) {
  switch (type) {
  case Type::U16:
    return binary<uint32_t, Op, uint16_t>;
  case Type::S16:
    return binary<int32_t, Op, int16_t>;
  case Type::U32:
    return binary<uint64_t, Op, uint32_t>;
  case Type::S32:
    return binary<int64_t, Op, int32_t>;
  default:
    return nullptr;
  }
}

Handler madHandler(Type type, int part) {
  if (part == 0) {
    switch (bitsOf(type)) {
    case 16:
      return ternary<uint16_t, MadLow>;
    case 32:
      return ternary<uint32_t, MadLow>;
    default:
      return ternary<uint64_t, MadLow>;
    }
  }
  switch (type) {
  case Type::U16:
    return part == 1 ? ternary<uint16_t, MadHigh>
                     : ternary<uint32_t, MadWide, uint16_t>;
  case Type::S16:
    return part == 1 ? ternary<int16_t, MadHigh>
                     : ternary<uint32_t, MadWide, int16_t>;
  case Type::U32:
    return part == 1 ? ternary<uint32_t, MadHigh>
                     : ternary<uint64_t, MadWide, uint32_t>;
  case Type::S32:
    return part == 1 ? ternary<int32_t, MadHigh>
                     : ternary<uint64_t, MadWide, int32_t>;
  case Type::U64:
    return part == 1 ? ternary<uint64_t, MadHigh> : nullptr;
  case Type::S64:
    return part == 1 ? ternary<int64_t, MadHigh> : nullptr;
  default:
    return nullptr;
  }
}

Type widerType(Type type) {
  switch (type) {
  case Type::U16:
    return Type::U32;
  case Type::S16:
    return Type::S32;
  case Type::U32:
    return Type::U64;
  case Type::S32:
    return Type::S64;
  default:
    return type;
  }
}

bool isSizedInteger(Type type) {
  return (isSigned(type) || isUnsigned(type)) && bitsOf(type) >= 16;
}

Handler madCarryHandler(Type type) {
  switch (type) {
  case Type::U32:
    return madCarry<uint32_t>;
  case Type::S32:
    return madCarry<int32_t>;
  case Type::U64:
    return madCarry<uint64_t>;
  case Type::S64:
    return madCarry<int64_t>;
  default:
    return nullptr;
  }
}

} // namespace

bool decodeMul(Decoder &d) {
  if (isFloatInstruction(d))
    return decodeFloatArithmetic(d);
  int part = d.takeOneOf({".lo", ".hi", ".wide"});
  Type type = d.takeType();
  if (part < 0 || !isSizedInteger(type))
    return d.fail("one of .lo, .hi and .wide and an integer type are needed");
  Type result = part == 2 ? widerType(type) : type;
  if (!d.hasOperands(3) || !d.destination(0, 0, result) ||
      !d.source(1, 1, type) || !d.source(2, 2, type))
    return false;
  return d.finish(part == 0   ? eitherSign<Mul>(type)
                  : part == 1 ? bothSigns<MulHigh>(type)
                              : wideHandler<MulWide>(type));
}

bool decodeMad(Decoder &d) {
  if (isFloatInstruction(d))
    return decodeFloatArithmetic(d);
  bool takesFlag = d.in().opcode == "madc";
  bool saturates = d.take(".sat"), setsFlag = d.take(".cc");
  int part = d.takeOneOf({".lo", ".hi", ".wide"});
  Type type = d.takeType();
  if (part < 0 || !isSizedInteger(type))
    return d.fail("one of .lo, .hi and .wide and an integer type are needed");
  Type result = part == 2 ? widerType(type) : type;
  if (!d.hasOperands(4) || !d.destination(0, 0, result) ||
      !d.source(1, 1, type) || !d.source(2, 2, type) || !d.source(3, 3, result))
    return false;
  if (takesFlag || setsFlag) {
    d.out().options = (takesFlag ? uint32_t(takesCarry) : 0) |
                      (setsFlag ? uint32_t(setsCarry) : 0) |
                      (part == 1 ? uint32_t(highHalf) : 0);
    return d.finish(part == 2 || saturates ? nullptr : madCarryHandler(type));
  }
  if (saturates)
    return d.finish(type == Type::S32 && part == 1
                        ? ternary<int32_t, MadHighSat>
                        : nullptr);
  return d.finish(madHandler(type, part));
}

bool decodeMul24(Decoder &d) {
  int part = d.takeOneOf({".lo", ".hi"});
  Type type = d.takeType();
  if (part < 0 || !threeOperands(d, type))
    return part < 0 ? d.fail("one of .lo and .hi is needed") : false;
  if (type == Type::U32)
    return d.finish(part == 0 ? binary<uint32_t, Mul24Low>
                              : binary<uint32_t, Mul24High>);
  if (type == Type::S32)
    return d.finish(part == 0 ? binary<int32_t, Mul24Low>
                              : binary<int32_t, Mul24High>);
  return d.finish(nullptr);
}

bool decodeMad24(Decoder &d) {
  int part = d.takeOneOf({".lo", ".hi"});
  Type type = d.takeType();
  if (part < 0)
    return d.fail("one of .lo and .hi is needed");
  if (!d.hasOperands(4) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, type) || !d.source(3, 3, type))
    return false;
  if (type == Type::U32)
    return d.finish(part == 0 ? ternary<uint32_t, Mad24<Mul24Low>>
                              : ternary<uint32_t, Mad24<Mul24High>>);
  if (type == Type::S32)
    return d.finish(part == 0 ? ternary<int32_t, Mad24<Mul24Low>>
                              : ternary<int32_t, Mad24<Mul24High>>);
  return d.finish(nullptr);
}

} // namespace ndl::cudasim

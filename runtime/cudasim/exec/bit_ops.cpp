// Logic, shifts and counts of bits.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/integer_handlers.h"
#include "exec/lanes.h"

#include <algorithm>

namespace ndl::cudasim {
namespace {

struct And {
  template <typename T>
  static T apply(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <typename T>
  static T apply(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  template <typename T>
  static T apply(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};
struct Not {
  template <typename T>
  static T apply(T a) {
    return static_cast<T>(~a);
  }
};
struct CNot {
  template <typename T>
  static T apply(T a) {
    return a == 0;
  }
};

// "shl", "shr" in the PTX ISA: amounts above the width are clamped to it.
struct ShiftLeft {
  template <typename T>
  static T apply(T a, uint32_t b) {
    return b >= 8 * sizeof(T) ? T(0) : static_cast<T>(uint64_t(a) << b);
  }
};
struct ShiftRight {
  template <typename T>
  static T apply(T a, uint32_t b) {
    constexpr uint32_t width = 8 * sizeof(T);
    if (b >= width && !std::is_signed_v<T>)
      return 0;
    return static_cast<T>(a >> std::min(b, width - 1));
  }
};

// "shf": the double word c:b… of which one word is taken.
struct FunnelLeftClamp {
  static uint32_t apply(uint32_t low, uint32_t high, uint32_t amount) {
    uint64_t both = uint64_t(high) << 32 | low;
    return static_cast<uint32_t>((both << std::min(amount, 32u)) >> 32);
  }
};
struct FunnelLeftWrap {
  static uint32_t apply(uint32_t low, uint32_t high, uint32_t amount) {
    return FunnelLeftClamp::apply(low, high, amount & 31);
  }
};
struct FunnelRightClamp {
  static uint32_t apply(uint32_t low, uint32_t high, uint32_t amount) {
    uint64_t both = uint64_t(high) << 32 | low;
    return static_cast<uint32_t>(both >> std::min(amount, 32u));
  }
};
struct FunnelRightWrap {
  static uint32_t apply(uint32_t low, uint32_t high, uint32_t amount) {
    return FunnelRightClamp::apply(low, high, amount & 31);
  }
};

struct ReverseBits {
  template <typename T>
  static T apply(T a) {
    T result = 0;
    for (unsigned i = 0; i < 8 * sizeof(T); ++i)
      result =
          static_cast<T>(result | ((a >> i & 1) << (8 * sizeof(T) - 1 - i)));
    return result;
  }
};
struct CountLeadingZeros {
  static uint32_t apply(uint32_t a) {
    return a ? static_cast<uint32_t>(__builtin_clz(a)) : 32;
  }
  static uint32_t apply(uint64_t a) {
    return a ? static_cast<uint32_t>(__builtin_clzll(a)) : 64;
  }
};
struct PopulationCount {
  template <typename T>
  static uint32_t apply(T a) {
    return static_cast<uint32_t>(__builtin_popcountll(a));
  }
};

/// "bfind": the highest bit that is not the sign, or all ones.
template <bool Shift>
struct FindLeading {
  template <typename T>
  static uint32_t apply(T a) {
    auto bits = static_cast<BitsOf<T>>(std::is_signed_v<T> && a < 0 ? ~a : a);
    if (bits == 0)
      return 0xffffffff;
    uint32_t position = 63 - static_cast<uint32_t>(__builtin_clzll(bits));
    return Shift ? 8 * static_cast<uint32_t>(sizeof(T)) - 1 - position
                 : position;
  }
};

/// and, or, xor, not of predicates: options is the operation.
Flow predicateLogic(Warp &warp, const Instr &instr, uint32_t mask) {
  uint32_t a = warp.predicate(instr.slots[1]);
  uint32_t b = instr.slots[2].exists() ? warp.predicate(instr.slots[2]) : 0;
  uint32_t value = instr.options == 0   ? a & b
                   : instr.options == 1 ? a | b
                   : instr.options == 2 ? a ^ b
                                        : ~a;
  warp.setPredicate(instr.slots[0], mask, value);
  return Flow::Next;
}

template <typename Op>
Handler untypedBinary(Type type) {
  return isUntyped(type) ? ofWidth<Op>(bitsOf(type)) : nullptr;
}

template <typename Op>
Handler untypedUnary(Type type) {
  switch (type) {
  case Type::B16:
    return unary<uint16_t, Op>;
  case Type::B32:
    return unary<uint32_t, Op>;
  case Type::B64:
    return unary<uint64_t, Op>;
  default:
    return nullptr;
  }
}

} // namespace

bool decodeLogic(Decoder &d) {
  Type type = d.takeType();
  if (!d.hasOperands(3) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, type))
    return false;
  char which = d.in().opcode[0];
  if (type == Type::Pred) {
    d.out().options = which == 'a' ? 0 : which == 'o' ? 1 : 2;
    return d.finish(predicateLogic);
  }
  return d.finish(which == 'a'   ? untypedBinary<And>(type)
                  : which == 'o' ? untypedBinary<Or>(type)
                                 : untypedBinary<Xor>(type));
}

bool decodeNot(Decoder &d) {
  Type type = d.takeType();
  if (!d.hasOperands(2) || !d.destination(0, 0, type) || !d.source(1, 1, type))
    return false;
  if (type == Type::Pred && d.in().opcode == "not") {
    d.out().options = 3;
    return d.finish(predicateLogic);
  }
  return d.finish(d.in().opcode == "not" ? untypedUnary<Not>(type)
                                         : untypedUnary<CNot>(type));
}

bool decodeShift(Decoder &d) {
  Type type = d.takeType();
  if (!d.hasOperands(3) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, Type::U32))
    return false;
  if (d.in().opcode == "shl") {
    if (!isUntyped(type))
      return d.finish(nullptr);
    return d.finish(
        bitsOf(type) == 16   ? binary<uint16_t, ShiftLeft, uint16_t, uint32_t>
        : bitsOf(type) == 32 ? binary<uint32_t, ShiftLeft, uint32_t, uint32_t>
        : bitsOf(type) == 64 ? binary<uint64_t, ShiftLeft, uint64_t, uint32_t>
                             : nullptr);
  }
  switch (type) {
  case Type::S16:
    return d.finish(binary<int16_t, ShiftRight, int16_t, uint32_t>);
  case Type::S32:
    return d.finish(binary<int32_t, ShiftRight, int32_t, uint32_t>);
  case Type::S64:
    return d.finish(binary<int64_t, ShiftRight, int64_t, uint32_t>);
  case Type::U16:
  case Type::B16:
    return d.finish(binary<uint16_t, ShiftRight, uint16_t, uint32_t>);
  case Type::U32:
  case Type::B32:
    return d.finish(binary<uint32_t, ShiftRight, uint32_t, uint32_t>);
  case Type::U64:
  case Type::B64:
    return d.finish(binary<uint64_t, ShiftRight, uint64_t, uint32_t>);
  default:
    return d.finish(nullptr);
  }
}

bool decodeShf(Decoder &d) {
  int direction = d.takeOneOf({".l", ".r"});
  int mode = d.takeOneOf({".clamp", ".wrap"});
  Type type = d.takeType();
  if (direction < 0 || mode < 0 || type != Type::B32)
    return d.fail("shf.{l,r}.{clamp,wrap}.b32 is needed");
  if (!d.hasOperands(4))
    return false;
  for (unsigned i = 0; i < 4; ++i)
    if (!(i == 0 ? d.destination(0, 0, type) : d.source(i, i, type)))
      return false;
  constexpr Handler handlers[2][2] = {
      {ternary<uint32_t, FunnelLeftClamp>, ternary<uint32_t, FunnelLeftWrap>},
      {ternary<uint32_t, FunnelRightClamp>,
       ternary<uint32_t, FunnelRightWrap>}};
  return d.finish(handlers[direction][mode]);
}

bool decodeBrev(Decoder &d) {
  Type type = d.takeType();
  return d.hasOperands(2) && d.destination(0, 0, type) &&
         d.source(1, 1, type) && d.finish(untypedUnary<ReverseBits>(type));
}

bool decodeCount(Decoder &d) {
  Type type = d.takeType();
  if (!d.hasOperands(2) || !d.destination(0, 0, Type::U32) ||
      !d.source(1, 1, type))
    return false;
  bool leading = d.in().opcode == "clz";
  if (type == Type::B32)
    return d.finish(leading ? unary<uint32_t, CountLeadingZeros>
                            : unary<uint32_t, PopulationCount>);
  if (type == Type::B64)
    return d.finish(leading ? unary<uint32_t, CountLeadingZeros, uint64_t>
                            : unary<uint32_t, PopulationCount, uint64_t>);
  return d.finish(nullptr);
}

bool decodeBfind(Decoder &d) {
  bool shift = d.take(".shiftamt");
  Type type = d.takeType();
  if (!d.hasOperands(2) || !d.destination(0, 0, Type::U32) ||
      !d.source(1, 1, type))
    return false;
  switch (type) {
  case Type::U32:
    return d.finish(shift ? unary<uint32_t, FindLeading<true>>
                          : unary<uint32_t, FindLeading<false>>);
  case Type::S32:
    return d.finish(shift ? unary<uint32_t, FindLeading<true>, int32_t>
                          : unary<uint32_t, FindLeading<false>, int32_t>);
  case Type::U64:
    return d.finish(shift ? unary<uint32_t, FindLeading<true>, uint64_t>
                          : unary<uint32_t, FindLeading<false>, uint64_t>);
  case Type::S64:
    return d.finish(shift ? unary<uint32_t, FindLeading<true>, int64_t>
                          : unary<uint32_t, FindLeading<false>, int64_t>);
  default:
    return d.finish(nullptr);
  }
}

} // namespace ndl::cudasim

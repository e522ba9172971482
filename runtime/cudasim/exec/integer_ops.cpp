// Integer arithmetic but for products.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/float_families.h"
#include "exec/integer_handlers.h"
#include "exec/integers.h"
#include "exec/lanes.h"

namespace ndl::cudasim {
namespace {

struct Add {
  template <typename T>
  static T apply(T a, T b) {
    return static_cast<T>(a + b);
  }
};
struct Sub {
  template <typename T>
  static T apply(T a, T b) {
    return static_cast<T>(a - b);
  }
};
struct AddSat {
  static int32_t apply(int32_t a, int32_t b) {
    return clampTo<int32_t>(int64_t(a) + b);
  }
};
struct SubSat {
  static int32_t apply(int32_t a, int32_t b) {
    return clampTo<int32_t>(int64_t(a) - b);
  }
};
struct Div {
  // Division by zero has an unspecified value: "div" in the PTX ISA.
  template <typename T>
  static T apply(T a, T b) {
    if (b == 0)
      return static_cast<T>(-1);
    if (std::is_signed_v<T> && b == static_cast<T>(-1))
      return negate(a);
    return static_cast<T>(a / b);
  }
};
struct Rem {
  template <typename T>
  static T apply(T a, T b) {
    if (b == 0)
      return a;
    if (std::is_signed_v<T> && b == static_cast<T>(-1))
      return 0;
    return static_cast<T>(a % b);
  }
};
struct Min {
  template <typename T>
  static T apply(T a, T b) {
    return a < b ? a : b;
  }
};
struct Max {
  template <typename T>
  static T apply(T a, T b) {
    return a < b ? b : a;
  }
};
struct Neg {
  template <typename T>
  static T apply(T a) {
    return negate(a);
  }
};
struct Abs {
  template <typename T>
  static T apply(T a) {
    return a < 0 ? negate(a) : a;
  }
};
struct Sad {
  template <typename T>
  static BitsOf<T> apply(T a, T b, BitsOf<T> c) {
    auto x = static_cast<BitsOf<T>>(a), y = static_cast<BitsOf<T>>(b);
    return static_cast<BitsOf<T>>(c + (a < b ? y - x : x - y));
  }
};

template <typename T>
Flow addCarry(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  const uint8_t *b = warp.data(instr.slots[2]);
  uint32_t carry = warp.carry;
  bool takes = instr.options & takesCarry, sets = instr.options & setsCarry;
  bool subtracts = instr.options & subtractsCarry;
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned i = lowestLane(m);
    uint32_t bit = uint32_t(1) << i;
    unsigned __int128 x = lane<T>(a, i), y = lane<T>(b, i);
    unsigned in = takes && (carry & bit) ? 1 : 0;
    unsigned __int128 sum = subtracts ? x - y - in : x + y + in;
    if (sets)
      warp.setCarry(i, (sum >> (8 * sizeof(T))) & 1);
    setLane<T>(warp.data(instr.slots[0]), i, static_cast<T>(sum));
  }
  return Flow::Next;
}

template <typename Op>
Handler signedUnary(Type type) {
  switch (type) {
  case Type::S16:
    return unary<int16_t, Op>;
  case Type::S32:
    return unary<int32_t, Op>;
  case Type::S64:
    return unary<int64_t, Op>;
  default:
    return nullptr;
  }
}

bool decodeAddOrSub(Decoder &d, bool subtracts) {
  if (isFloatInstruction(d))
    return decodeFloatArithmetic(d);
  bool saturates = d.take(".sat"), setsFlag = d.take(".cc");
  Type type = d.takeType();
  if (!threeOperands(d, type))
    return false;
  if (setsFlag || d.in().opcode.size() == 4) {
    d.out().options = (setsFlag ? uint32_t(setsCarry) : 0) |
                      (d.in().opcode.size() == 4 ? uint32_t(takesCarry) : 0) |
                      (subtracts ? uint32_t(subtractsCarry) : 0);
    bool isGood = !saturates && !isUntyped(type) && bitsOf(type) >= 32;
    return d.finish(!isGood              ? nullptr
                    : bitsOf(type) == 32 ? addCarry<uint32_t>
                                         : addCarry<uint64_t>);
  }
  if (saturates) {
    Handler handler =
        subtracts ? binary<int32_t, SubSat> : binary<int32_t, AddSat>;
    return d.finish(type == Type::S32 ? handler : nullptr);
  }
  return d.finish(subtracts ? eitherSign<Sub>(type) : eitherSign<Add>(type));
}

} // namespace

bool decodeAdd(Decoder &d) { return decodeAddOrSub(d, false); }
bool decodeSub(Decoder &d) { return decodeAddOrSub(d, true); }

bool decodeDiv(Decoder &d) {
  if (isFloatInstruction(d))
    return decodeFloatArithmetic(d);
  Type type = d.takeType();
  return threeOperands(d, type) && d.finish(bothSigns<Div>(type));
}

bool decodeRem(Decoder &d) {
  Type type = d.takeType();
  return threeOperands(d, type) && d.finish(bothSigns<Rem>(type));
}

bool decodeMinMax(Decoder &d) {
  if (isFloatInstruction(d))
    return decodeFloatMinMax(d);
  Type type = d.takeType();
  return threeOperands(d, type) &&
         d.finish(d.in().opcode == "min" ? bothSigns<Min>(type)
                                         : bothSigns<Max>(type));
}

bool decodeNegAbs(Decoder &d) {
  if (isFloatInstruction(d))
    return decodeFloatSign(d);
  Type type = d.takeType();
  return d.hasOperands(2) && d.destination(0, 0, type) &&
         d.source(1, 1, type) &&
         d.finish(d.in().opcode == "neg" ? signedUnary<Neg>(type)
                                         : signedUnary<Abs>(type));
}

bool decodeSad(Decoder &d) {
  Type type = d.takeType();
  if (!d.hasOperands(4) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, type) || !d.source(3, 3, type))
    return false;
  switch (type) {
  case Type::U16:
    return d.finish(ternary<uint16_t, Sad>);
  case Type::S16:
    return d.finish(ternary<uint16_t, Sad, int16_t>);
  case Type::U32:
    return d.finish(ternary<uint32_t, Sad>);
  case Type::S32:
    return d.finish(ternary<uint32_t, Sad, int32_t>);
  case Type::U64:
    return d.finish(ternary<uint64_t, Sad>);
  case Type::S64:
    return d.finish(ternary<uint64_t, Sad, int64_t>);
  default:
    return d.finish(nullptr);
  }
}

} // namespace ndl::cudasim

// Comparisons and selections.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/float_format.h"
#include "exec/lanes.h"

namespace ndl::cudasim {
namespace {

/// "Comparison operators" in the PTX ISA; the unordered forms are also true if
/// an operand is NaN.
enum Comparison : uint32_t {
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  Num,
  Nan,
  Unordered = 8,
  comparisonMask = 15,
  flushes = 16,
  combineShift = 5, // 1: and, 2: or, 3: xor
  combineMask = 3 << combineShift
};

struct Half {
  uint16_t bits;
};
struct Brain {
  uint16_t bits;
};
template <typename T>
T valueOf(const uint8_t *data, unsigned i, bool) {
  return lane<T>(data, i);
}
template <>
float valueOf<float>(const uint8_t *data, unsigned i, bool ftz) {
  auto x = lane<float>(data, i);
  return ftz ? flush(x) : x;
}

template <typename Value, typename Compare>
uint32_t collect(Value value, Compare compare) {
  uint32_t result = 0;
  for (unsigned i = 0; i < warpSize; ++i)
    result |= uint32_t(compare(value(0, i), value(1, i))) << i;
  return result;
}

template <typename Value>
uint32_t compareBy(uint32_t options, Value value) {
  auto isUnordered = [](auto a, auto b) { return isNan(a) || isNan(b); };
  uint32_t unordered = (options & Unordered) ? collect(value, isUnordered) : 0;
  switch (options & 7) {
  case Eq:
    return unordered | collect(value, [](auto a, auto b) { return a == b; });
  case Ne:
    // False for NaN, unlike in C++.
    return unordered |
           collect(value, [](auto a, auto b) { return a < b || a > b; });
  case Lt:
    return unordered | collect(value, [](auto a, auto b) { return a < b; });
  case Le:
    return unordered | collect(value, [](auto a, auto b) { return a <= b; });
  case Gt:
    return unordered | collect(value, [](auto a, auto b) { return a > b; });
  case Ge:
    return unordered | collect(value, [](auto a, auto b) { return a >= b; });
  case Num:
    return ~collect(value, isUnordered);
  default:
    return collect(value, isUnordered);
  }
}

/// Compares all 32 lanes; those that are not active don't matter.
template <typename T>
uint32_t compareLanes(Warp &warp, const Instr &instr, unsigned first) {
  const uint8_t *data[2] = {warp.data(instr.slots[first]),
                            warp.data(instr.slots[first + 1])};
  bool ftz = instr.options & flushes;
  return compareBy(instr.options, [&](unsigned which, unsigned i) {
    if constexpr (std::is_same_v<T, Half>)
      return halfToFloat(lane<uint16_t>(data[which], i));
    else if constexpr (std::is_same_v<T, Brain>)
      return bf16ToFloat(lane<uint16_t>(data[which], i));
    else
      return valueOf<T>(data[which], i, ftz);
  });
}

uint32_t combine(uint32_t options, uint32_t a, uint32_t b) {
  switch ((options & combineMask) >> combineShift) {
  case 1:
    return a & b;
  case 2:
    return a | b;
  case 3:
    return a ^ b;
  default:
    return a;
  }
}

/// slots: p, q, a, b, c
template <typename T>
Flow setPredicates(Warp &warp, const Instr &instr, uint32_t mask) {
  uint32_t result = compareLanes<T>(warp, instr, 2);
  uint32_t c = instr.slots[4].exists() ? warp.predicate(instr.slots[4]) : 0;
  warp.setPredicate(instr.slots[0], mask, combine(instr.options, result, c));
  warp.setPredicate(instr.slots[1], mask, combine(instr.options, ~result, c));
  return Flow::Next;
}

/// Of the halves of a pair: the low one sets p, the high one q.
template <bool IsBrain>
Flow setPairPredicates(Warp &warp, const Instr &instr, uint32_t mask) {
  uint32_t c = instr.slots[4].exists() ? warp.predicate(instr.slots[4]) : 0;
  uint32_t results[2];
  for (unsigned half = 0; half < 2; ++half)
    results[half] = compareBy(instr.options, [&](unsigned which, unsigned i) {
      auto bits = static_cast<uint16_t>(
          lane<uint32_t>(warp.data(instr.slots[2 + which]), i) >> (16 * half));
      return IsBrain ? bf16ToFloat(bits) : halfToFloat(bits);
    });
  warp.setPredicate(instr.slots[0], mask,
                    combine(instr.options, results[0], c));
  warp.setPredicate(instr.slots[1], mask,
                    combine(instr.options, results[1], c));
  return Flow::Next;
}

/// slots: d, -, a, b, c; imm: the value for true.
template <typename T>
Flow setValues(Warp &warp, const Instr &instr, uint32_t mask) {
  uint32_t result = compareLanes<T>(warp, instr, 2);
  uint32_t c = instr.slots[4].exists() ? warp.predicate(instr.slots[4]) : 0;
  result = combine(instr.options, result, c);
  auto one = static_cast<uint32_t>(instr.imm);
  setLanes<uint32_t>(warp, instr.slots[0], mask,
                     [&](unsigned i) { return result >> i & 1 ? one : 0; });
  return Flow::Next;
}

template <typename T>
Flow selectByPredicate(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]), *b = warp.data(instr.slots[2]);
  uint32_t p = warp.predicate(instr.slots[3]);
  setLanes<T>(warp, instr.slots[0], mask, [&](unsigned i) {
    return p >> i & 1 ? lane<T>(a, i) : lane<T>(b, i);
  });
  return Flow::Next;
}

template <typename T, typename C>
struct SelectBySign {
  static T apply(T a, T b, C c) { return c >= 0 ? a : b; }
};
struct SelectBySignFlushed {
  template <typename T>
  static T apply(T a, T b, float c) {
    return flush(c) >= 0 ? a : b;
  }
};

template <typename T>
Flow testProperty(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  uint32_t result = 0;
  for (unsigned i = 0; i < warpSize; ++i) {
    auto x = lane<T>(a, i);
    int kind = std::fpclassify(x);
    // finite infinite number notanumber normal subnormal
    bool values[] = {
        std::isfinite(x), kind == FP_INFINITE, kind != FP_NAN, kind == FP_NAN,
        // Zero is called normal: "testp" in the PTX ISA has it as
        // neither NaN nor infinity, and not subnormal.
        kind == FP_NORMAL || kind == FP_ZERO, kind == FP_SUBNORMAL};
    result |= uint32_t(values[instr.options]) << i;
  }
  warp.setPredicate(instr.slots[0], mask, result);
  return Flow::Next;
}

struct CopySign {
  template <typename T>
  static T apply(T sign, T magnitude) {
    constexpr T bit = T(1) << (8 * sizeof(T) - 1);
    return (sign & bit) | (magnitude & ~bit);
  }
};

Handler setpHandler(Type type) {
  switch (type) {
  case Type::B16:
  case Type::U16:
    return setPredicates<uint16_t>;
  case Type::B32:
  case Type::U32:
    return setPredicates<uint32_t>;
  case Type::B64:
  case Type::U64:
    return setPredicates<uint64_t>;
  case Type::S16:
    return setPredicates<int16_t>;
  case Type::S32:
    return setPredicates<int32_t>;
  case Type::S64:
    return setPredicates<int64_t>;
  case Type::F32:
    return setPredicates<float>;
  case Type::F64:
    return setPredicates<double>;
  case Type::F16:
    return setPredicates<Half>;
  case Type::BF16:
    return setPredicates<Brain>;
  case Type::F16x2:
    return setPairPredicates<false>;
  case Type::BF16x2:
    return setPairPredicates<true>;
  default:
    return nullptr;
  }
}

Handler setHandler(Type type) {
  switch (type) {
  case Type::B16:
  case Type::U16:
    return setValues<uint16_t>;
  case Type::B32:
  case Type::U32:
    return setValues<uint32_t>;
  case Type::B64:
  case Type::U64:
    return setValues<uint64_t>;
  case Type::S16:
    return setValues<int16_t>;
  case Type::S32:
    return setValues<int32_t>;
  case Type::S64:
    return setValues<int64_t>;
  case Type::F32:
    return setValues<float>;
  case Type::F64:
    return setValues<double>;
  case Type::F16:
    return setValues<Half>;
  default:
    return nullptr;
  }
}

/// Takes the comparison, how it is combined, and .ftz.
bool takeComparison(Decoder &d) {
  int which = d.takeOneOf({".eq", ".ne", ".lt", ".le", ".gt", ".ge", ".num",
                           ".nan", ".equ", ".neu", ".ltu", ".leu", ".gtu",
                           ".geu", ".lo", ".ls", ".hi", ".hs"});
  if (which < 0)
    return d.fail("a comparison is missing");
  // lo ls hi hs are lt le gt ge of numbers without sign.
  bool isUnsignedOnly = which >= 14;
  uint32_t code = isUnsignedOnly ? static_cast<uint32_t>(which) - 12
                  : which >= 8   ? static_cast<uint32_t>(which) - 8
                                 : static_cast<uint32_t>(which);
  int logic = d.takeOneOf({".and", ".or", ".xor"});
  d.out().options = code |
                    (which >= 8 && which < 14 ? uint32_t(Unordered) : 0) |
                    static_cast<uint32_t>(logic + 1) << combineShift |
                    (d.take(".ftz") ? uint32_t(flushes) : 0);
  return true;
}

/// Whether the comparison exists for the type.
bool suits(const Decoder &d, uint32_t options, Type type) {
  bool isUnsignedOnly = false;
  for (std::string_view modifier : d.in().modifiers)
    isUnsignedOnly |= modifier == ".lo" || modifier == ".ls" ||
                      modifier == ".hi" || modifier == ".hs";
  uint32_t code = options & 7;
  if (isFloat(type))
    return !isUnsignedOnly;
  if (code >= Num || (options & (Unordered | flushes)))
    return false;
  return isUntyped(type) ? code <= Ne : !isUnsignedOnly || isUnsigned(type);
}

} // namespace

bool decodeSetp(Decoder &d) {
  if (!takeComparison(d))
    return false;
  Type type = d.takeType();
  bool isCombined = d.out().options & combineMask;
  if (!suits(d, d.out().options, type))
    return d.fail("the comparison does not exist for that type");
  if (!d.hasOperands(isCombined ? 4 : 3) ||
      !d.pairDestination(0, 1, 0, Type::Pred, Type::Pred) ||
      !d.source(2, 1, type) || !d.source(3, 2, type) ||
      (isCombined && !d.source(4, 3, Type::Pred)))
    return false;
  return d.finish(setpHandler(type));
}

bool decodeSet(Decoder &d) {
  if (!takeComparison(d))
    return false;
  Type result = d.takeType(), type = d.takeType();
  bool isCombined = d.out().options & combineMask;
  if (!suits(d, d.out().options, type))
    return d.fail("the comparison does not exist for that type");
  if (result == Type::F32)
    d.out().imm = 0x3f800000;
  else if (result == Type::U32 || result == Type::S32)
    d.out().imm = 0xffffffff;
  else
    return d.finish(nullptr);
  if (!d.hasOperands(isCombined ? 4 : 3) || !d.destination(0, 0, result) ||
      !d.source(2, 1, type) || !d.source(3, 2, type) ||
      (isCombined && !d.source(4, 3, Type::Pred)))
    return false;
  return d.finish(setHandler(type));
}

bool decodeSelp(Decoder &d) {
  Type type = d.takeType();
  if (!d.hasOperands(4) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, type) ||
      !d.source(3, 3, Type::Pred))
    return false;
  return d.finish(bitsOf(type) < 16    ? nullptr
                  : bitsOf(type) == 64 ? selectByPredicate<uint64_t>
                                       : selectByPredicate<uint32_t>);
}

bool decodeSlct(Decoder &d) {
  bool ftz = d.take(".ftz");
  Type type = d.takeType(), by = d.takeType();
  if (!d.hasOperands(4) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, type) || !d.source(3, 3, by))
    return false;
  bool isWide = bitsOf(type) == 64;
  if (bitsOf(type) < 16)
    return d.finish(nullptr);
  if (by == Type::S32 && !ftz)
    return d.finish(isWide ? ternary<uint64_t, SelectBySign<uint64_t, int32_t>,
                                     uint64_t, uint64_t, int32_t>
                           : ternary<uint32_t, SelectBySign<uint32_t, int32_t>,
                                     uint32_t, uint32_t, int32_t>);
  if (by != Type::F32)
    return d.finish(nullptr);
  if (ftz)
    return d.finish(
        isWide
            ? ternary<uint64_t, SelectBySignFlushed, uint64_t, uint64_t, float>
            : ternary<uint32_t, SelectBySignFlushed, uint32_t, uint32_t,
                      float>);
  return d.finish(isWide ? ternary<uint64_t, SelectBySign<uint64_t, float>,
                                   uint64_t, uint64_t, float>
                         : ternary<uint32_t, SelectBySign<uint32_t, float>,
                                   uint32_t, uint32_t, float>);
}

bool decodeTestp(Decoder &d) {
  int which = d.takeOneOf({".finite", ".infinite", ".number", ".notanumber",
                           ".normal", ".subnormal"});
  Type type = d.takeType();
  if (which < 0)
    return d.fail("a property is missing");
  d.out().options = static_cast<uint32_t>(which);
  return d.hasOperands(2) && d.destination(0, 0, Type::Pred) &&
         d.source(1, 1, type) &&
         d.finish(type == Type::F32   ? testProperty<float>
                  : type == Type::F64 ? testProperty<double>
                                      : nullptr);
}

bool decodeCopysign(Decoder &d) {
  Type type = d.takeType();
  return d.hasOperands(3) && d.destination(0, 0, type) &&
         d.source(1, 1, type) && d.source(2, 2, type) &&
         d.finish(type == Type::F32   ? binary<uint32_t, CopySign>
                  : type == Type::F64 ? binary<uint64_t, CopySign>
                                      : nullptr);
}

} // namespace ndl::cudasim

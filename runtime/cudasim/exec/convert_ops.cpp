// Conversions between types: cvt.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/float_format.h"
#include "exec/integers.h"
#include "exec/lanes.h"

namespace ndl::cudasim {
namespace {

struct Half {
  uint16_t bits;
};
struct Brain {
  uint16_t bits;
};
struct Tensor32 {
  uint32_t bits;
};

/// Options: how to round to the format, and to an integer.
enum : uint32_t {
  roundingMask = 7,
  toIntegral = 8,
  flushes = 16,
  saturates = 32,
  clampsNegative = 64
};

Rounding roundingOf(uint32_t options) {
  return static_cast<Rounding>(options & roundingMask);
}

double toIntegralValue(double x, Rounding rounding) {
  switch (rounding) {
  case Rounding::TowardZero:
    return std::trunc(x);
  case Rounding::Down:
    return std::floor(x);
  case Rounding::Up:
    return std::ceil(x);
  default:
    return std::nearbyint(x);
  }
}

double widen(float x, uint32_t options) {
  return options & flushes ? flush(x) : x;
}
double widen(double x, uint32_t) { return x; }
double widen(Half x, uint32_t) { return halfToFloat(x.bits); }
double widen(Brain x, uint32_t) { return bf16ToFloat(x.bits); }

template <typename D>
constexpr FloatFormat formatOf() {
  return std::is_same_v<D, Half>       ? formatF16
         : std::is_same_v<D, Brain>    ? formatBF16
         : std::is_same_v<D, Tensor32> ? formatTF32
         : std::is_same_v<D, float>    ? formatF32
                                       : formatF64;
}

/// The value in the format, with what .sat, .relu and .ftz make of it.
template <typename D>
D fromDouble(double x, uint32_t options) {
  if (options & saturates)
    x = saturate(x);
  if ((options & clampsNegative) && x <= 0)
    x = 0;
  Rounding rounding = roundingOf(options);
  if constexpr (std::is_same_v<D, double>) {
    return x;
  } else if constexpr (std::is_same_v<D, float>) {
    float result = rounding == Rounding::NearestEven
                       ? static_cast<float>(x)
                       : bitCast<float>(static_cast<uint32_t>(
                             roundToFormat(x, formatF32, rounding)));
    return canonical(options & flushes ? flush(result) : result);
  } else if constexpr (std::is_same_v<D, Tensor32>) {
    // The low 13 bits of the f32 are zero.
    if (isNan(x))
      return {0x7fffffff};
    return {static_cast<uint32_t>(roundToFormat(x, formatTF32, rounding))
            << 13};
  } else {
    return {static_cast<uint16_t>(roundToFormat(x, formatOf<D>(), rounding))};
  }
}

template <typename S, typename D>
D integerToFloat(S x, uint32_t options) {
  Rounding rounding = roundingOf(options);
  if constexpr (sizeof(S) <= 4 || std::is_same_v<D, double>)
    if (rounding == Rounding::NearestEven || sizeof(S) <= 4)
      return fromDouble<D>(static_cast<double>(x), options);
  // A double would round once too often.
  bool negative = x < 0;
  auto magnitude = static_cast<uint64_t>(negative ? negate(x) : x);
  uint64_t bits =
      roundToFormat(negative, magnitude, 0, formatOf<D>(), rounding);
  D result;
  std::memcpy(&result, &bits, sizeof result);
  if (!(options & saturates))
    return result;
  return fromDouble<D>(x > 0 ? 1 : 0, options);
}

/// "cvt" in the PTX ISA: to the nearest value of the integer type; NaN is 0, or
/// with 64 bits on either side the highest bit alone.
template <typename S, typename D>
D floatToInteger(S value, uint32_t options) {
  double x = widen(value, options);
  if (isNan(x)) {
    bool isWide = std::is_same_v<S, double> || sizeof(D) == 8;
    return static_cast<D>(isWide ? BitsOf<D>(1) << (8 * sizeof(D) - 1) : 0);
  }
  x = toIntegralValue(x, roundingOf(options));
  constexpr D low = std::numeric_limits<D>::min();
  constexpr D high = std::numeric_limits<D>::max();
  // For 64 bits the maximum is no double; what is not less is above it.
  constexpr double limit =
      std::is_signed_v<D>
          ? -static_cast<double>(low)
          : 2.0 * static_cast<double>(D(1) << (8 * sizeof(D) - 2)) * 2.0;
  if (x >= limit)
    return high;
  return x <= static_cast<double>(low) ? low : static_cast<D>(x);
}

template <typename S, typename D>
D integerToInteger(S x, uint32_t options) {
  if (!(options & saturates))
    return static_cast<D>(x);
  constexpr auto low = static_cast<__int128>(std::numeric_limits<D>::min());
  constexpr auto high = static_cast<__int128>(std::numeric_limits<D>::max());
  __int128 wide = x;
  return static_cast<D>(wide < low ? low : wide > high ? high : wide);
}

template <typename S, typename D>
D convertOne(S x, uint32_t options) {
  constexpr bool fromInteger = std::is_integral_v<S>;
  constexpr bool intoInteger = std::is_integral_v<D>;
  if constexpr (fromInteger && intoInteger) {
    return integerToInteger<S, D>(x, options);
  } else if constexpr (fromInteger) {
    return integerToFloat<S, D>(x, options);
  } else if constexpr (intoInteger) {
    return floatToInteger<S, D>(x, options);
  } else {
    double wide = widen(x, options);
    if (options & toIntegral)
      return fromDouble<D>(toIntegralValue(wide, roundingOf(options)),
                           options & ~uint32_t(roundingMask));
    return fromDouble<D>(wide, options);
  }
}

/// The operand may be wider than S, the result wider than D: it is extended.
template <typename S, typename D>
Flow convert(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  uint8_t *d = warp.data(instr.slots[0]);
  uint8_t from = instr.slots[1].stride, to = instr.slots[0].stride;
  uint32_t options = instr.options;
  auto value = [&](unsigned i) {
    S x;
    std::memcpy(&x, a + size_t(from) * i, sizeof x);
    return convertOne<S, D>(x, options);
  };
  auto cell = [&](unsigned i) {
    if constexpr (std::is_integral_v<D>)
      return std::is_signed_v<D> ? static_cast<uint64_t>(int64_t(value(i)))
                                 : static_cast<uint64_t>(value(i));
    else
      return static_cast<uint64_t>(bitCast<BitsOf<D>>(value(i)));
  };
  // Signs reach as far as the register: 16 of 32 bits are its cell's low half.
  uint64_t keep = instr.slots[0].bits == 16 ? 0xffff : ~uint64_t(0);
  if (to == 4)
    setLanes<uint32_t>(warp, instr.slots[0], mask, [&](unsigned i) {
      return static_cast<uint32_t>(cell(i) & keep);
    });
  else
    for (uint32_t m = mask; m; m &= m - 1)
      setWideLane(d, to, lowestLane(m), cell(lowestLane(m)));
  return Flow::Next;
}

/// cvt.rn.f16x2.f32 d, a, b: a is the upper half.
template <typename D>
Flow convertPair(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]), *b = warp.data(instr.slots[2]);
  setLanes<uint32_t>(warp, instr.slots[0], mask, [&](unsigned i) {
    D high =
        fromDouble<D>(widen(lane<float>(a, i), instr.options), instr.options);
    D low =
        fromDouble<D>(widen(lane<float>(b, i), instr.options), instr.options);
    return uint32_t(high.bits) << 16 | low.bits;
  });
  return Flow::Next;
}

/// cvt.pack.sat: two clamped numbers, for bytes shifted into c.
template <typename T>
Flow convertPacked(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]), *b = warp.data(instr.slots[2]);
  const uint8_t *c = instr.slots[3].exists() ? warp.data(instr.slots[3]) : a;
  setLanes<uint32_t>(warp, instr.slots[0], mask, [&](unsigned i) {
    constexpr unsigned bits = 8 * sizeof(T);
    auto high = static_cast<BitsOf<T>>(clampTo<T>(lane<int32_t>(a, i)));
    auto low = static_cast<BitsOf<T>>(clampTo<T>(lane<int32_t>(b, i)));
    uint32_t pair = uint32_t(high) << bits | low;
    return bits == 16 ? pair : lane<uint32_t>(c, i) << 16 | pair;
  });
  return Flow::Next;
}

template <typename S>
Handler convertFrom(Type to) {
  switch (to) {
  case Type::U8:
    return convert<S, uint8_t>;
  case Type::U16:
    return convert<S, uint16_t>;
  case Type::U32:
    return convert<S, uint32_t>;
  case Type::U64:
    return convert<S, uint64_t>;
  case Type::S8:
    return convert<S, int8_t>;
  case Type::S16:
    return convert<S, int16_t>;
  case Type::S32:
    return convert<S, int32_t>;
  case Type::S64:
    return convert<S, int64_t>;
  case Type::F16:
    return convert<S, Half>;
  case Type::BF16:
    return convert<S, Brain>;
  case Type::F32:
    return convert<S, float>;
  case Type::F64:
    return convert<S, double>;
  default:
    return nullptr;
  }
}

Handler convertHandler(Type to, Type from) {
  if (to == Type::TF32)
    return from == Type::F32 ? convert<float, Tensor32> : nullptr;
  switch (from) {
  case Type::U8:
    return convertFrom<uint8_t>(to);
  case Type::U16:
    return convertFrom<uint16_t>(to);
  case Type::U32:
    return convertFrom<uint32_t>(to);
  case Type::U64:
    return convertFrom<uint64_t>(to);
  case Type::S8:
    return convertFrom<int8_t>(to);
  case Type::S16:
    return convertFrom<int16_t>(to);
  case Type::S32:
    return convertFrom<int32_t>(to);
  case Type::S64:
    return convertFrom<int64_t>(to);
  case Type::F16:
    return convertFrom<Half>(to);
  case Type::BF16:
    return convertFrom<Brain>(to);
  case Type::F32:
    return convertFrom<float>(to);
  case Type::F64:
    return convertFrom<double>(to);
  default:
    return nullptr;
  }
}

bool decodePack(Decoder &d) {
  bool sat = d.take(".sat");
  Type to = d.takeType(), from = d.takeType();
  bool isBytes = bitsOf(to) == 8;
  if (!sat || from != Type::S32 || (isBytes && d.takeType() != Type::B32))
    return d.fail("only cvt.pack.sat of .s32 is supported");
  if (!d.hasOperands(isBytes ? 4 : 3) || !d.destination(0, 0, Type::B32) ||
      !d.source(1, 1, from) || !d.source(2, 2, from) ||
      (isBytes && !d.source(3, 3, Type::B32)))
    return false;
  return d.finish(to == Type::U8    ? convertPacked<uint8_t>
                  : to == Type::S8  ? convertPacked<int8_t>
                  : to == Type::U16 ? convertPacked<uint16_t>
                  : to == Type::S16 ? convertPacked<int16_t>
                                    : nullptr);
}

/// "cvt" in the PTX ISA: which conversions need which kind of rounding.
bool checkRounding(Decoder &d, Type to, Type from, bool isFloatRounding,
                   bool isIntegerRounding) {
  bool fromFloat = isFloat(from), intoFloat = isFloat(to);
  bool narrows = fromFloat && intoFloat &&
                 (bitsOf(to) < bitsOf(from) || to == Type::TF32 ||
                  (bitsOf(to) == bitsOf(from) && to != from));
  bool needsFloat = (!fromFloat && intoFloat) || narrows;
  bool needsInteger = fromFloat && !intoFloat;
  if (needsFloat != isFloatRounding && (needsFloat || isFloatRounding))
    return d.fail(needsFloat ? "a rounding mode is missing"
                             : "a rounding mode does not apply");
  bool mayInteger = needsInteger || (fromFloat && to == from);
  if ((needsInteger && !isIntegerRounding) ||
      (isIntegerRounding && !mayInteger))
    return d.fail(needsInteger ? "a rounding mode is missing"
                               : "rounding to an integer does not apply");
  return true;
}

} // namespace

bool decodeCvt(Decoder &d) {
  if (d.take(".pack"))
    return decodePack(d);
  int rounding = d.takeOneOf({".rn", ".rz", ".rm", ".rp", ".rna"});
  int integral = d.takeOneOf({".rni", ".rzi", ".rmi", ".rpi"});
  Type to = d.takeType(), from = d.takeType();
  d.out().options = static_cast<uint32_t>(rounding >= 0   ? rounding
                                          : integral >= 0 ? integral
                                                          : 0) |
                    (integral >= 0 ? uint32_t(toIntegral) : 0) |
                    (d.take(".ftz") ? uint32_t(flushes) : 0) |
                    (d.take(".sat") ? uint32_t(saturates) : 0) |
                    (d.take(".relu") ? uint32_t(clampsNegative) : 0);
  bool isPair = to == Type::F16x2 || to == Type::BF16x2;
  if (rounding == 4 && to != Type::TF32)
    return d.fail("the rounding mode .rna is only for .tf32");
  if (isPair) {
    if (from != Type::F32 || rounding < 0)
      return d.fail("pairs are converted from .f32 with a rounding mode");
    return d.hasOperands(3) && d.destination(0, 0, to) &&
           d.source(1, 1, from) && d.source(2, 2, from) &&
           d.finish(to == Type::F16x2 ? convertPair<Half> : convertPair<Brain>);
  }
  Handler handler = convertHandler(to, from);
  if (!handler)
    return d.finish(nullptr);
  if (!checkRounding(d, to, from, rounding >= 0, integral >= 0))
    return false;
  return d.hasOperands(2) &&
         d.destination(0, 0, to, isFloat(to) ? Fit::Exact : Fit::Wider) &&
         d.source(1, 1, from, Fit::Wider) && d.finish(handler);
}

} // namespace ndl::cudasim

// Arithmetic in f16 and bf16, single and in pairs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/float_families.h"
#include "exec/float_format.h"
#include "exec/lanes.h"

namespace ndl::cudasim {
namespace {

enum : uint32_t {
  flushes = 1,
  saturates = 2,
  clampsNegative = 4,
  isMax = 8,
  propagatesNan = 16
};

struct F16 {
  static double widen(uint16_t a) { return halfToFloat(a); }
  static uint16_t narrow(double a) {
    return static_cast<uint16_t>(
        roundToFormat(a, formatF16, Rounding::NearestEven));
  }
  static constexpr double smallestNormal = 0x1p-14;
};
struct BF16 {
  static double widen(uint16_t a) { return bf16ToFloat(a); }
  static uint16_t narrow(double a) {
    return static_cast<uint16_t>(
        roundToFormat(a, formatBF16, Rounding::NearestEven));
  }
  static constexpr double smallestNormal = 0x1p-126;
};

// Products of two such numbers are exact in double, sums are rounded to odd.
struct Add {
  static double apply(double a, double b, double) { return addToOdd(a, b); }
};
struct Sub {
  static double apply(double a, double b, double) { return addToOdd(a, -b); }
};
struct Mul {
  static double apply(double a, double b, double) { return a * b; }
};
struct Fma {
  static double apply(double a, double b, double c) {
    double product = a * b;
    // An exact zero keeps the sign that one rounding gives it.
    return product == 0 || c == 0 ? product + c : addToOdd(product, c);
  }
};

template <typename Format, typename Op>
uint16_t one(uint32_t options, uint16_t a, uint16_t b, uint16_t c) {
  double x = Format::widen(a), y = Format::widen(b), z = Format::widen(c);
  auto flushed = [](double value) {
    return std::fabs(value) < Format::smallestNormal ? std::copysign(0.0, value)
                                                     : value;
  };
  if (options & flushes)
    x = flushed(x), y = flushed(y), z = flushed(z);
  uint16_t result = Format::narrow(Op::apply(x, y, z));
  if (options & flushes)
    result = Format::narrow(flushed(Format::widen(result)));
  if (options & saturates)
    result = Format::narrow(saturate(Format::widen(result)));
  if ((options & clampsNegative) && (result & 0x8000))
    result = 0;
  return result;
}

template <typename Format, bool Pair, typename Op>
Flow arithmetic(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]), *b = warp.data(instr.slots[2]);
  const uint8_t *c = instr.slots[3].exists() ? warp.data(instr.slots[3]) : a;
  uint32_t options = instr.options;
  setLanes<uint32_t>(warp, instr.slots[0], mask, [&](unsigned i) {
    auto x = lane<uint32_t>(a, i), y = lane<uint32_t>(b, i);
    auto z = lane<uint32_t>(c, i);
    uint32_t low =
        one<Format, Op>(options, uint16_t(x), uint16_t(y), uint16_t(z));
    if (!Pair)
      return low;
    uint32_t high = one<Format, Op>(options, uint16_t(x >> 16),
                                    uint16_t(y >> 16), uint16_t(z >> 16));
    return high << 16 | low;
  });
  return Flow::Next;
}

template <typename Format>
uint16_t minMaxOne(uint32_t options, uint16_t a, uint16_t b) {
  double x = Format::widen(a), y = Format::widen(b);
  constexpr uint16_t nan = 0x7fff;
  if (options & flushes) {
    if (std::fabs(x) < Format::smallestNormal)
      x = std::copysign(0.0, x), a &= 0x8000;
    if (std::fabs(y) < Format::smallestNormal)
      y = std::copysign(0.0, y), b &= 0x8000;
  }
  if (isNan(x) || isNan(y)) {
    if ((options & propagatesNan) || (isNan(x) && isNan(y)))
      return nan;
    return isNan(x) ? b : a;
  }
  bool aIsLess = x == y ? std::signbit(x) : x < y;
  return aIsLess != bool(options & isMax) ? a : b;
}

template <typename Format, bool Pair>
Flow minMax(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]), *b = warp.data(instr.slots[2]);
  uint32_t options = instr.options;
  setLanes<uint32_t>(warp, instr.slots[0], mask, [&](unsigned i) {
    auto x = lane<uint32_t>(a, i), y = lane<uint32_t>(b, i);
    uint32_t low = minMaxOne<Format>(options, uint16_t(x), uint16_t(y));
    if (!Pair)
      return low;
    uint32_t high =
        minMaxOne<Format>(options, uint16_t(x >> 16), uint16_t(y >> 16));
    return high << 16 | low;
  });
  return Flow::Next;
}

template <typename Op>
Handler handlerFor(Type type) {
  switch (type) {
  case Type::F16:
    return arithmetic<F16, false, Op>;
  case Type::F16x2:
    return arithmetic<F16, true, Op>;
  case Type::BF16:
    return arithmetic<BF16, false, Op>;
  case Type::BF16x2:
    return arithmetic<BF16, true, Op>;
  default:
    return nullptr;
  }
}

} // namespace

bool decodeHalfArithmetic(Decoder &d, Type type) {
  d.takeType();
  std::string_view opcode = d.in().opcode;
  bool isFused = opcode == "fma";
  bool isRounded = d.take(".rn");
  if (isFused && !isRounded)
    return d.fail("the rounding mode .rn is missing");
  d.out().options = (d.take(".ftz") ? uint32_t(flushes) : 0) |
                    (d.take(".sat") ? uint32_t(saturates) : 0) |
                    (isFused && d.take(".relu") ? uint32_t(clampsNegative) : 0);
  if (!d.hasOperands(isFused ? 4 : 3) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, type) ||
      (isFused && !d.source(3, 3, type)))
    return false;
  return d.finish(opcode == "add"   ? handlerFor<Add>(type)
                  : opcode == "sub" ? handlerFor<Sub>(type)
                  : opcode == "mul" ? handlerFor<Mul>(type)
                  : isFused         ? handlerFor<Fma>(type)
                                    : nullptr);
}

bool decodeHalfMinMax(Decoder &d, Type type) {
  d.takeType();
  d.out().options = (d.take(".ftz") ? uint32_t(flushes) : 0) |
                    (d.take(".NaN") ? uint32_t(propagatesNan) : 0) |
                    (d.in().opcode == "max" ? uint32_t(isMax) : 0);
  if (!d.hasOperands(3) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, type))
    return false;
  switch (type) {
  case Type::F16:
    return d.finish(minMax<F16, false>);
  case Type::F16x2:
    return d.finish(minMax<F16, true>);
  case Type::BF16:
    return d.finish(minMax<BF16, false>);
  default:
    return d.finish(minMax<BF16, true>);
  }
}

} // namespace ndl::cudasim

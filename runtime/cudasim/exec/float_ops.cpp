// Floating-point arithmetic in f32 and f64 with a rounding mode.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/float_families.h"
#include "exec/float_format.h"
#include "exec/lanes.h"

#include <cfenv>

#if defined(__x86_64__) && defined(__clang__)
#include <immintrin.h>
#endif

namespace ndl::cudasim {
namespace {

enum : uint32_t { roundingMask = 3, flushes = 4, saturates = 8 };

struct Add {
  static constexpr unsigned sources = 2;
  template <typename T>
  static T apply(T a, T b, T) {
    return a + b;
  }
};
struct Sub {
  static constexpr unsigned sources = 2;
  template <typename T>
  static T apply(T a, T b, T) {
    return a - b;
  }
};
struct Mul {
  static constexpr unsigned sources = 2;
  template <typename T>
  static T apply(T a, T b, T) {
    return a * b;
  }
};
struct Div {
  static constexpr unsigned sources = 2;
  template <typename T>
  static T apply(T a, T b, T) {
    return a / b;
  }
};
struct Fma {
  static constexpr unsigned sources = 3;
  template <typename T>
  static T apply(T a, T b, T c) {
    return std::fma(a, b, c);
  }
};
struct Rcp {
  static constexpr unsigned sources = 1;
  template <typename T>
  static T apply(T a, T, T) {
    return T(1) / a;
  }
};
struct Sqrt {
  static constexpr unsigned sources = 1;
  template <typename T>
  static T apply(T a, T, T) {
    return std::sqrt(a);
  }
};

/// To nearest, without .ftz and .sat.
template <typename T, typename Op>
Flow plain(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  const uint8_t *b = Op::sources > 1 ? warp.data(instr.slots[2]) : a;
  const uint8_t *c = Op::sources > 2 ? warp.data(instr.slots[3]) : a;
  setLanes<T>(warp, instr.slots[0], mask, [&](unsigned i) {
    return canonical(Op::apply(lane<T>(a, i), lane<T>(b, i), lane<T>(c, i)));
  });
  return Flow::Next;
}

#if defined(__x86_64__) && defined(__clang__)
/// fma.rn.f32 for processors that have the instruction.
__attribute__((target("avx2,fma"))) Flow fusedPlain(Warp &warp,
                                                    const Instr &instr,
                                                    uint32_t mask) {
  if (mask != allLanes)
    return plain<float, Fma>(warp, instr, mask);
  auto *a = reinterpret_cast<const char *>(warp.data(instr.slots[1]));
  auto *b = reinterpret_cast<const char *>(warp.data(instr.slots[2]));
  auto *c = reinterpret_cast<const char *>(warp.data(instr.slots[3]));
  auto *d = reinterpret_cast<char *>(warp.data(instr.slots[0]));
  __m256 nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
  for (unsigned i = 0; i < warpSize * 4; i += 32) {
    __m256 x = _mm256_loadu_ps(reinterpret_cast<const float *>(a + i));
    __m256 y = _mm256_loadu_ps(reinterpret_cast<const float *>(b + i));
    __m256 z = _mm256_loadu_ps(reinterpret_cast<const float *>(c + i));
    __m256 r = _mm256_fmadd_ps(x, y, z);
    r = _mm256_blendv_ps(r, nan, _mm256_cmp_ps(r, r, _CMP_UNORD_Q));
    _mm256_storeu_ps(reinterpret_cast<float *>(d + i), r);
  }
  return Flow::Next;
}
bool hasFusedInstruction() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

/// Rounds in the mode while it lives.
class RoundingScope {
public:
  explicit RoundingScope(Rounding rounding) {
    constexpr int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD,
                             FE_UPWARD};
    fesetround(modes[static_cast<unsigned>(rounding)]);
  }
  ~RoundingScope() { fesetround(FE_TONEAREST); }
  RoundingScope(const RoundingScope &) = delete;
  RoundingScope &operator=(const RoundingScope &) = delete;
};

/// With whatever modifiers. The operands and the result are volatile: compilers
/// keep the order of such accesses and of calls, so that the operation between
/// them stays inside the scope of the rounding mode and is not done earlier.
template <typename T, typename Op>
Flow modified(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  const uint8_t *b = Op::sources > 1 ? warp.data(instr.slots[2]) : a;
  const uint8_t *c = Op::sources > 2 ? warp.data(instr.slots[3]) : a;
  bool isFlushed = instr.options & flushes;
  bool isSaturated = instr.options & saturates;
  auto value = [&](const uint8_t *from, unsigned i) {
    T x = lane<T>(from, i);
    return isFlushed ? flush(x) : x;
  };
  volatile T results[warpSize];
  {
    RoundingScope scope(static_cast<Rounding>(instr.options & roundingMask));
    for (uint32_t m = mask; m; m &= m - 1) {
      unsigned i = lowestLane(m);
      volatile T x = value(a, i), y = value(b, i), z = value(c, i);
      results[i] = Op::apply(T(x), T(y), T(z));
    }
  }
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned i = lowestLane(m);
    T result = results[i];
    if (isFlushed)
      result = flush(result);
    if (isSaturated)
      result = saturate(result);
    setLane<T>(warp.data(instr.slots[0]), i, canonical(result));
  }
  return Flow::Next;
}

/// rcp.approx.ftz.f64: the low half of the result is zero.
struct RcpHigh {
  static constexpr unsigned sources = 1;
  static double apply(double a, double, double) {
    return bitCast<double>(bitCast<uint64_t>(1 / a) & 0xffffffff00000000);
  }
};

template <typename Op>
Handler pick(Type type, bool isPlain) {
  if (type == Type::F32)
    return isPlain ? plain<float, Op> : modified<float, Op>;
  return isPlain ? plain<double, Op> : modified<double, Op>;
}

template <typename T, bool Max, bool PropagatesNan>
struct MinMax {
  static T apply(T a, T b) {
    if (isNan(a) || isNan(b)) {
      if (PropagatesNan || (isNan(a) && isNan(b)))
        return canonical(isNan(a) ? a : b);
      return isNan(a) ? b : a;
    }
    // -0 is less than +0.
    if (a == b)
      return std::signbit(a) != Max ? a : b;
    return (a < b) != Max ? a : b;
  }
};

template <typename T, bool Max, bool Nan>
Flow minMaxFlushed(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  const uint8_t *b = warp.data(instr.slots[2]);
  setLanes<T>(warp, instr.slots[0], mask, [&](unsigned i) {
    return MinMax<T, Max, Nan>::apply(flush(lane<T>(a, i)),
                                      flush(lane<T>(b, i)));
  });
  return Flow::Next;
}

template <typename T, bool Max>
Handler minMaxHandler(bool nan, bool flushed) {
  if (flushed)
    return nan ? minMaxFlushed<T, Max, true> : minMaxFlushed<T, Max, false>;
  return nan ? binary<T, MinMax<T, Max, true>>
             : binary<T, MinMax<T, Max, false>>;
}

/// neg and abs only change the sign, of each half of a pair.
template <typename T>
Flow changeSign(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  auto sign = static_cast<T>(instr.imm);
  bool isNegation = instr.options & 1, isFlushed = instr.options & flushes;
  setLanes<T>(warp, instr.slots[0], mask, [&](unsigned i) {
    T bits = lane<T>(a, i);
    if constexpr (sizeof(T) == 4)
      if (isFlushed)
        bits = bitCast<T>(flush(bitCast<float>(bits)));
    return static_cast<T>(isNegation ? bits ^ sign : bits & ~sign);
  });
  return Flow::Next;
}

Type firstFloatType(const Decoder &d) {
  for (std::string_view modifier : d.in().modifiers) {
    Type type = typeFromName(modifier.substr(1));
    if (isFloat(type))
      return type;
  }
  return Type::None;
}

bool isHalf(Type type) {
  return type == Type::F16 || type == Type::F16x2 || type == Type::BF16 ||
         type == Type::BF16x2;
}

} // namespace

bool decodeFloatArithmetic(Decoder &d) {
  std::string_view opcode = d.in().opcode;
  Type type = firstFloatType(d);
  if (isHalf(type))
    return decodeHalfArithmetic(d, type);
  if (type != Type::F32 && type != Type::F64)
    return d.fail("unsupported type");
  d.takeType();
  int rounding = d.takeOneOf({".rn", ".rz", ".rm", ".rp"});
  // Within the error that the PTX ISA allows for .approx and .full (div and
  // rcp: 2 and 1 ulp, sqrt: a relative error of 2^-23): rounded to nearest.
  bool isApproximate = d.take(".approx");
  bool isFull = opcode == "div" && d.take(".full");
  bool needsRounding = opcode == "fma" || opcode == "mad" || opcode == "div" ||
                       opcode == "rcp" || opcode == "sqrt";
  bool mayApproximate = opcode == "div" || opcode == "rcp" || opcode == "sqrt";
  if ((isApproximate || isFull) ? rounding >= 0 || !mayApproximate
                                : needsRounding && rounding < 0)
    return d.fail("a rounding mode is missing or wrong");
  bool ftz = d.take(".ftz"), sat = d.take(".sat");
  if (type == Type::F64 && (sat || ftz || isApproximate || isFull) &&
      !(opcode == "rcp" && isApproximate && ftz))
    return d.fail("unsupported modifiers of f64");
  d.out().options = (rounding < 0 ? 0 : static_cast<uint32_t>(rounding)) |
                    (ftz ? uint32_t(flushes) : 0) |
                    (sat ? uint32_t(saturates) : 0);
  bool isPlain = d.out().options == 0;
  Handler handler = nullptr;
  unsigned sources = 2;
  if (opcode == "add")
    handler = pick<Add>(type, isPlain);
  else if (opcode == "sub")
    handler = pick<Sub>(type, isPlain);
  else if (opcode == "mul")
    handler = pick<Mul>(type, isPlain);
  else if (opcode == "div")
    handler = pick<Div>(type, isPlain);
  else if (opcode == "fma" || opcode == "mad")
    handler = pick<Fma>(type, isPlain), sources = 3;
  else if (opcode == "sqrt")
    handler = pick<Sqrt>(type, isPlain), sources = 1;
  else if (opcode == "rcp")
    handler = type == Type::F64 && isApproximate ? modified<double, RcpHigh>
                                                 : pick<Rcp>(type, isPlain),
    sources = 1;
#if defined(__x86_64__) && defined(__clang__)
  if (handler == static_cast<Handler>(plain<float, Fma>) &&
      hasFusedInstruction())
    handler = fusedPlain;
#endif
  if (!d.hasOperands(sources + 1) || !d.destination(0, 0, type))
    return false;
  for (unsigned i = 1; i <= sources; ++i)
    if (!d.source(i, i, type))
      return false;
  return d.finish(handler);
}

bool decodeFloatMinMax(Decoder &d) {
  Type type = firstFloatType(d);
  if (isHalf(type))
    return decodeHalfMinMax(d, type);
  d.takeType();
  bool isMax = d.in().opcode == "max";
  bool ftz = d.take(".ftz"), nan = d.take(".NaN");
  if (!d.hasOperands(3) || !d.destination(0, 0, type) ||
      !d.source(1, 1, type) || !d.source(2, 2, type))
    return false;
  if (type == Type::F32)
    return d.finish(isMax ? minMaxHandler<float, true>(nan, ftz)
                          : minMaxHandler<float, false>(nan, ftz));
  return d.finish(type != Type::F64 || ftz || nan ? nullptr
                  : isMax ? minMaxHandler<double, true>(false, false)
                          : minMaxHandler<double, false>(false, false));
}

bool decodeFloatSign(Decoder &d) {
  Type type = d.takeType();
  bool ftz = d.take(".ftz");
  d.out().options =
      (d.in().opcode == "neg" ? 1 : 0) | (ftz ? uint32_t(flushes) : 0);
  if (!d.hasOperands(2) || !d.destination(0, 0, type) || !d.source(1, 1, type))
    return false;
  switch (type) {
  case Type::F16:
  case Type::BF16:
    d.out().imm = 0x8000;
    return d.finish(ftz ? nullptr : changeSign<uint16_t>);
  case Type::F16x2:
  case Type::BF16x2:
    d.out().imm = 0x80008000;
    return d.finish(ftz ? nullptr : changeSign<uint32_t>);
  case Type::F32:
    d.out().imm = 0x80000000;
    return d.finish(changeSign<uint32_t>);
  case Type::F64:
    d.out().imm = INT64_MIN;
    return d.finish(ftz ? nullptr : changeSign<uint64_t>);
  default:
    return d.finish(nullptr);
  }
}

} // namespace ndl::cudasim

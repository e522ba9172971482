// Approximated functions: rsqrt, sin, cos, lg2, ex2, tanh.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/float_format.h"
#include "exec/lanes.h"

namespace ndl::cudasim {
namespace {

// The PTX ISA promises maximum relative errors of 2^-22.9 (rsqrt), 2^-22
// (ex2; lg2 absolutely near 1), 2^-11 (tanh) and an absolute error of 2^-20.5
// (sin, cos in [-2π, 2π]). Computed in double and rounded once, results differ
// from a device's by such errors.
struct RSqrt {
  static double apply(double a) { return 1 / std::sqrt(a); }
};
struct Sin {
  static double apply(double a) { return std::sin(a); }
};
struct Cos {
  static double apply(double a) { return std::cos(a); }
};
struct Lg2 {
  static double apply(double a) { return std::log2(a); }
};
struct Ex2 {
  static double apply(double a) { return std::exp2(a); }
};
struct Tanh {
  static double apply(double a) { return std::tanh(a); }
};

template <typename Op, bool Ftz>
Flow single(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  setLanes<float>(warp, instr.slots[0], mask, [&](unsigned i) {
    auto x = lane<float>(a, i);
    auto result = static_cast<float>(Op::apply(Ftz ? flush(x) : x));
    return canonical(Ftz ? flush(result) : result);
  });
  return Flow::Next;
}

/// f16 and bf16, and pairs of them.
template <typename Op, bool Brain, bool Pair>
Flow halves(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  auto one = [](uint16_t bits) {
    double x = Brain ? bf16ToFloat(bits) : halfToFloat(bits);
    return static_cast<uint32_t>(roundToFormat(
        Op::apply(x), Brain ? formatBF16 : formatF16, Rounding::NearestEven));
  };
  setLanes<uint32_t>(warp, instr.slots[0], mask, [&](unsigned i) {
    auto x = lane<uint32_t>(a, i);
    uint32_t low = one(static_cast<uint16_t>(x));
    return Pair ? one(static_cast<uint16_t>(x >> 16)) << 16 | low : low;
  });
  return Flow::Next;
}

template <typename Op>
Handler singleHandler(bool ftz) {
  return ftz ? single<Op, true> : single<Op, false>;
}

template <typename Op>
Handler halfHandler(Type type) {
  switch (type) {
  case Type::F16:
    return halves<Op, false, false>;
  case Type::F16x2:
    return halves<Op, false, true>;
  case Type::BF16:
    return halves<Op, true, false>;
  case Type::BF16x2:
    return halves<Op, true, true>;
  default:
    return nullptr;
  }
}

} // namespace

bool decodeApproximate(Decoder &d) {
  std::string_view opcode = d.in().opcode;
  bool isApproximate = d.take(".approx"), ftz = d.take(".ftz");
  Type type = d.takeType();
  if (!isApproximate)
    return d.fail("the modifier .approx is missing");
  if (!d.hasOperands(2) || !d.destination(0, 0, type) || !d.source(1, 1, type))
    return false;
  if (type == Type::F64)
    return d.finish(opcode == "rsqrt" ? unary<double, RSqrt> : nullptr);
  if (type != Type::F32)
    return d.finish(opcode == "ex2"    ? halfHandler<Ex2>(type)
                    : opcode == "tanh" ? halfHandler<Tanh>(type)
                                       : nullptr);
  return d.finish(opcode == "rsqrt" ? singleHandler<RSqrt>(ftz)
                  : opcode == "sin" ? singleHandler<Sin>(ftz)
                  : opcode == "cos" ? singleHandler<Cos>(ftz)
                  : opcode == "lg2" ? singleHandler<Lg2>(ftz)
                  : opcode == "ex2" ? singleHandler<Ex2>(ftz)
                                    : singleHandler<Tanh>(ftz));
}

} // namespace ndl::cudasim

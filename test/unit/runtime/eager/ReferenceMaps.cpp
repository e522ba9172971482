// Elementwise kernels in plain C++.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ReferenceKernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ndl::test {
namespace {

using eager::KernelLibrary;
using eager::MapKernel;

float asFloat(int64_t word) {
  auto bits = static_cast<uint32_t>(word);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Calls `body(pointers, scalars)` for each point of the nest.
template <int numOperands, typename Body>
void forEachPoint(const int64_t *words, int64_t begin, int64_t end,
                  const int64_t (&elementBytes)[numOperands],
                  const Body &body) {
  const int64_t *extents = words, *operands = words + 4;
  const int64_t *scalars = operands + 5 * numOperands;
  for (int64_t o = begin; o < end; ++o)
    for (int64_t i2 = 0; i2 < extents[2]; ++i2)
      for (int64_t i3 = 0; i3 < extents[3]; ++i3) {
        int64_t index[] = {o / extents[1], o % extents[1], i2, i3};
        uint8_t *pointers[numOperands];
        for (int i = 0; i < numOperands; ++i) {
          const int64_t *operand = operands + 5 * i;
          int64_t offset = 0;
          for (int d = 0; d < 4; ++d)
            offset += index[d] * operand[1 + d];
          pointers[i] = reinterpret_cast<uint8_t *>(operand[0]) +
                        offset * elementBytes[i];
        }
        body(pointers, scalars);
      }
}

template <typename Out, auto function>
void nullary(void *context, int64_t begin, int64_t end, int64_t) {
  forEachPoint<1>(static_cast<int64_t *>(context), begin, end, {sizeof(Out)},
                  [](uint8_t **p, const int64_t *scalars) {
                    *reinterpret_cast<Out *>(p[0]) = function(scalars);
                  });
}

template <typename Out, typename In, auto function>
void unary(void *context, int64_t begin, int64_t end, int64_t) {
  forEachPoint<2>(static_cast<int64_t *>(context), begin, end,
                  {sizeof(Out), sizeof(In)},
                  [](uint8_t **p, const int64_t *scalars) {
                    *reinterpret_cast<Out *>(p[0]) =
                        function(*reinterpret_cast<const In *>(p[1]), scalars);
                  });
}

template <auto function>
void binary(void *context, int64_t begin, int64_t end, int64_t) {
  forEachPoint<3>(static_cast<int64_t *>(context), begin, end, {4, 4, 4},
                  [](uint8_t **p, const int64_t *) {
                    *reinterpret_cast<float *>(p[0]) =
                        function(*reinterpret_cast<const float *>(p[1]),
                                 *reinterpret_cast<const float *>(p[2]));
                  });
}

// A function of one float, or of two of which a scalar is the second or the
// first.
template <auto function>
float ofOne(float x, const int64_t *) {
  return function(x);
}
template <auto function>
float withRight(float x, const int64_t *scalars) {
  return function(x, asFloat(scalars[0]));
}
template <auto function>
float withLeft(float x, const int64_t *scalars) {
  return function(asFloat(scalars[0]), x);
}

template <auto function>
constexpr NdlTask simple = unary<float, float, ofOne<function>>;
template <auto function>
constexpr NdlTask right = unary<float, float, withRight<function>>;
template <auto function>
constexpr NdlTask left = unary<float, float, withLeft<function>>;

float add(float a, float b) { return a + b; }
float sub(float a, float b) { return a - b; }
float mul(float a, float b) { return a * b; }
float div(float a, float b) { return a / b; }
float power(float a, float b) { return std::pow(a, b); }
float maximum(float a, float b) { return a > b ? a : b; }
float minimum(float a, float b) { return a < b ? a : b; }
float eq(float a, float b) { return a == b; }
float ne(float a, float b) { return a != b; }
float ge(float a, float b) { return a >= b; }
float gt(float a, float b) { return a > b; }
float le(float a, float b) { return a <= b; }
float lt(float a, float b) { return a < b; }
float reluGrad(float a, float b) { return a > 0 ? b : 0; }
float negate(float x) { return -x; }
float logarithm(float x) { return std::log(x); }
float exponential(float x) { return std::exp(x); }
float tangent(float x) { return std::tanh(x); }
float root(float x) { return std::sqrt(x); }
float relu(float x) { return x > 0 ? x : 0; }
float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }
float absolute(float x) { return std::fabs(x); }

template <typename T>
T same(T x, const int64_t *) {
  return x;
}
float fillF32(const int64_t *s) { return asFloat(s[0]); }
uint8_t fillU8(const int64_t *s) { return static_cast<uint8_t>(s[0]); }

/// N1.
uint8_t quantize(float x, const int64_t *s) {
  float t = std::nearbyint(x / asFloat(s[0]));
  auto zeroPoint = static_cast<float>(s[1]);
  if (std::isnan(t))
    return static_cast<uint8_t>(s[1]);
  return static_cast<uint8_t>(std::clamp(t, -zeroPoint, 255 - zeroPoint) +
                              zeroPoint);
}
/// N3.
float dequantize(uint8_t q, const int64_t *s) {
  return static_cast<float>(q - static_cast<int32_t>(s[1])) * asFloat(s[0]);
}

} // namespace

void addReferenceMaps(KernelLibrary &library) {
  auto set = [&](MapKernel kernel, NdlTask task) {
    library.maps[size_t(kernel)].task = task;
  };
  set(MapKernel::Copy, unary<float, float, same<float>>);
  set(MapKernel::CopyU8, unary<uint8_t, uint8_t, same<uint8_t>>);
  set(MapKernel::Negate, simple<negate>);
  set(MapKernel::Log, simple<logarithm>);
  set(MapKernel::Exp, simple<exponential>);
  set(MapKernel::Tanh, simple<tangent>);
  set(MapKernel::Sqrt, simple<root>);
  set(MapKernel::Relu, simple<relu>);
  set(MapKernel::Sigmoid, simple<sigmoid>);
  set(MapKernel::Abs, simple<absolute>);
  set(MapKernel::EwiseAdd, binary<add>);
  set(MapKernel::EwiseSub, binary<sub>);
  set(MapKernel::EwiseMul, binary<mul>);
  set(MapKernel::EwiseDiv, binary<div>);
  set(MapKernel::EwiseMaximum, binary<maximum>);
  set(MapKernel::EwiseMinimum, binary<minimum>);
  set(MapKernel::EwisePower, binary<power>);
  set(MapKernel::EwiseEq, binary<eq>);
  set(MapKernel::EwiseNe, binary<ne>);
  set(MapKernel::EwiseGe, binary<ge>);
  set(MapKernel::EwiseGt, binary<gt>);
  set(MapKernel::EwiseLe, binary<le>);
  set(MapKernel::EwiseLt, binary<lt>);
  set(MapKernel::ReluGrad, binary<reluGrad>);
  set(MapKernel::ScalarAdd, right<add>);
  set(MapKernel::ScalarSub, right<sub>);
  set(MapKernel::ScalarRsub, left<sub>);
  set(MapKernel::ScalarMul, right<mul>);
  set(MapKernel::ScalarDiv, right<div>);
  set(MapKernel::ScalarRdiv, left<div>);
  set(MapKernel::ScalarMaximum, right<maximum>);
  set(MapKernel::ScalarMinimum, right<minimum>);
  set(MapKernel::ScalarPower, right<power>);
  set(MapKernel::ScalarRpower, left<power>);
  set(MapKernel::ScalarEq, right<eq>);
  set(MapKernel::ScalarNe, right<ne>);
  set(MapKernel::ScalarGe, right<ge>);
  set(MapKernel::ScalarGt, right<gt>);
  set(MapKernel::ScalarLe, right<le>);
  set(MapKernel::ScalarLt, right<lt>);
  set(MapKernel::Fill, nullary<float, fillF32>);
  set(MapKernel::FillU8, nullary<uint8_t, fillU8>);
  set(MapKernel::QuantizeU8, unary<uint8_t, float, quantize>);
  set(MapKernel::DequantizeU8, unary<float, uint8_t, dequantize>);
}

} // namespace ndl::test

//===- NumericRules.cpp - The numeric rules N1 to N5 ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Implements the rules of docs/Spec.md. Built with -ffp-contract=off: a product
// and the addition after it are two roundings.
//
//===----------------------------------------------------------------------===//

#include "needle/Quantization/NumericRules.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cassert>
#include <cfloat>
#include <cmath>
#include <limits>

#ifdef __FAST_MATH__
#error "the numeric rules need IEEE arithmetic: build without -ffast-math"
#endif
static_assert(std::numeric_limits<float>::is_iec559 && FLT_EVAL_METHOD == 0,
              "the numeric rules need IEEE f32 and f64 arithmetic");

using namespace needle;

AxisView AxisView::of(llvm::ArrayRef<int64_t> shape, unsigned axis) {
  AxisView view;
  view.size = shape[axis];
  for (int64_t size : shape.take_front(axis))
    view.outer *= size;
  for (int64_t size : shape.drop_front(axis + 1))
    view.inner *= size;
  return view;
}

//===----------------------------------------------------------------------===//
// N1
//===----------------------------------------------------------------------===//

/// From 2^(precision - 1) on, every float is integral; below, the conversion to
/// an integer and back is exact.
template <typename FloatT, typename IntT>
static FloatT roundEvenExact(FloatT value) {
  constexpr FloatT allIntegral = IntT{1}
                                 << (std::numeric_limits<FloatT>::digits - 1);
  FloatT magnitude = std::fabs(value);
  if (!(magnitude < allIntegral))
    return value;
  auto whole = static_cast<IntT>(magnitude);
  FloatT fraction = magnitude - static_cast<FloatT>(whole);
  // Without branches: which way data rounds cannot be predicted.
  bool isTie = fraction == FloatT(0.5);
  whole += IntT(fraction > FloatT(0.5)) | (IntT(isTie) & whole);
  return std::copysign(static_cast<FloatT>(whole), value);
}

float needle::roundEven(float value) {
  return roundEvenExact<float, int32_t>(value);
}
double needle::roundEven(double value) {
  return roundEvenExact<double, int64_t>(value);
}

namespace {
/// N1 for one set of parameters. The clamp is in f64, where the bounds of every
/// storage type are exact.
class Quantizer {
public:
  Quantizer(QuantParams params, IntegerRange range)
      : params(params), low(range.min - params.zeroPoint),
        high(range.max - params.zeroPoint) {}

  int64_t operator()(float x) const {
    float scaled = x / params.scale;
    if (std::isnan(scaled))
      return params.zeroPoint;
    double rounded = roundEvenExact<float, int32_t>(scaled);
    return params.zeroPoint +
           static_cast<int64_t>(std::clamp(rounded, low, high));
  }

private:
  QuantParams params;
  double low;
  double high;
};
} // namespace

int64_t needle::quantize(float x, QuantParams params, IntegerRange range) {
  return Quantizer(params, range)(x);
}

template <typename StorageT>
void needle::quantize(llvm::ArrayRef<float> values, QuantParams params,
                      IntegerRange range,
                      llvm::MutableArrayRef<StorageT> result) {
  assert(values.size() == result.size() && "one result for each value");
  Quantizer quantizer(params, range);
  for (size_t i = 0, e = values.size(); i != e; ++i)
    result[i] = static_cast<StorageT>(quantizer(values[i]));
}

template <typename StorageT>
void needle::quantizePerAxis(llvm::ArrayRef<float> values, AxisView view,
                             llvm::ArrayRef<QuantParams> params,
                             IntegerRange range,
                             llvm::MutableArrayRef<StorageT> result) {
  assert(int64_t(values.size()) == view.numElements() &&
         int64_t(params.size()) == view.size &&
         values.size() == result.size() && "the view fits the values");
  llvm::SmallVector<Quantizer> quantizers;
  for (QuantParams channel : params)
    quantizers.emplace_back(channel, range);
  const float *value = values.data();
  StorageT *stored = result.data();
  for (int64_t outer = 0; outer != view.outer; ++outer)
    for (const Quantizer &quantizer : quantizers)
      for (int64_t inner = 0; inner != view.inner; ++inner)
        *stored++ = static_cast<StorageT>(quantizer(*value++));
}

#define NEEDLE_INSTANTIATE_QUANTIZE(StorageT)                                  \
  template void needle::quantize<StorageT>(llvm::ArrayRef<float>, QuantParams, \
                                           IntegerRange,                       \
                                           llvm::MutableArrayRef<StorageT>);   \
  template void needle::quantizePerAxis<StorageT>(                             \
      llvm::ArrayRef<float>, AxisView, llvm::ArrayRef<QuantParams>,            \
      IntegerRange, llvm::MutableArrayRef<StorageT>)
NEEDLE_INSTANTIATE_QUANTIZE(int8_t);
NEEDLE_INSTANTIATE_QUANTIZE(uint8_t);
NEEDLE_INSTANTIATE_QUANTIZE(int16_t);
NEEDLE_INSTANTIATE_QUANTIZE(uint16_t);
NEEDLE_INSTANTIATE_QUANTIZE(int32_t);
NEEDLE_INSTANTIATE_QUANTIZE(uint32_t);
#undef NEEDLE_INSTANTIATE_QUANTIZE

//===----------------------------------------------------------------------===//
// N2
//===----------------------------------------------------------------------===//

// The comparisons below are false for NaN, which therefore never enters a
// range.
RealRange needle::widenRange(double min, double max) {
  RealRange range;
  if (min < 0.0)
    range.min = std::max<double>(min, -FLT_MAX);
  if (max > 0.0)
    range.max = std::min<double>(max, FLT_MAX);
  return range;
}

RealRange needle::computeRange(llvm::ArrayRef<float> values) {
  float min = 0.0f, max = 0.0f;
  for (float value : values) {
    min = value < min ? value : min;
    max = value > max ? value : max;
  }
  return widenRange(min, max);
}

void needle::computeRangePerAxis(llvm::ArrayRef<float> values, AxisView view,
                                 llvm::MutableArrayRef<RealRange> result) {
  assert(int64_t(values.size()) == view.numElements() &&
         int64_t(result.size()) == view.size && "the view fits the values");
  llvm::fill(result, RealRange());
  const float *value = values.data();
  for (int64_t outer = 0; outer != view.outer; ++outer)
    for (RealRange &range : result)
      for (int64_t inner = 0; inner != view.inner; ++inner, ++value) {
        range.min = *value < range.min ? *value : range.min;
        range.max = *value > range.max ? *value : range.max;
      }
  for (RealRange &range : result)
    range = widenRange(range.min, range.max);
}

QuantParams needle::chooseParams(RealRange range, const QuantFormat &format) {
  range = widenRange(range.min, range.max);
  double span, steps;
  if (format.isSymmetric) {
    span = std::max(-range.min, range.max);
    steps = static_cast<double>(format.range.max);
  } else {
    span = range.max - range.min;
    steps = static_cast<double>(format.range.max - format.range.min);
  }
  QuantParams params;
  if (span > 0.0)
    params.scale =
        static_cast<float>(std::clamp<double>(span / steps, FLT_MIN, FLT_MAX));
  if (!format.isSymmetric)
    params.zeroPoint = static_cast<int64_t>(std::clamp<double>(
        format.range.min + roundEven(-range.min / params.scale),
        format.range.min, format.range.max));
  return params;
}

//===----------------------------------------------------------------------===//
// N3, N4, N5
//===----------------------------------------------------------------------===//

float needle::dequantize(int64_t q, QuantParams params) {
  return static_cast<float>(q - params.zeroPoint) * params.scale;
}

IntegerRange needle::centeredRange(IntegerRange storage, int64_t zeroPoint) {
  return {storage.min - zeroPoint, storage.max - zeroPoint};
}

IntegerRange needle::centeredRange(IntegerRange storage) {
  return {storage.min - storage.max, storage.max - storage.min};
}

int64_t needle::maxContractionDepth(IntegerRange lhs, IntegerRange rhs,
                                    unsigned accumulatorBits) {
  int64_t least = 0, most = 0;
  for (int64_t left : {lhs.min, lhs.max})
    for (int64_t right : {rhs.min, rhs.max}) {
      int64_t product;
      if (llvm::MulOverflow(left, right, product))
        return 0;
      least = std::min(least, product);
      most = std::max(most, product);
    }
  // Dividing by a negative product: INT64_MIN / -1 is the one quotient that
  // does not fit, and means no limit.
  int64_t depth = std::numeric_limits<int64_t>::max();
  if (most > 0)
    depth = std::min(depth, llvm::maxIntN(accumulatorBits) / most);
  if (least < -1 || (least == -1 && accumulatorBits < 64))
    depth = std::min(depth, llvm::minIntN(accumulatorBits) / least);
  return depth;
}

int32_t needle::wrapToInt32(int64_t sum) {
  return static_cast<int32_t>(static_cast<uint32_t>(sum));
}

float needle::combineScales(float lhs, float rhs) { return lhs * rhs; }

float needle::rescale(int64_t sum, float combinedScale) {
  return static_cast<float>(sum) * combinedScale;
}

float needle::relu(float x) { return x > 0.0f || std::isnan(x) ? x : 0.0f; }

//===- NumericRules.h - The numeric rules N1 to N5 --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic that docs/Spec.md fixes, on plain numbers. Constant folding,
// the quantize pass, calibration and the reference interpreter call these
// functions; generated code has to agree with them bit for bit.
//
// All functions are total: every input has a defined result. They assume the
// default floating-point environment of C (round to nearest, denormals kept)
// and are compiled without contraction; a NaN result is any NaN.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_QUANTIZATION_NUMERICRULES_H
#define NEEDLE_QUANTIZATION_NUMERICRULES_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace needle {

//===----------------------------------------------------------------------===//
// Descriptions
//===----------------------------------------------------------------------===//

/// All integers from `min` to `max`, both included.
struct IntegerRange {
  int64_t min = 0;
  int64_t max = 0;

  bool contains(int64_t value) const { return min <= value && value <= max; }
  bool operator==(const IntegerRange &other) const {
    return min == other.min && max == other.max;
  }
};

/// Maps a stored integer q to the real number (q - zeroPoint) · scale.
struct QuantParams {
  float scale = 1.0f;
  /// Within the range of the stored integers, so that 0.0 is exact.
  int64_t zeroPoint = 0;

  bool operator==(const QuantParams &other) const {
    return scale == other.scale && zeroPoint == other.zeroPoint;
  }
};

/// How numbers are stored and how N2 chooses parameters for them.
struct QuantFormat {
  /// Width of the storage type.
  unsigned bits;
  bool isSigned;
  /// Symmetric: zero point 0, the scale follows from the largest magnitude.
  bool isSymmetric;
  /// The integers in use; symmetric formats leave out the lowest one.
  IntegerRange range;
};

inline constexpr QuantFormat kUInt8Asymmetric{8, false, false, {0, 255}};
inline constexpr QuantFormat kInt8Symmetric{8, true, true, {-127, 127}};
inline constexpr QuantFormat kUInt4Asymmetric{4, false, false, {0, 15}};
inline constexpr QuantFormat kInt4Symmetric{4, true, true, {-7, 7}};

/// A range of real numbers as N2 wants it: finite, and containing zero.
struct RealRange {
  double min = 0.0;
  double max = 0.0;

  bool operator==(const RealRange &other) const {
    return min == other.min && max == other.max;
  }
};

/// A row-major tensor seen from one of its axes: element (o, c, i) lies at
/// (o · size + c) · inner + i.
struct AxisView {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;

  /// `axis` must be a valid index of `shape`.
  static AxisView of(llvm::ArrayRef<int64_t> shape, unsigned axis);
  int64_t numElements() const { return outer * size * inner; }
};

//===----------------------------------------------------------------------===//
// N1: quantize
//===----------------------------------------------------------------------===//

/// The nearest integral value, ties to even; inf, NaN and the sign of zero
/// stay. Needs neither a library call nor the rounding mode.
float roundEven(float value);
double roundEven(double value);

/// N1: `zeroPoint + clamp(roundEven(x / scale), range - zeroPoint)`, division
/// in f32. NaN (of x or of the division) gives the zero point.
int64_t quantize(float x, QuantParams params, IntegerRange range);

/// N1 on a span. StorageT is a standard integer type of at most 32 bits that
/// holds `range`; both spans have one length.
template <typename StorageT>
void quantize(llvm::ArrayRef<float> values, QuantParams params,
              IntegerRange range, llvm::MutableArrayRef<StorageT> result);

/// N1 with `params[c]` at index c of the viewed axis.
template <typename StorageT>
void quantizePerAxis(llvm::ArrayRef<float> values, AxisView view,
                     llvm::ArrayRef<QuantParams> params, IntegerRange range,
                     llvm::MutableArrayRef<StorageT> result);

//===----------------------------------------------------------------------===//
// N2: parameters from a range
//===----------------------------------------------------------------------===//

/// Makes a range as N2 wants it: ±inf becomes ±FLT_MAX, a NaN bound counts for
/// nothing, zero is included. An inverted range (nothing seen) becomes [0, 0].
RealRange widenRange(double min, double max);

/// The widened range of some values; NaN is ignored.
RealRange computeRange(llvm::ArrayRef<float> values);

/// The widened range of each slice along the viewed axis; `result` has
/// `view.size` entries.
void computeRangePerAxis(llvm::ArrayRef<float> values, AxisView view,
                         llvm::MutableArrayRef<RealRange> result);

/// N2: parameters that cover a range. Computed in f64, the scale rounded to f32
/// and clamped to [FLT_MIN, FLT_MAX]; the range [0, 0] gives scale 1. `range`
/// is widened first.
QuantParams chooseParams(RealRange range, const QuantFormat &format);

//===----------------------------------------------------------------------===//
// N3: dequantize
//===----------------------------------------------------------------------===//

/// N3: `f32(q - zeroPoint) · scale`; the difference is exact, one f32 product.
float dequantize(int64_t q, QuantParams params);

//===----------------------------------------------------------------------===//
// N4: integer contraction
//===----------------------------------------------------------------------===//

/// What q - zeroPoint can be for stored integers in `storage`: for one zero
/// point, or for any in `storage`.
IntegerRange centeredRange(IntegerRange storage, int64_t zeroPoint);
IntegerRange centeredRange(IntegerRange storage);

/// The largest number of products lhs · rhs whose sum, and each of its partial
/// sums in any order, fits a signed accumulator of `accumulatorBits` (at most
/// 64); INT64_MAX if there is no limit. Does not account for a bias: it joins
/// the sum in 64 bits. u8 · u8 in 32 bits: 33,025.
int64_t maxContractionDepth(IntegerRange lhs, IntegerRange rhs,
                            unsigned accumulatorBits = 32);

/// The sum modulo 2³², as operations whose result is i32 return it.
int32_t wrapToInt32(int64_t sum);

//===----------------------------------------------------------------------===//
// N5: rescale
//===----------------------------------------------------------------------===//

/// `f32(lhs · rhs)`, computed once per channel.
float combineScales(float lhs, float rhs);

/// `f32(sum) · combinedScale`: the sum is rounded to f32 once, one f32 product.
float rescale(int64_t sum, float combinedScale);

/// IEEE 754-2019 maximum(x, +0): NaN stays NaN, -0 becomes +0.
float relu(float x);

} // namespace needle

#endif // NEEDLE_QUANTIZATION_NUMERICRULES_H

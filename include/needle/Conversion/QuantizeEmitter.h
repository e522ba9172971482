//===- QuantizeEmitter.h - Code for the numeric rules -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits the numeric rules N1 (quantize), N2 (range to parameters) and N3
// (dequantize) of docs/Spec.md as arith operations. They work on scalars and,
// elementwise, on vectors of any shape, carry no fast-math flag and become no
// library call, so the same bits result on every target.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_CONVERSION_QUANTIZEEMITTER_H
#define NEEDLE_CONVERSION_QUANTIZEEMITTER_H

#include "mlir/IR/Builders.h"
#include <utility>

namespace needle {

/// The largest distance of a storage bound from the zero point for which
/// emitQuantize is exact.
constexpr int64_t kMaxQuantizedMagnitude = int64_t(1) << 22;

/// Rounds `x` to the nearest integer, ties to even, by adding and subtracting
/// 1.5·2^(p-1), p being the precision of the type. Exact if |x| ≤ 2^22 (f32) or
/// 2^51 (f64); a negative zero becomes +0.
mlir::Value emitRoundEven(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value x);

/// N1: quantizes the f32 (or vector of f32) `x` and returns i32 of the same
/// shape, between `qmin` and `qmax`; a NaN becomes the zero point.
///
/// The quotient x / scale is clamped to [qmin - zeroPoint, qmax - zeroPoint]
/// before it is rounded to even. That equals clamping afterwards, since the
/// bounds are integers, and keeps the rounding in the range where it is exact.
/// Requires |qmin - zeroPoint|, |qmax - zeroPoint| ≤ kMaxQuantizedMagnitude.
mlir::Value emitQuantize(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value x, float scale, int32_t zeroPoint,
                         int32_t qmin, int32_t qmax);

/// N1 with parameters known at run time or differing by element: `scale` is f32
/// and `zeroPoint` i32, each either a scalar or of the shape of `x`.
mlir::Value emitQuantize(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value x, mlir::Value scale,
                         mlir::Value zeroPoint, int32_t qmin, int32_t qmax);

/// The same for max(x, 0), NaN where x is NaN: the quotient is clamped to [0,
/// qmax - zeroPoint], and NaN becomes 0 along the way.
mlir::Value emitQuantizeRelu(mlir::OpBuilder &builder, mlir::Location loc,
                             mlir::Value x, mlir::Value scale,
                             mlir::Value zeroPoint, int32_t qmax);

/// N3: f32(q - zeroPoint) · scale for `q` of i32 (or a vector of i32).
mlir::Value emitDequantize(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Value q, float scale, int32_t zeroPoint);

/// N3 with parameters as for emitQuantize.
mlir::Value emitDequantize(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Value q, mlir::Value scale,
                           mlir::Value zeroPoint);

/// N2, uint8 asymmetric: the scale (f32) and zero point (i32) of the range
/// [min, max], two f32 scalars that are finite with min ≤ 0 ≤ max. Computed in
/// f64; the scale is rounded to f32 and clamped to [FLT_MIN, FLT_MAX], and is 1
/// when the range is zero.
std::pair<mlir::Value, mlir::Value>
emitUInt8Parameters(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::Value min, mlir::Value max);

} // namespace needle

#endif // NEEDLE_CONVERSION_QUANTIZEEMITTER_H

//===- QuantTypes.h - Parameters as types of the quant dialect --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From parameters to `!quant.uniform` types and back. A type holds its scales
// as f64; a scale counts as f32(scale), whatever wrote the type.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_QUANTIZATION_QUANTTYPES_H
#define NEEDLE_QUANTIZATION_QUANTTYPES_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "needle/Quantization/NumericRules.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace needle {

/// `!quant.uniform<...>` with f32 as the expressed type, one set of parameters.
mlir::quant::UniformQuantizedType getQuantizedType(mlir::MLIRContext *context,
                                                   QuantParams params,
                                                   const QuantFormat &format);

/// The same with `params[c]` at index c of dimension `axis`. `params` must not
/// be empty.
mlir::quant::UniformQuantizedPerAxisType
getPerAxisQuantizedType(mlir::MLIRContext *context,
                        llvm::ArrayRef<QuantParams> params, unsigned axis,
                        const QuantFormat &format);

/// What arithmetic needs of a type that is uniform quantized, per tensor or per
/// axis.
struct QuantTypeInfo {
  unsigned bits = 0;
  bool isSigned = false;
  IntegerRange range;
  /// One set, or one for each index of `axis`.
  llvm::SmallVector<QuantParams, 1> params;
  std::optional<unsigned> axis;

  /// Whether every zero point is one of the stored integers. Where it is not,
  /// no integer stands for 0.0 and N1 has no result for NaN.
  bool hasZeroPointsInRange() const;
};

/// Reads a type; none when it is not uniform quantized.
std::optional<QuantTypeInfo> getQuantTypeInfo(mlir::Type type);

} // namespace needle

#endif // NEEDLE_QUANTIZATION_QUANTTYPES_H

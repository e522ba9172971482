//===- ConversionUtils.h - What the conversion patterns share ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builders of tensors and of elementwise loops.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CONVERSION_CONVERSIONUTILS_H
#define NEEDLE_LIB_CONVERSION_CONVERSIONUTILS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace needle {

/// The input of an elementwise loop nest: `map` takes the loops to the indices
/// of `value`.
struct LoopInput {
  mlir::Value value;
  mlir::AffineMap map;
};

/// Emits the body of a loop nest: from one element of each input to the element
/// of the result.
using LoopBody = llvm::function_ref<mlir::Value(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// The size of a dimension: a constant where the type says it.
mlir::Value createDim(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value tensor, int64_t dim);

/// An uninitialized tensor of `type`; `sizeOf(i)` is called for each dynamic
/// dimension i.
mlir::Value createEmpty(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::RankedTensorType type,
                        llvm::function_ref<mlir::Value(unsigned)> sizeOf);

/// An uninitialized tensor of `type` with the shape of `like`.
mlir::Value createEmptyLike(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::RankedTensorType type, mlir::Value like);

/// A linalg.generic that computes each element of `dest` by itself.
mlir::Value createElementwise(mlir::OpBuilder &builder, mlir::Location loc,
                              llvm::ArrayRef<LoopInput> inputs,
                              mlir::Value dest, LoopBody body);

/// `dest` with the same value everywhere.
mlir::Value createFill(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value dest, float value);

/// `value` as a tensor of `type`, which agrees in its static dimensions.
mlir::Value castTo(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Value value, mlir::RankedTensorType type);

/// A needle_cpu.weight of rank 1.
mlir::Value createWeight(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<float> values);
mlir::Value createWeight(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<int32_t> values);

} // namespace needle

#endif // NEEDLE_LIB_CONVERSION_CONVERSIONUTILS_H

//===- ShapesFunction.h - Output shapes and shape checks --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_SHAPESFUNCTION_H
#define NEEDLE_LIB_CODEGEN_CPU_SHAPESFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SmallVector.h"

namespace needle::cpu {

/// Emits `@F.shapes(dynamic dimensions of the inputs) → (status, dimensions of
/// the outputs)` of an entry point on tensors, see needle-cpu-build-plan.
/// Appends the messages of its checks. Fails with a diagnostic if the shape of
/// a result is not known.
mlir::LogicalResult
emitShapesFunction(mlir::func::FuncOp entry,
                   llvm::SmallVectorImpl<mlir::Attribute> &messages);

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_SHAPESFUNCTION_H

//===- ShapeRules.h - Which dimensions must agree ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shape rules of operations on tensors as data, for deriving the shapes of
// results and the checks that are left to run time.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_CPU_SHAPERULES_H
#define NEEDLE_LIB_CODEGEN_CPU_SHAPERULES_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace needle::cpu {

/// A dimension of an operand or result of an operation.
struct DimensionRef {
  mlir::Value value;
  unsigned index;
  /// What the value is to the operation, e.g. "lhs".
  llvm::StringRef role;
};

/// Dimensions that are equal in every valid execution.
using EqualDimensions = llvm::SmallVector<DimensionRef, 3>;

struct ShapeRule {
  llvm::SmallVector<EqualDimensions> equal;
  /// Whether operand 0 and result 0 have equally many elements, and nothing
  /// else is known.
  bool sameElementCount = false;
};

/// The rule of an operation with ranked tensors of dynamic shape. Fails if the
/// operation is not known, without a diagnostic.
mlir::FailureOr<ShapeRule> getShapeRule(mlir::Operation *op);

/// Whether an operation on tensors needs no rule: all its shapes are static, so
/// that its own verifier has compared them, and its regions compute on scalars
/// alone. Fails with a diagnostic otherwise: what it claims of a dynamic shape
/// would go unchecked.
mlir::LogicalResult verifyWithoutShapeRule(mlir::Operation *op);

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_SHAPERULES_H

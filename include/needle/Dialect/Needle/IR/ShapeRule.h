//===- ShapeRule.h - Which dimensions must agree ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shape rules of operations as data, from which follow the extents of
// results and the checks that are left to run time.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLE_IR_SHAPERULE_H
#define NEEDLE_DIALECT_NEEDLE_IR_SHAPERULE_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Operation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace needle {

/// A dimension of an operand or result of an operation.
struct DimensionRef {
  mlir::Value value;
  unsigned index;
  /// What the value is to the operation, e.g. "lhs".
  llvm::StringRef role;
};

/// Dimensions that are equal in every valid execution.
using EqualDimensions = llvm::SmallVector<DimensionRef, 3>;

/// A dimension of a result that is computed from other dimensions.
struct ComputedDimension {
  DimensionRef result;
  /// From the extents of `operands`, as dimensions of the expression.
  mlir::AffineExpr extent;
  llvm::SmallVector<DimensionRef, 2> operands;
};

/// A dimension that is at least so large in every valid execution.
struct LeastDimension {
  DimensionRef ref;
  int64_t least;
};

struct ShapeRule {
  llvm::SmallVector<EqualDimensions> equal;
  llvm::SmallVector<ComputedDimension, 1> computed;
  llvm::SmallVector<LeastDimension, 0> least;
  /// Whether operand 0 and result 0 have equally many elements, and nothing
  /// else is known.
  bool sameElementCount = false;

  /// Dimension i of `operand` equals dimension i of `result`.
  static ShapeRule sameShape(mlir::Value operand, mlir::Value result);

  /// NumPy's rules, where only a dimension that is statically 1 stretches.
  static ShapeRule broadcast(mlir::ValueRange operands,
                             llvm::ArrayRef<llvm::StringLiteral> roles,
                             mlir::Value result);

  /// The dimensions of `operand` but `axes`, which have size 1 in the result if
  /// `keepDims` is set and else are left out.
  static ShapeRule reduction(mlir::Value operand, llvm::ArrayRef<int64_t> axes,
                             bool keepDims, mlir::Value result);
};

namespace detail {
/// The extents of all results of `op`; static ones are attributes.
void reifyByShapeRule(mlir::Operation *op, const ShapeRule &rule,
                      mlir::OpBuilder &builder,
                      mlir::ReifiedRankedShapedTypeDims &shapes);
} // namespace detail

} // namespace needle

#endif // NEEDLE_DIALECT_NEEDLE_IR_SHAPERULE_H

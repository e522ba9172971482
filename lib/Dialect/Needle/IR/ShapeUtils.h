//===- ShapeUtils.h - Shapes of needle's operations -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the operation families share for inferring, verifying and reifying
// shapes.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_DIALECT_NEEDLE_IR_SHAPEUTILS_H
#define NEEDLE_LIB_DIALECT_NEEDLE_IR_SHAPEUTILS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include <optional>

namespace needle {

/// The dimension that two dimensions agree on; the static one if the other is
/// dynamic. Fails if both are static and differ.
mlir::FailureOr<int64_t> mergeDims(int64_t lhs, int64_t rhs);

/// The shape of an elementwise result by NumPy's rules, where only a static 1
/// stretches. Emits an error for the operation `opName` if the shapes do not
/// broadcast.
mlir::FailureOr<llvm::SmallVector<int64_t>>
inferBroadcastShape(std::optional<mlir::Location> loc, llvm::StringRef opName,
                    mlir::RankedTensorType lhs, mlir::RankedTensorType rhs);

/// The extents of the result of a broadcasting operation: each follows from an
/// operand whose dimension does not stretch.
llvm::SmallVector<mlir::OpFoldResult>
reifyBroadcast(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value result,
               mlir::Value lhs, mlir::Value rhs);

/// The operands of a contraction as far as their shapes matter.
struct MatmulOperandTypes {
  mlir::RankedTensorType lhs;
  mlir::RankedTensorType rhs;
  /// Null without a bias.
  mlir::RankedTensorType bias;
  bool transposeLhs;
  bool transposeRhs;
};

/// The shape M×N of a matrix product. Emits an error for the operation `opName`
/// that names the operand and the dimension that does not fit.
mlir::FailureOr<llvm::SmallVector<int64_t>>
inferMatmulShape(std::optional<mlir::Location> loc, llvm::StringRef opName,
                 const MatmulOperandTypes &types);

/// Verifies that the shapes of `operand` and `result` agree wherever both are
/// static.
mlir::LogicalResult verifySameShape(mlir::Operation *op, mlir::Value operand,
                                    mlir::Value result);

/// The extents of `result` where `sources[i]` names the value and its dimension
/// that equals dimension i. Static extents of `result` become attributes.
llvm::SmallVector<mlir::OpFoldResult>
reifyDims(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value result,
          llvm::ArrayRef<std::pair<mlir::Value, int64_t>> sources);

/// The extents of `result`, whose shape is that of `operand`.
llvm::SmallVector<mlir::OpFoldResult> reifySameShape(mlir::OpBuilder &builder,
                                                     mlir::Location loc,
                                                     mlir::Value result,
                                                     mlir::Value operand);

} // namespace needle

#endif // NEEDLE_LIB_DIALECT_NEEDLE_IR_SHAPEUTILS_H

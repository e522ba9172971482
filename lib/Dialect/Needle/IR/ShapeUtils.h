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
/// broadcast, naming the operands by their `roles`.
mlir::FailureOr<llvm::SmallVector<int64_t>>
inferBroadcastShape(std::optional<mlir::Location> loc, llvm::StringRef opName,
                    mlir::ValueRange operands,
                    llvm::ArrayRef<llvm::StringLiteral> roles);

/// The shape without `axes`, or with size 1 there. Emits an error for the
/// operation `opName` if the axes are not ascending dimensions of `type`.
mlir::FailureOr<llvm::SmallVector<int64_t>>
inferReductionShape(std::optional<mlir::Location> loc, llvm::StringRef opName,
                    mlir::RankedTensorType type, llvm::ArrayRef<int64_t> axes,
                    bool keepDims);

/// Emits an error for the operation `opName` if the axes are not ascending
/// dimensions of `type`.
mlir::LogicalResult verifyAxes(std::optional<mlir::Location> loc,
                               llvm::StringRef opName,
                               mlir::RankedTensorType type,
                               llvm::ArrayRef<int64_t> axes);

/// The operands of a contraction as far as their shapes matter.
struct MatmulOperandTypes {
  mlir::RankedTensorType lhs;
  mlir::RankedTensorType rhs;
  /// Null without a bias.
  mlir::RankedTensorType bias;
  bool transposeLhs;
  bool transposeRhs;
};

/// The shape [batch…]×M×N of a matrix product. Emits an error for the operation
/// `opName` that names the operand and the dimension that does not fit.
mlir::FailureOr<llvm::SmallVector<int64_t>>
inferMatmulShape(std::optional<mlir::Location> loc, llvm::StringRef opName,
                 const MatmulOperandTypes &types);

/// Verifies that the shapes of `operand` and `result` agree wherever both are
/// static.
mlir::LogicalResult verifySameShape(mlir::Operation *op, mlir::Value operand,
                                    mlir::Value result);

} // namespace needle

#endif // NEEDLE_LIB_DIALECT_NEEDLE_IR_SHAPEUTILS_H

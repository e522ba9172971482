//===- ContractionUtils.h - What contractions share -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shapes, operand rules and canonicalization of needle.matmul and
// needle.qmatmul.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_DIALECT_NEEDLE_IR_CONTRACTIONUTILS_H
#define NEEDLE_LIB_DIALECT_NEEDLE_IR_CONTRACTIONUTILS_H

#include "ShapeUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/Twine.h"

namespace needle {

/// The operand types of a matmul, from the operation or its adaptor.
template <typename OpOrAdaptor>
MatmulOperandTypes getMatmulTypes(OpOrAdaptor &op) {
  auto type = [](mlir::Value value) {
    return value ? llvm::cast<mlir::RankedTensorType>(value.getType())
                 : mlir::RankedTensorType();
  };
  return {type(op.getLhs()), type(op.getRhs()), type(op.getBias()),
          op.getTransposeLhs(), op.getTransposeRhs()};
}

/// Batch dimension i of a matmul's result and those of the operands that do not
/// stretch.
EqualDimensions getEqualBatch(mlir::Value lhs, mlir::Value rhs,
                              mlir::Value result, unsigned i);

/// The dimensions of a matmul that agree.
template <typename Op>
ShapeRule getMatmulShapeRule(Op op) {
  auto rankOf = [](mlir::Value value) {
    return unsigned(
        llvm::cast<mlir::RankedTensorType>(value.getType()).getRank());
  };
  mlir::Value lhs = op.getLhs(), rhs = op.getRhs(), result = op.getResult();
  unsigned rank = rankOf(result);
  unsigned lhsDepth = rankOf(lhs) - (op.getTransposeLhs() ? 2 : 1);
  unsigned rhsDepth = rankOf(rhs) - (op.getTransposeRhs() ? 1 : 2);
  unsigned rows = 2 * rankOf(lhs) - 3 - lhsDepth;
  unsigned columns = 2 * rankOf(rhs) - 3 - rhsDepth;
  ShapeRule rule;
  rule.equal.push_back({{lhs, lhsDepth, "lhs"}, {rhs, rhsDepth, "rhs"}});
  rule.equal.push_back({{lhs, rows, "lhs"}, {result, rank - 2, "result"}});
  EqualDimensions n = {{rhs, columns, "rhs"}};
  if (op.getBias())
    n.push_back({op.getBias(), 0, "bias"});
  n.push_back({result, rank - 1, "result"});
  rule.equal.push_back(std::move(n));
  for (unsigned i = 0; i + 2 < rank; ++i)
    rule.equal.push_back(getEqualBatch(lhs, rhs, result, i));
  return rule;
}

/// Verifies how an operand of an integer contraction is quantized: per tensor
/// or along `axis`, which messages call `axisName`, with parameter operands if
/// and only if its elements are raw integers. `fail` receives the rest of a
/// sentence that began with the operand's name.
mlir::LogicalResult verifyQuantizedContractionOperand(
    mlir::RankedTensorType type, bool hasScale, bool hasZeroPoint,
    std::optional<int64_t> axis, llvm::StringRef axisName,
    llvm::function_ref<mlir::LogicalResult(const llvm::Twine &)> fail);

/// The same for an operand of the integer operation `op`, with an error there.
mlir::LogicalResult verifyQuantizedContractionOperand(
    mlir::Operation *op, llvm::StringRef name, mlir::Value operand,
    mlir::Value scale, mlir::Value zeroPoint, std::optional<int64_t> axis,
    llvm::StringRef axisName);

/// Verifies which result element type of the integer contraction `op` goes with
/// which bias and activation.
mlir::LogicalResult verifyIntegerContractionResult(mlir::Operation *op,
                                                   mlir::Value bias,
                                                   Activation activation);

/// Says in `reason` why `quantized` cannot stand for the float operand
/// `operand`, if so.
mlir::LogicalResult checkQuantizedSource(const QuantizableOperand &description,
                                         mlir::Value operand,
                                         const QuantizedOperand &quantized,
                                         llvm::StringRef axisName,
                                         std::string &reason);

/// Says in `reason` why an integer form of `op` cannot have the result type
/// `resultType`, if so.
mlir::LogicalResult checkIntegerFormResult(mlir::Operation *op,
                                           mlir::Type resultType,
                                           std::string &reason);

/// The operand of `value`'s defining op if that op swaps the last two
/// dimensions and no other; null otherwise.
mlir::Value getTransposedMatrix(mlir::Value value);

/// matmul(transpose(x), y) → matmul(x, y) {transpose_lhs}; likewise for rhs.
template <typename Op>
struct TransposeIntoContraction : mlir::OpRewritePattern<Op> {
  using mlir::OpRewritePattern<Op>::OpRewritePattern;

  mlir::LogicalResult
  matchAndRewrite(Op op, mlir::PatternRewriter &rewriter) const override {
    mlir::Value lhs = getTransposedMatrix(op.getLhs());
    mlir::Value rhs = getTransposedMatrix(op.getRhs());
    if (!lhs && !rhs)
      return rewriter.notifyMatchFailure(op, "no operand is transposed");
    rewriter.modifyOpInPlace(op, [&] {
      if (lhs) {
        op.getLhsMutable().assign(lhs);
        op.setTransposeLhs(!op.getTransposeLhs());
      }
      if (rhs) {
        op.getRhsMutable().assign(rhs);
        op.setTransposeRhs(!op.getTransposeRhs());
      }
    });
    return mlir::success();
  }
};

} // namespace needle

#endif // NEEDLE_LIB_DIALECT_NEEDLE_IR_CONTRACTIONUTILS_H

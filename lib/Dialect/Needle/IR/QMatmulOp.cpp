//===- QMatmulOp.cpp - needle.qmatmul ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer matrix multiplication: verifier, shapes, canonicalization.
//
//===----------------------------------------------------------------------===//

#include "ContractionUtils.h"
#include "ShapeUtils.h"
#include "mlir/IR/TypeUtilities.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace mlir;
using namespace needle;

/// There is no integer form with a batch.
static LogicalResult verifyMatrix(QMatmulOp op, StringRef operand,
                                  RankedTensorType type, StringRef layout) {
  if (type.getRank() == 2)
    return success();
  return op.emitOpError() << operand << " must have rank 2 (" << layout
                          << "), got " << type;
}

LogicalResult QMatmulOp::verify() {
  if (failed(verifyMatrix(*this, "lhs", getLhs().getType(),
                          getTransposeLhs() ? "K x M" : "M x K")) ||
      failed(verifyMatrix(*this, "rhs", getRhs().getType(),
                          getTransposeRhs() ? "N x K" : "K x N")))
    return failure();
  FailureOr<SmallVector<int64_t>> shape =
      inferMatmulShape(getLoc(), getOperationName(), getMatmulTypes(*this));
  if (failed(shape))
    return failure();
  if (failed(verifyCompatibleShape(*shape, getType().getShape())))
    return emitOpError() << "result must have the shape M x N of "
                         << RankedTensorType::get(*shape,
                                                  getType().getElementType())
                         << ", got " << getType();
  int64_t n = getTransposeRhs() ? 0 : 1;
  if (failed(verifyQuantizedContractionOperand(*this, "lhs", getLhs(),
                                               getLhsScale(), getLhsZeroPoint(),
                                               std::nullopt, "N")) ||
      failed(verifyQuantizedContractionOperand(
          *this, "rhs", getRhs(), getRhsScale(), getRhsZeroPoint(), n, "N")))
    return failure();
  return verifyIntegerContractionResult(*this, getBias(), getActivation());
}

ShapeRule QMatmulOp::getShapeRule() { return getMatmulShapeRule(*this); }

void QMatmulOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                            MLIRContext *context) {
  results.add<TransposeIntoContraction<QMatmulOp>>(context);
}

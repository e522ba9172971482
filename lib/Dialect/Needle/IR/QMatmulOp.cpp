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

/// How `operand` is quantized and where its parameters come from.
static LogicalResult verifyOperand(QMatmulOp op, StringRef name, Value operand,
                                   Value scale, Value zeroPoint,
                                   std::optional<int64_t> axis) {
  return verifyQuantizedContractionOperand(
      cast<RankedTensorType>(operand.getType()), bool(scale), bool(zeroPoint),
      axis, [&](const Twine &message) -> LogicalResult {
        return op.emitOpError() << "operand '" << name << "' " << message;
      });
}

/// Which result element types go with which bias and activation.
static LogicalResult verifyResultElement(QMatmulOp op) {
  Type element = getElementTypeOrSelf(op.getType());
  if (isa<quant::UniformQuantizedPerAxisType>(element))
    return op.emitOpError()
           << "result must be quantized per tensor, got " << op.getType();
  if (!element.isInteger(32))
    return success();
  if (op.getActivation() != Activation::None)
    return op.emitOpError() << "an i32 result is the plain sum: activation '"
                            << stringifyActivation(op.getActivation())
                            << "' does not apply to it";
  if (op.getBias() && getElementTypeOrSelf(op.getBias()).isF32())
    return op.emitOpError() << "an i32 result is the plain sum: operand 'bias' "
                               "must be i32, got "
                            << op.getBias().getType();
  return success();
}

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
  if (failed(verifyOperand(*this, "lhs", getLhs(), getLhsScale(),
                           getLhsZeroPoint(), std::nullopt)) ||
      failed(verifyOperand(*this, "rhs", getRhs(), getRhsScale(),
                           getRhsZeroPoint(), n)))
    return failure();
  return verifyResultElement(*this);
}

ShapeRule QMatmulOp::getShapeRule() { return getMatmulShapeRule(*this); }

void QMatmulOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                            MLIRContext *context) {
  results.add<TransposeIntoContraction<QMatmulOp>>(context);
}

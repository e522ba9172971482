//===- MatmulOp.cpp - needle.matmul -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float matrix multiplication: shapes, canonicalization, integer form.
//
//===----------------------------------------------------------------------===//

#include "ContractionUtils.h"
#include "ShapeUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace needle;

LogicalResult MatmulOp::inferReturnTypes(
    MLIRContext *context, std::optional<Location> location, ValueRange operands,
    DictionaryAttr attributes, OpaqueProperties properties, RegionRange regions,
    SmallVectorImpl<Type> &inferredReturnTypes) {
  MatmulOpAdaptor adaptor(operands, attributes, properties, regions);
  FailureOr<SmallVector<int64_t>> shape =
      inferMatmulShape(location, getOperationName(), getMatmulTypes(adaptor));
  if (failed(shape))
    return failure();
  inferredReturnTypes.push_back(
      RankedTensorType::get(*shape, Float32Type::get(context)));
  return success();
}

ShapeRule MatmulOp::getShapeRule() { return getMatmulShapeRule(*this); }

void MatmulOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                           MLIRContext *context) {
  results.add<TransposeIntoContraction<MatmulOp>>(context);
}

//===----------------------------------------------------------------------===//
// QuantizableOpInterface
//===----------------------------------------------------------------------===//

SmallVector<QuantizableOperand> MatmulOp::getQuantizableOperands() {
  int64_t rank = getRhs().getType().getRank();
  return {
      {0, "lhs", QuantizableRole::Activation, std::nullopt},
      {1, "rhs", QuantizableRole::Weight, rank - (getTransposeRhs() ? 2 : 1)}};
}

FailureOr<Operation *>
MatmulOp::buildIntegerForm(OpBuilder &builder,
                           ArrayRef<QuantizedOperand> quantized,
                           Type resultType, std::string &reason) {
  SmallVector<QuantizableOperand> operands = getQuantizableOperands();
  if (quantized.size() != operands.size()) {
    reason = "operands 'lhs' and 'rhs' must both be quantized";
    return failure();
  }
  for (auto [name, operand] : {std::pair("lhs", getLhs()), {"rhs", getRhs()}})
    if (operand.getType().getRank() != 2) {
      llvm::raw_string_ostream(reason)
          << "operand '" << name << "' of type '" << operand.getType()
          << "' has batch dimensions: only matrices of rank 2 have an integer "
             "form";
      return failure();
    }
  const QuantizedOperand &lhs = quantized[0], &rhs = quantized[1];
  if (failed(checkQuantizedSource(operands[0], getLhs(), lhs, "N", reason)) ||
      failed(checkQuantizedSource(operands[1], getRhs(), rhs, "N", reason)) ||
      failed(checkIntegerFormResult(*this, resultType, reason)))
    return failure();
  return QMatmulOp::create(builder, getLoc(), resultType, lhs.value, rhs.value,
                           lhs.scale, lhs.zeroPoint, rhs.scale, rhs.zeroPoint,
                           getBias(), getTransposeLhs(), getTransposeRhs(),
                           getActivation())
      .getOperation();
}

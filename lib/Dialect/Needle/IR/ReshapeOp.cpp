//===- ReshapeOp.cpp - needle.reshape ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifier, folding and canonicalization of reshapes.
//
//===----------------------------------------------------------------------===//

#include "ShapeUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace mlir;
using namespace needle;

/// The product of the static dimensions.
static int64_t getStaticProduct(RankedTensorType type) {
  int64_t product = 1;
  for (int64_t dim : type.getShape())
    product *= ShapedType::isDynamic(dim) ? 1 : dim;
  return product;
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

/// The number of elements of operand and result, as far as it is known.
static LogicalResult verifyCounts(ReshapeOp op, RankedTensorType type,
                                  RankedTensorType resultType) {
  int64_t count = getStaticProduct(type);
  int64_t resultCount = getStaticProduct(resultType);
  if (resultType.getNumDynamicDims() != 0 && resultCount == 0)
    return op.emitOpError() << "result " << resultType
                            << " has a dimension of size 0, so that its "
                               "dynamic dimension does not follow from the "
                               "number of elements";
  bool fits = true;
  if (type.hasStaticShape() && resultType.hasStaticShape())
    fits = count == resultCount;
  else if (type.hasStaticShape())
    fits = count % resultCount == 0;
  else if (resultType.hasStaticShape())
    fits = count == 0 ? resultCount == 0 : resultCount % count == 0;
  if (fits)
    return success();
  auto multiple = [](RankedTensorType of) {
    return of.hasStaticShape() ? "" : "a multiple of ";
  };
  return op.emitOpError() << "cannot reshape " << type << " to " << resultType
                          << ": " << multiple(type) << count
                          << " elements against " << multiple(resultType)
                          << resultCount;
}

LogicalResult ReshapeOp::verify() {
  auto type = cast<RankedTensorType>(getOperand().getType());
  auto resultType = cast<RankedTensorType>(getType());
  if (isa<quant::UniformQuantizedPerAxisType>(type.getElementType()))
    return emitOpError() << "operand must not be quantized per axis, got "
                         << type;
  if (type.getElementType() != resultType.getElementType())
    return emitOpError() << "result must have the element type of the operand "
                         << type << ", got " << resultType;
  if (resultType.getNumDynamicDims() > 1)
    return emitOpError() << "result must have at most one dynamic dimension, "
                            "got "
                         << resultType;
  return verifyCounts(*this, type, resultType);
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

ShapeRule ReshapeOp::getShapeRule() {
  ShapeRule rule;
  rule.sameElementCount = true;
  return rule;
}

LogicalResult
ReshapeOp::reifyResultShapes(OpBuilder &builder,
                             ReifiedRankedShapedTypeDims &shapes) {
  auto type = cast<RankedTensorType>(getOperand().getType());
  auto resultType = cast<RankedTensorType>(getType());
  SmallVector<OpFoldResult> dims =
      getAsIndexOpFoldResult(getContext(), resultType.getShape());
  if (!resultType.hasStaticShape()) {
    // One dynamic dimension: number of elements / product of the others.
    Value count = arith::ConstantIndexOp::create(builder, getLoc(), 1);
    for (int64_t i = 0; i < type.getRank(); ++i) {
      Value dim = getValueOrCreateConstantIndexOp(
          builder, getLoc(),
          tensor::getMixedSize(builder, getLoc(), getOperand(), i));
      count = builder.createOrFold<arith::MulIOp>(getLoc(), count, dim);
    }
    Value others = arith::ConstantIndexOp::create(builder, getLoc(),
                                                  getStaticProduct(resultType));
    const int64_t *dynamic =
        llvm::find_if(resultType.getShape(), ShapedType::isDynamic);
    dims[dynamic - resultType.getShape().begin()] =
        builder.createOrFold<arith::DivUIOp>(getLoc(), count, others);
  }
  shapes.push_back(std::move(dims));
  return success();
}

//===----------------------------------------------------------------------===//
// Folding and canonicalization
//===----------------------------------------------------------------------===//

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  auto type = cast<RankedTensorType>(getOperand().getType());
  auto resultType = cast<RankedTensorType>(getType());
  // With two dynamic dimensions equal types need not mean equal shapes, but the
  // result has at most one, which the number of elements then determines.
  if (type == resultType)
    return getOperand();
  if (!resultType.hasStaticShape())
    return {};
  RankedTensorType storage = getStorageTensorType(resultType);
  // The data is shared, so the size does not matter.
  if (auto dense =
          dyn_cast_or_null<DenseIntOrFPElementsAttr>(adaptor.getOperand()))
    return dense.reshape(storage);
  if (auto resource =
          dyn_cast_or_null<DenseResourceElementsAttr>(adaptor.getOperand()))
    return DenseResourceElementsAttr::get(storage, resource.getRawHandle());
  return {};
}

/// Whether every operand that `inner` refuses at run time is refused by a
/// reshape of its operand to `outer` as well.
static bool impliesCheck(RankedTensorType operand, RankedTensorType inner,
                         RankedTensorType outer) {
  if (operand.hasStaticShape())
    return true;
  if (inner.hasStaticShape())
    return outer.hasStaticShape();
  int64_t divisor = getStaticProduct(inner);
  return getStaticProduct(operand) % divisor == 0 ||
         getStaticProduct(outer) % divisor == 0;
}

namespace {
/// reshape(reshape(x)) → reshape(x)
struct ComposeReshapes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    auto producer = op.getOperand().getDefiningOp<ReshapeOp>();
    if (!producer)
      return rewriter.notifyMatchFailure(op, "operand is not a reshape");
    if (!impliesCheck(producer.getOperand().getType(), producer.getType(),
                      op.getType()))
      return rewriter.notifyMatchFailure(
          op, "the run-time check of the first reshape would be lost");
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(),
                                           producer.getOperand());
    return success();
  }
};
} // namespace

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                            MLIRContext *context) {
  results.add<ComposeReshapes>(context);
}

//===- BlockwiseOps.cpp - 4-bit weights in blocks ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dequantize_blockwise and qmatmul_blockwise: shapes, verification,
// canonicalization.
//
//===----------------------------------------------------------------------===//

#include "ShapeUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Quantization/Blockwise.h"

using namespace mlir;
using namespace needle;

//===----------------------------------------------------------------------===//
// The weight
//===----------------------------------------------------------------------===//

/// Emits an error unless `type`, the operand `name`, has one element for each
/// block.
static LogicalResult verifyPerBlock(std::optional<Location> loc,
                                    StringRef opName, StringRef name,
                                    RankedTensorType type,
                                    const BlockwiseShape &shape) {
  int64_t expected[] = {shape.blocks(), shape.columns};
  if (type.getShape() == ArrayRef(expected))
    return success();
  return emitOptionalError(loc, "'", opName, "' op ", name, " must have shape ",
                           expected[0], "x", expected[1],
                           ", one value for each block of ", shape.blockSize,
                           " along K and each column, got ", type);
}

/// Types are inferred before operands are verified: emits an error unless they
/// are matrices.
static LogicalResult verifyMatrices(std::optional<Location> loc,
                                    StringRef opName, ValueRange operands) {
  constexpr StringLiteral names[] = {"lhs", "weight", "scales", "zero_points"};
  bool hasLhs = opName == QMatmulBlockwiseOp::getOperationName();
  for (auto [name, operand] :
       llvm::zip(ArrayRef(names).drop_front(hasLhs ? 0 : 1), operands)) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    if (!type || type.getRank() != 2)
      return emitOptionalError(loc, "'", opName, "' op ", name,
                               " must have rank 2, got ", operand.getType());
  }
  return success();
}

/// Emits an error unless the weight, its parameters and the size of its blocks
/// fit together.
template <typename Adaptor>
static LogicalResult verifyWeight(std::optional<Location> loc, StringRef opName,
                                  Adaptor &adaptor) {
  if (failed(verifyMatrices(loc, opName, adaptor.getOperands())))
    return failure();
  if (!adaptor.getBlockSizeAttr())
    return emitOptionalError(loc, "'", opName,
                             "' op requires attribute 'block_size'");
  auto weight = cast<RankedTensorType>(adaptor.getWeight().getType());
  auto scales = cast<RankedTensorType>(adaptor.getScales().getType());
  int64_t blockSize = adaptor.getBlockSize();
  if (!isValidBlockSize(blockSize))
    return emitOptionalError(
        loc, "'", opName, "' op block_size must be a power of two from ",
        kMinBlockSize, " to ", kMaxBlockSize, ", got ", blockSize);
  if (!weight.hasStaticShape())
    return emitOptionalError(
        loc, "'", opName, "' op weight must have a static shape, got ", weight);
  bool isUnsigned = weight.getElementType().isUnsignedInteger();
  if (isUnsigned && !adaptor.getZeroPoints())
    return emitOptionalError(loc, "'", opName, "' op weight ", weight,
                             " of ui8 needs zero_points: give them, or a "
                             "weight of si8");
  if (!isUnsigned && adaptor.getZeroPoints())
    return emitOptionalError(loc, "'", opName, "' op weight ", weight,
                             " takes no zero_points: leave them out, or give a "
                             "weight of ui8");
  BlockwiseShape shape{weight.getDimSize(0), weight.getDimSize(1), blockSize};
  if (failed(verifyPerBlock(loc, opName, "scales", scales, shape)))
    return failure();
  if (!isUnsigned)
    return success();
  return verifyPerBlock(
      loc, opName, "zero_points",
      cast<RankedTensorType>(adaptor.getZeroPoints().getType()), shape);
}

//===----------------------------------------------------------------------===//
// dequantize_blockwise
//===----------------------------------------------------------------------===//

LogicalResult DequantizeBlockwiseOp::inferReturnTypes(
    MLIRContext *context, std::optional<Location> location, ValueRange operands,
    DictionaryAttr attributes, OpaqueProperties properties, RegionRange regions,
    SmallVectorImpl<Type> &inferredReturnTypes) {
  DequantizeBlockwiseOpAdaptor adaptor(operands, attributes, properties,
                                       regions);
  if (failed(verifyWeight(location, getOperationName(), adaptor)))
    return failure();
  auto weight = cast<RankedTensorType>(adaptor.getWeight().getType());
  inferredReturnTypes.push_back(weight.clone(Float32Type::get(context)));
  return success();
}

ShapeRule DequantizeBlockwiseOp::getShapeRule() {
  return ShapeRule::sameShape(getWeight(), getResult());
}

namespace {

///   %w = needle.dequantize_blockwise %q, %s {block_size = 32}
///   needle.matmul %x, %w bias(%b) {activation = relu}
/// → %y = needle.qmatmul_blockwise %x, %q, %s {block_size = 32}
///   needle.relu (needle.add %y, %b)
struct DequantizeIntoMatmul : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto weight = op.getRhs().getDefiningOp<DequantizeBlockwiseOp>();
    if (!weight)
      return rewriter.notifyMatchFailure(op, "rhs is no 4-bit weight");
    // The kernels read weights that were packed when compiling.
    auto isConstant = [](Value operand) {
      return operand.getDefiningOp<ConstantOp>() != nullptr;
    };
    if (!llvm::all_of(weight->getOperands(), isConstant))
      return rewriter.notifyMatchFailure(op, "the weight is not constant");
    if (op.getTransposeLhs() || op.getTransposeRhs() ||
        op.getLhs().getType().getRank() != 2)
      return rewriter.notifyMatchFailure(op, "lhs is not M x K or rhs not K x "
                                             "N");
    Location loc = op.getLoc();
    Value result = QMatmulBlockwiseOp::create(
        rewriter, loc, op.getType(), op.getLhs(), weight.getWeight(),
        weight.getScales(), weight.getZeroPoints(), weight.getBlockSize(),
        BlockwiseActivations::Float32);
    // The order in which matmul does the same.
    if (op.getBias())
      result = AddOp::create(rewriter, loc, op.getType(), result, op.getBias());
    if (op.getActivation() == Activation::Relu)
      result = ReluOp::create(rewriter, loc, op.getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

void DequantizeBlockwiseOp::getCanonicalizationPatterns(
    RewritePatternSet &results, MLIRContext *context) {
  results.add<DequantizeIntoMatmul>(context);
}

//===----------------------------------------------------------------------===//
// qmatmul_blockwise
//===----------------------------------------------------------------------===//

LogicalResult QMatmulBlockwiseOp::inferReturnTypes(
    MLIRContext *context, std::optional<Location> location, ValueRange operands,
    DictionaryAttr attributes, OpaqueProperties properties, RegionRange regions,
    SmallVectorImpl<Type> &inferredReturnTypes) {
  QMatmulBlockwiseOpAdaptor adaptor(operands, attributes, properties, regions);
  if (failed(verifyWeight(location, getOperationName(), adaptor)))
    return failure();
  auto lhs = cast<RankedTensorType>(adaptor.getLhs().getType());
  auto weight = cast<RankedTensorType>(adaptor.getWeight().getType());
  if (failed(mergeDims(lhs.getDimSize(1), weight.getDimSize(0))))
    return emitOptionalError(location, "'", getOperationName(),
                             "' op K differs: it is ", lhs.getDimSize(1),
                             " in lhs ", lhs, ", but ", weight.getDimSize(0),
                             " in weight ", weight);
  inferredReturnTypes.push_back(RankedTensorType::get(
      {lhs.getDimSize(0), weight.getDimSize(1)}, Float32Type::get(context)));
  return success();
}

ShapeRule QMatmulBlockwiseOp::getShapeRule() {
  ShapeRule rule;
  rule.equal.push_back({{getLhs(), 1, "lhs"}, {getWeight(), 0, "weight"}});
  rule.equal.push_back({{getLhs(), 0, "lhs"}, {getResult(), 0, "result"}});
  rule.equal.push_back(
      {{getWeight(), 1, "weight"}, {getResult(), 1, "result"}});
  return rule;
}

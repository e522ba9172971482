//===- Moving.cpp - Conversion of reverse, slice, pad and concat ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that copy elements to other places become slices of tensors.
//
//===----------------------------------------------------------------------===//

#include "ConversionUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace mlir;
using namespace needle;

/// Whether a tensor has statically no elements.
static bool isEmpty(RankedTensorType type) {
  return llvm::is_contained(type.getShape(), 0);
}

namespace {

///   needle.reverse %x {axes = [0]} : tensor<4xf32>
/// → linalg.generic outs(%e) { tensor.extract %x[3 - linalg.index 0] }
struct ConvertReverse : OpConversionPattern<ReverseOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(ReverseOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value operand = adaptor.getOperand();
    Value dest = createEmptyLike(rewriter, loc, op.getType(), operand);
    int64_t rank = op.getType().getRank();
    SmallVector<Value> last(rank);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    for (int64_t axis : op.getAxes())
      last[axis] = arith::SubIOp::create(
          rewriter, loc, createDim(rewriter, loc, operand, axis), one);
    auto body = [&](OpBuilder &b, Location l, ValueRange) -> Value {
      SmallVector<Value> indices;
      for (int64_t i = 0; i < rank; ++i) {
        Value index = linalg::IndexOp::create(b, l, i);
        indices.push_back(
            last[i] ? Value(arith::SubIOp::create(b, l, last[i], index))
                    : index);
      }
      return tensor::ExtractOp::create(b, l, operand, indices);
    };
    rewriter.replaceOp(op, createElementwise(rewriter, loc, {}, dest, body));
    return success();
  }
};

///   needle.slice %x {starts = [2], limits = [8], steps = [3]} : tensor<8xf32>
/// → tensor.extract_slice %x[2] [2] [3]
struct ConvertSlice : OpConversionPattern<SliceOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(SliceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Value operand = adaptor.getOperand();
    MLIRContext *context = op.getContext();
    RankedTensorType type = op.getType();
    if (isEmpty(type)) {
      // An empty slice at the end starts out of bounds for
      // tensor.extract_slice.
      rewriter.replaceOp(op,
                         createEmptyLike(rewriter, op.getLoc(), type, operand));
      return success();
    }
    auto operandType = cast<RankedTensorType>(operand.getType());
    SmallVector<OpFoldResult> sizes;
    SmallVector<int64_t> shape;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      // A dynamic dimension is taken whole; the result may claim its size.
      shape.push_back(operandType.isDynamicDim(i) ? ShapedType::kDynamic
                                                  : type.getDimSize(i));
      if (operandType.isDynamicDim(i)) {
        sizes.push_back(createDim(rewriter, op.getLoc(), operand, i));
        continue;
      }
      int64_t limit = op.getLimits()[i] == -1 ? operandType.getDimSize(i)
                                              : op.getLimits()[i];
      shape[i] = llvm::divideCeil(limit - op.getStarts()[i], op.getSteps()[i]);
      sizes.push_back(rewriter.getIndexAttr(shape[i]));
    }
    Value slice = tensor::ExtractSliceOp::create(
        rewriter, op.getLoc(), type.clone(shape), operand,
        getAsIndexOpFoldResult(context, op.getStarts()), sizes,
        getAsIndexOpFoldResult(context, op.getSteps()));
    rewriter.replaceOp(op, castTo(rewriter, op.getLoc(), slice, type));
    return success();
  }
};

///   needle.pad %x {low = [1], high = [2], interior = [0]} : tensor<4xf32>
/// → %z = linalg.generic outs(%e) { yield 0.0 }
///   tensor.insert_slice %x into %z[1] [4] [1]
struct ConvertPad : OpConversionPattern<PadOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(PadOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value operand = adaptor.getOperand();
    Value dest = createEmpty(rewriter, loc, op.getType(), [&](unsigned dim) {
      Value width = arith::ConstantIndexOp::create(
          rewriter, loc, op.getLow()[dim] + op.getHigh()[dim]);
      return arith::AddIOp::create(
          rewriter, loc, createDim(rewriter, loc, operand, dim), width);
    });
    Value zeros = createFill(rewriter, loc, dest, 0.0F);
    if (isEmpty(op.getOperand().getType())) {
      rewriter.replaceOp(op, zeros);
      return success();
    }
    SmallVector<int64_t> steps;
    for (int64_t width : op.getInterior())
      steps.push_back(width + 1);
    MLIRContext *context = op.getContext();
    rewriter.replaceOpWithNewOp<tensor::InsertSliceOp>(
        op, operand, zeros, getAsIndexOpFoldResult(context, op.getLow()),
        tensor::getMixedSizes(rewriter, loc, operand),
        getAsIndexOpFoldResult(context, steps));
    return success();
  }
};

///   needle.concat %x, %y {axis = 0} : tensor<2xf32>, tensor<3xf32>
/// → %0 = tensor.insert_slice %x into %e[0] [2] [1]
///   tensor.insert_slice %y into %0[2] [3] [1]
struct ConvertConcat : OpConversionPattern<ConcatOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(ConcatOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    ValueRange operands = adaptor.getOperands();
    unsigned axis = op.getAxis();
    int64_t rank = op.getType().getRank();
    auto add = [&](OpFoldResult a, OpFoldResult b) -> OpFoldResult {
      auto x = getConstantIntValue(a), y = getConstantIntValue(b);
      if (x && y)
        return rewriter.getIndexAttr(*x + *y);
      return arith::AddIOp::create(
                 rewriter, loc,
                 getValueOrCreateConstantIndexOp(rewriter, loc, a),
                 getValueOrCreateConstantIndexOp(rewriter, loc, b))
          .getResult();
    };
    SmallVector<OpFoldResult> starts = {rewriter.getIndexAttr(0)};
    for (Value operand : operands)
      starts.push_back(add(starts.back(),
                           tensor::getMixedSize(rewriter, loc, operand, axis)));
    Value result = createEmpty(rewriter, loc, op.getType(), [&](unsigned dim) {
      return dim == axis
                 ? getValueOrCreateConstantIndexOp(rewriter, loc, starts.back())
                 : createDim(rewriter, loc, operands.front(), dim);
    });
    SmallVector<OpFoldResult> strides(rank, rewriter.getIndexAttr(1));
    for (auto [operand, start] : llvm::zip(operands, starts)) {
      if (isEmpty(cast<RankedTensorType>(operand.getType())))
        continue;
      SmallVector<OpFoldResult> offsets(rank, rewriter.getIndexAttr(0));
      offsets[axis] = start;
      result = tensor::InsertSliceOp::create(
          rewriter, loc, operand, result, offsets,
          tensor::getMixedSizes(rewriter, loc, operand), strides);
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

void needle::populateMovingPatterns(const TypeConverter &converter,
                                    RewritePatternSet &patterns) {
  patterns.add<ConvertConcat, ConvertPad, ConvertReverse, ConvertSlice>(
      converter, patterns.getContext());
}

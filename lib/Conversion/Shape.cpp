//===- Shape.cpp - Conversion of operations that move elements ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// transpose, reshape and observe.
//
//===----------------------------------------------------------------------===//

#include "ConversionUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace mlir;
using namespace needle;

namespace {

///   needle.transpose %x {permutation = [1, 0]} : tensor<2x3xf32> ->
///   tensor<3x2xf32>
/// → linalg.generic {(d0, d1) -> (d1, d0)} ins(%x) { yield %x }
struct ConvertTranspose : OpConversionPattern<TransposeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(TransposeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(
        op.getResult().getType());
    Value operand = adaptor.getOperand();
    ArrayRef<int64_t> permutation = op.getPermutation();
    Value dest = createEmpty(rewriter, op.getLoc(), type, [&](unsigned dim) {
      return createDim(rewriter, op.getLoc(), operand, permutation[dim]);
    });
    AffineMap map = inversePermutation(
        AffineMap::getPermutationMap(permutation, op.getContext()));
    rewriter.replaceOp(
        op, createElementwise(rewriter, op.getLoc(), {{operand, map}}, dest,
                              [](OpBuilder &, Location, ValueRange args) {
                                return args[0];
                              }));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

/// The product of the static dimensions.
int64_t getStaticProduct(ArrayRef<int64_t> shape) {
  int64_t product = 1;
  for (int64_t size : shape)
    if (!ShapedType::isDynamic(size))
      product *= size;
  return product;
}

/// `type` with its only dynamic dimension computed from `numElements`.
RankedTensorType makeStatic(RankedTensorType type, int64_t numElements) {
  int64_t product = getStaticProduct(type.getShape());
  SmallVector<int64_t> shape(type.getShape());
  llvm::replace(shape, ShapedType::kDynamic, numElements / product);
  return type.clone(shape);
}

/// Builds the parts of a reshape between tensors of which no static dimension
/// is zero.
class ReshapeBuilder {
public:
  ReshapeBuilder(OpBuilder &builder, Location loc)
      : builder(builder), loc(loc) {}

  /// `source` in the shape of `target`, where at most one dimension is dynamic.
  Value reshape(Value source, RankedTensorType target) {
    Value reshaped = reshapeKnown(source, target);
    return castTo(reshaped, target);
  }

private:
  Value castTo(Value value, RankedTensorType type) {
    if (value.getType() == type)
      return value;
    return tensor::CastOp::create(builder, loc, type, value);
  }

  /// A static number of elements on one side makes the other side static too.
  Value reshapeKnown(Value source, RankedTensorType target) {
    auto type = cast<RankedTensorType>(source.getType());
    if (type.hasStaticShape()) {
      target = makeStatic(target, type.getNumElements());
    } else if (target.hasStaticShape() && type.getNumDynamicDims() == 1) {
      type = makeStatic(type, target.getNumElements());
      source = castTo(source, type);
    } else if (target.hasStaticShape() && target.getRank() == 0) {
      // Every dimension of one element is 1.
      type = type.clone(SmallVector<int64_t>(type.getRank(), 1));
      source = castTo(source, type);
    }
    if (type == target)
      return source;
    // Groups of static dimensions have equal sizes. With at most one dynamic
    // dimension in the result there is at most one other group, whose sizes are
    // then equal because the numbers of elements are.
    if (auto groups = getReassociationIndicesForReshape(type, target))
      return regroup(source, target, *groups);
    return throughFlat(source, target);
  }

  Value regroup(Value source, RankedTensorType target,
                ArrayRef<ReassociationIndices> groups) {
    auto type = cast<RankedTensorType>(source.getType());
    if (type.getRank() > target.getRank())
      return tensor::CollapseShapeOp::create(builder, loc, target, source,
                                             groups);
    return expand(source, target, groups);
  }

  Value expand(Value source, RankedTensorType target,
               ArrayRef<ReassociationIndices> groups) {
    SmallVector<OpFoldResult> sizes =
        getAsIndexOpFoldResult(builder.getContext(), target.getShape());
    for (auto [dim, group] : llvm::enumerate(groups))
      for (int64_t i : group)
        if (target.isDynamicDim(i))
          sizes[i] = divide(createDim(builder, loc, source, dim),
                            getStaticProduct(target.getShape().slice(
                                group.front(), group.size())));
    return tensor::ExpandShapeOp::create(builder, loc, target, source, groups,
                                         sizes);
  }

  Value divide(Value size, int64_t divisor) {
    if (divisor == 1)
      return size;
    return arith::DivUIOp::create(
        builder, loc, size,
        arith::ConstantIndexOp::create(builder, loc, divisor));
  }

  /// By way of one dimension, which is always possible without a copy.
  Value throughFlat(Value source, RankedTensorType target) {
    auto type = cast<RankedTensorType>(source.getType());
    auto allDims = [](int64_t rank) {
      return ReassociationIndices(llvm::to_vector<2>(llvm::seq(rank)));
    };
    int64_t numElements =
        type.hasStaticShape() ? type.getNumElements() : ShapedType::kDynamic;
    Value flat = source;
    if (type.getRank() > 1)
      flat = tensor::CollapseShapeOp::create(
          builder, loc, type.clone({numElements}), source,
          ArrayRef<ReassociationIndices>{allDims(type.getRank())});
    if (target.hasStaticShape())
      flat = castTo(flat, type.clone({target.getNumElements()}));
    if (target.getRank() == 1)
      return flat;
    return expand(flat, target, {allDims(target.getRank())});
  }

  OpBuilder &builder;
  Location loc;
};

///   needle.reshape %x : tensor<?x28x28xf32> -> tensor<?x784xf32>
/// → tensor.collapse_shape %x [[0], [1, 2]]
/// or tensor.expand_shape, or a collapse to one dimension and an expansion;
/// none of them copies.
struct ConvertReshape : OpConversionPattern<ReshapeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(ReshapeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(
        op.getResult().getType());
    Value source = adaptor.getOperand();
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(source.getType()).getShape();
    if (llvm::is_contained(shape, 0) ||
        llvm::is_contained(type.getShape(), 0)) {
      // Without elements there is nothing to divide; a dynamic dimension is 0.
      rewriter.replaceOp(
          op, createEmpty(rewriter, op.getLoc(), type, [&](unsigned) {
            return arith::ConstantIndexOp::create(rewriter, op.getLoc(), 0);
          }));
      return success();
    }
    rewriter.replaceOp(
        op, ReshapeBuilder(rewriter, op.getLoc()).reshape(source, type));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

///   %y = needle.observe %x → %x
struct ConvertObserve : OpConversionPattern<ObserveOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(ObserveOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Value operand = adaptor.getOperand();
    if (operand.getType() != op.getResult().getType())
      operand = tensor::CastOp::create(rewriter, op.getLoc(),
                                       op.getResult().getType(), operand);
    rewriter.replaceOp(op, operand);
    return success();
  }
};

///   tensor.dim %x : tensor<?x!quant.uniform<u8:f32, 0.5>>
/// → tensor.dim %x : tensor<?xi8>
template <typename OpT>
struct ConvertTypesOnly : OpConversionPattern<OpT> {
  using OpConversionPattern<OpT>::OpConversionPattern;

  LogicalResult
  matchAndRewrite(OpT op, typename OpT::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type type = this->getTypeConverter()->convertType(op.getType());
    rewriter.replaceOpWithNewOp<OpT>(op, type, adaptor.getOperands(),
                                     op->getAttrs());
    return success();
  }
};

} // namespace

void needle::populateShapePatterns(const TypeConverter &converter,
                                   RewritePatternSet &patterns) {
  patterns
      .add<ConvertObserve, ConvertReshape, ConvertTranspose,
           ConvertTypesOnly<tensor::CastOp>, ConvertTypesOnly<tensor::DimOp>>(
          converter, patterns.getContext());
}

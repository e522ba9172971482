//===- Reduction.cpp - Conversion of sums and maxima ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConversionUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include <limits>

using namespace mlir;
using namespace needle;

namespace {

/// Sums of more elements than this, or of an unknown number, are formed in f64:
/// in f32 their error would grow with their length (N7, B5).
constexpr int64_t mostNarrowTerms = 512;

/// The type in which a reduction combines its elements.
Type getCombinedType(ReduceSumOp op) {
  auto type = cast<RankedTensorType>(op.getOperand().getType());
  int64_t terms = 1;
  for (int64_t axis : op.getAxes()) {
    int64_t size = type.getDimSize(axis);
    if (ShapedType::isDynamic(size) || size > mostNarrowTerms ||
        (terms *= std::max<int64_t>(size, 1)) > mostNarrowTerms)
      return Float64Type::get(op.getContext());
  }
  return Float32Type::get(op.getContext());
}
Type getCombinedType(ReduceMaxOp op) {
  return Float32Type::get(op.getContext());
}

Value emitCombiner(ReduceSumOp, OpBuilder &builder, Location loc, Value sum,
                   Value x) {
  if (sum.getType() != x.getType())
    x = arith::ExtFOp::create(builder, loc, sum.getType(), x);
  // The order of a sum is the compiler's to choose (N7), so that it can be
  // evaluated in vectors; only these additions may be reordered.
  return arith::AddFOp::create(builder, loc, sum, x,
                               arith::FastMathFlags::reassoc);
}
Value emitCombiner(ReduceMaxOp, OpBuilder &builder, Location loc, Value max,
                   Value x) {
  return arith::MaximumFOp::create(builder, loc, max, x);
}

float getIdentity(ReduceSumOp) { return 0.0F; }
float getIdentity(ReduceMaxOp) {
  return -std::numeric_limits<float>::infinity();
}

/// The groups of dimensions of a result with `axes` of size 1 that make up the
/// dimensions of the result without them.
SmallVector<ReassociationIndices> groupAround(ArrayRef<int64_t> axes,
                                              int64_t rank) {
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices pending;
  for (int64_t i = 0; i < rank; ++i) {
    bool isReduced = llvm::is_contained(axes, i);
    // Unit dimensions join the dimension before them, leading ones the first.
    if (isReduced && !groups.empty()) {
      groups.back().push_back(i);
      continue;
    }
    pending.push_back(i);
    if (!isReduced) {
      groups.push_back(pending);
      pending.clear();
    }
  }
  return groups;
}

///   needle.reduce_sum %x {axes = [1]} : tensor<?x8xf32> -> tensor<?xf32>
/// → %z = linalg.generic outs(%e) { yield 0.0 }
///   linalg.generic {(d0, d1) -> (d0, d1), (d0, d1) -> (d0)}
///     ["parallel", "reduction"] ins(%x) outs(%z) { addf reassoc }
/// with tensor.expand_shape behind it for `keepdims`. Where elements are
/// combined in f64, %z is a tensor of f64, extf comes before addf, and an
/// elementwise truncf after the sum.
template <typename OpT>
struct ConvertReduction : OpConversionPattern<OpT> {
  using OpConversionPattern<OpT>::OpConversionPattern;

  LogicalResult
  matchAndRewrite(OpT op, typename OpT::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value operand = adaptor.getOperand();
    auto type = cast<RankedTensorType>(operand.getType());
    int64_t rank = type.getRank();
    SmallVector<int64_t> kept, shape;
    SmallVector<AffineExpr> indices;
    SmallVector<utils::IteratorType> iterators;
    for (int64_t i = 0; i < rank; ++i) {
      bool isReduced = llvm::is_contained(op.getAxes(), i);
      iterators.push_back(isReduced ? utils::IteratorType::reduction
                                    : utils::IteratorType::parallel);
      if (isReduced)
        continue;
      kept.push_back(i);
      shape.push_back(type.getDimSize(i));
      indices.push_back(rewriter.getAffineDimExpr(i));
    }
    Type combined = getCombinedType(op);
    auto createDest = [&](Type element) {
      return createEmpty(rewriter, loc, RankedTensorType::get(shape, element),
                         [&](unsigned dim) {
                           return createDim(rewriter, loc, operand, kept[dim]);
                         });
    };
    Value identity =
        createFill(rewriter, loc, createDest(combined), getIdentity(op));
    SmallVector<AffineMap> maps = {
        rewriter.getMultiDimIdentityMap(rank),
        AffineMap::get(rank, 0, indices, op.getContext())};
    Value result = linalg::GenericOp::create(
                       rewriter, loc, identity.getType(), operand, identity,
                       maps, iterators,
                       [&](OpBuilder &b, Location l, ValueRange args) {
                         linalg::YieldOp::create(
                             b, l, emitCombiner(op, b, l, args[1], args[0]));
                       })
                       .getResult(0);
    AffineMap identityMap = rewriter.getMultiDimIdentityMap(kept.size());
    if (combined != type.getElementType())
      result = createElementwise(
          rewriter, loc, LoopInput{result, identityMap},
          createDest(type.getElementType()),
          [&](OpBuilder &b, Location l, ValueRange args) -> Value {
            return arith::TruncFOp::create(b, l, type.getElementType(),
                                           args.front());
          });
    if (op.getKeepdims() && !op.getAxes().empty())
      result = restoreAxes(op, result, rewriter);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, op.getType()));
    return success();
  }

private:
  static Value restoreAxes(OpT op, Value result, OpBuilder &builder) {
    Location loc = op.getLoc();
    auto reduced = cast<RankedTensorType>(result.getType());
    int64_t rank = op.getType().getRank();
    SmallVector<int64_t> shape;
    SmallVector<OpFoldResult> sizes;
    int64_t next = 0;
    for (int64_t i = 0; i < rank; ++i) {
      bool isReduced = llvm::is_contained(op.getAxes(), i);
      shape.push_back(isReduced ? 1 : reduced.getDimSize(next));
      sizes.push_back(isReduced
                          ? OpFoldResult(builder.getIndexAttr(1))
                          : tensor::getMixedSize(builder, loc, result, next++));
    }
    return tensor::ExpandShapeOp::create(
        builder, loc, reduced.clone(shape), result,
        groupAround(op.getAxes(), rank), sizes);
  }
};

} // namespace

void needle::populateReductionPatterns(const TypeConverter &converter,
                                       RewritePatternSet &patterns) {
  patterns.add<ConvertReduction<ReduceSumOp>, ConvertReduction<ReduceMaxOp>>(
      converter, patterns.getContext());
}

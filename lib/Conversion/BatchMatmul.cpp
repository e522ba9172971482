//===- BatchMatmul.cpp - Conversion of batches of matrix products ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PanelBuilder.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

using namespace mlir;
using namespace needle;

namespace {

/// A batch of matrices, or of one that serves for all.
struct Batch {
  Value tensor;
  RankedTensorType type;

  explicit Batch(Value tensor)
      : tensor(tensor), type(cast<RankedTensorType>(tensor.getType())) {}

  /// The matrix at `indices` of the result's batch dimensions.
  Value getMatrix(OpBuilder &builder, Location loc, ValueRange indices,
                  ArrayRef<OpFoldResult> sizes) const {
    int64_t batch = type.getRank() - 2;
    if (batch == 0)
      return tensor;
    SmallVector<OpFoldResult> offsets = getOffsets(builder, indices);
    SmallVector<OpFoldResult> strides(type.getRank(), builder.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(
        builder, loc, getMatrixType(), tensor, offsets,
        getSliceSizes(builder, sizes), strides);
  }
  Value insertMatrix(OpBuilder &builder, Location loc, Value matrix, Value into,
                     ValueRange indices, ArrayRef<OpFoldResult> sizes) const {
    SmallVector<OpFoldResult> strides(type.getRank(), builder.getIndexAttr(1));
    return tensor::InsertSliceOp::create(
        builder, loc, matrix, into, getOffsets(builder, indices),
        getSliceSizes(builder, sizes), strides);
  }
  RankedTensorType getMatrixType() const {
    return type.clone(type.getShape().take_back(2));
  }

private:
  SmallVector<OpFoldResult> getOffsets(OpBuilder &builder,
                                       ValueRange indices) const {
    SmallVector<OpFoldResult> offsets;
    int64_t batch = type.getRank() - 2;
    for (auto [dim, index] : llvm::enumerate(indices.take_back(batch)))
      offsets.push_back(type.getDimSize(dim) == 1
                            ? OpFoldResult(builder.getIndexAttr(0))
                            : OpFoldResult(index));
    offsets.append(2, builder.getIndexAttr(0));
    return offsets;
  }
  SmallVector<OpFoldResult> getSliceSizes(OpBuilder &builder,
                                          ArrayRef<OpFoldResult> sizes) const {
    SmallVector<OpFoldResult> all(type.getRank() - 2, builder.getIndexAttr(1));
    llvm::append_range(all, sizes);
    return all;
  }
};

/// A batch of matrix products.
///
///   needle.matmul %x, %w : tensor<?x4x8xf32>, tensor<8x16xf32>
/// → %m = tensor.collapse_shape %x [[0, 1], [2]]
///   needle.matmul %m, %w : tensor<?x8xf32>, tensor<8x16xf32>
///   tensor.expand_shape … to tensor<?x4x16xf32>
/// and otherwise loops over the batch, with one buffer of panels for all:
///   scf.for %i … iter_args(%d, %p) {
///     needle_cpu.pack_rhs ins(%w[%i]) outs(%p)
///     needle_cpu.matmul ins(%x[%i], %p) outs(%d[%i])
struct ConvertBatchMatmul : OpConversionPattern<MatmulOp> {
  ConvertBatchMatmul(const TypeConverter &converter, MLIRContext *context,
                     int64_t panel)
      : OpConversionPattern(converter, context), panel(panel) {}

  LogicalResult
  matchAndRewrite(MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (op.getType().getRank() == 2)
      return rewriter.notifyMatchFailure(op, "has no batch");
    if (Value empty = multiplyNothing(op, adaptor, rewriter)) {
      rewriter.replaceOp(op, empty);
      return success();
    }
    bool isOneRhs = op.getRhs().getType().getRank() == 2;
    rewriter.replaceOp(op, isOneRhs && !op.getTransposeLhs()
                               ? collapse(op, adaptor, rewriter)
                               : loop(op, adaptor, rewriter));
    return success();
  }

private:
  /// The product of matrices of static shapes without rows, columns or terms:
  /// upstream has no slices of what is empty. Null for any other.
  Value multiplyNothing(MatmulOp op, OpAdaptor adaptor,
                        OpBuilder &builder) const {
    auto isEmpty = [](Value value) {
      return llvm::is_contained(
          cast<RankedTensorType>(value.getType()).getShape(), 0);
    };
    Value lhs = adaptor.getLhs(), rhs = adaptor.getRhs();
    RankedTensorType type = op.getType();
    if (!type.hasStaticShape() || !(isEmpty(lhs) || isEmpty(rhs)))
      return {};
    Location loc = op.getLoc();
    Value dest = tensor::EmptyOp::create(builder, loc, type, ValueRange());
    Value result = createFill(builder, loc, dest, 0.0F);
    if (op.getBias())
      result = AddOp::create(builder, loc, type, result, op.getBias());
    if (op.getActivation() == Activation::Relu)
      result = ReluOp::create(builder, loc, type, result);
    return result;
  }

  Value collapse(MatmulOp op, OpAdaptor adaptor, OpBuilder &builder) const {
    Location loc = op.getLoc();
    Value lhs = adaptor.getLhs();
    auto lhsType = cast<RankedTensorType>(lhs.getType());
    RankedTensorType type = op.getType();
    int64_t rank = type.getRank();
    int64_t rows = 1;
    for (int64_t size : lhsType.getShape().drop_back())
      rows = ShapedType::isDynamic(rows) || ShapedType::isDynamic(size)
                 ? ShapedType::kDynamic
                 : rows * size;
    SmallVector<ReassociationIndices> groups = {
        ReassociationIndices(llvm::to_vector<2>(llvm::seq(rank - 1))),
        {rank - 1}};
    Value matrix = tensor::CollapseShapeOp::create(
        builder, loc, lhsType.clone({rows, lhsType.getShape().back()}), lhs,
        groups);
    auto product = MatmulOp::create(
        builder, loc, type.clone({rows, type.getShape().back()}), matrix,
        adaptor.getRhs(), adaptor.getBias(), /*transpose_lhs=*/false,
        op.getTransposeRhs(), op.getActivation());
    // The batch of the result is that of lhs.
    SmallVector<int64_t> shape(lhsType.getShape().drop_back());
    shape.push_back(type.getShape().back());
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, lhs);
    sizes.back() = tensor::getMixedSize(builder, loc, product, 1);
    Value expanded = tensor::ExpandShapeOp::create(
        builder, loc, type.clone(shape), product, groups, sizes);
    return castTo(builder, loc, expanded, type);
  }

  Value loop(MatmulOp op, OpAdaptor adaptor, OpBuilder &builder) const {
    Location loc = op.getLoc();
    PanelBuilder build(builder, loc, panel);
    Batch lhs(adaptor.getLhs()), rhs(adaptor.getRhs());
    RankedTensorType type = op.getType();
    int64_t batch = type.getRank() - 2;
    auto sizesOf = [&](const Batch &side) {
      return SmallVector<OpFoldResult>(
          ArrayRef(tensor::getMixedSizes(builder, loc, side.tensor))
              .take_back(2));
    };
    SmallVector<OpFoldResult> lhsSizes = sizesOf(lhs), rhsSizes = sizesOf(rhs);
    SmallVector<OpFoldResult> sizes = {lhsSizes[op.getTransposeLhs() ? 1 : 0],
                                       rhsSizes[op.getTransposeRhs() ? 0 : 1]};
    auto toValue = [&](OpFoldResult size) {
      return getValueOrCreateConstantIndexOp(builder, loc, size);
    };
    SmallVector<Value> extents;
    for (int64_t i = 0; i < batch; ++i)
      extents.push_back(createBatchDim(builder, loc, lhs, rhs, type, i));
    Value dest = createEmpty(builder, loc, type, [&](unsigned dim) {
      return dim < batch ? extents[dim] : toValue(sizes[dim - batch]);
    });
    Batch result(dest);
    Value panels = build.createPanels(rhs.tensor, op.getTransposeRhs(),
                                      builder.getF32Type());
    if (rhs.type.getRank() == 2)
      panels = build.packFloat(rhs.tensor, panels, op.getTransposeRhs());

    SmallVector<Value> zeros(batch,
                             arith::ConstantIndexOp::create(builder, loc, 0));
    SmallVector<Value> ones(batch,
                            arith::ConstantIndexOp::create(builder, loc, 1));
    auto body = [&](OpBuilder &b, Location l, ValueRange indices,
                    ValueRange carried) -> scf::ValueVector {
      PanelBuilder inner(b, l, panel);
      Value packed = carried[1];
      if (rhs.type.getRank() > 2)
        packed = inner.packFloat(rhs.getMatrix(b, l, indices, rhsSizes), packed,
                                 op.getTransposeRhs());
      Value into = Batch(carried[0]).getMatrix(b, l, indices, sizes);
      Value product =
          cpu::MatmulOp::create(b, l, into.getType(),
                                lhs.getMatrix(b, l, indices, lhsSizes), packed,
                                adaptor.getBias(), into, /*workspace=*/Value(),
                                op.getTransposeLhs(),
                                /*window=*/DenseI64ArrayAttr(),
                                /*depthwise=*/false, op.getActivation())
              .getResult(0);
      return {result.insertMatrix(b, l, product, carried[0], indices, sizes),
              packed};
    };
    return scf::buildLoopNest(builder, loc, zeros, extents, ones,
                              ValueRange{dest, panels}, body)
        .results.front();
  }

  /// The size of batch dimension i of the result.
  static Value createBatchDim(OpBuilder &builder, Location loc,
                              const Batch &lhs, const Batch &rhs,
                              RankedTensorType type, int64_t i) {
    for (const Batch &side : {lhs, rhs}) {
      int64_t own = i - (type.getRank() - side.type.getRank());
      if (own >= 0 && side.type.getDimSize(own) != 1)
        return createDim(builder, loc, side.tensor, own);
    }
    return arith::ConstantIndexOp::create(builder, loc, 1);
  }

  int64_t panel;
};

} // namespace

void needle::populateBatchMatmulPatterns(const TypeConverter &converter,
                                         int64_t panel,
                                         RewritePatternSet &patterns) {
  patterns.add<ConvertBatchMatmul>(converter, patterns.getContext(), panel);
}

//===- Contraction.cpp - Conversion of matrix multiplications -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// matmul and qmatmul become needle_cpu operations on a packed right-hand side.
//
//===----------------------------------------------------------------------===//

#include "ConversionUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace needle;
using mlir::quant::QuantizedType;
using mlir::quant::UniformQuantizedPerAxisType;
using mlir::quant::UniformQuantizedType;

namespace {

Type getElementType(Value value) {
  return cast<ShapedType>(value.getType()).getElementType();
}

/// How a stored integer maps to a number, as far as it is known statically.
struct IntegerEncoding {
  bool isUnsigned = false;
  /// One per column, or one for all. Empty if they are operands.
  SmallVector<float> scales;
  SmallVector<int32_t> zeroPoints;

  static IntegerEncoding of(Type elementType) {
    IntegerEncoding encoding;
    if (auto uniform = dyn_cast<UniformQuantizedType>(elementType)) {
      encoding.scales = {static_cast<float>(uniform.getScale())};
      encoding.zeroPoints = {static_cast<int32_t>(uniform.getZeroPoint())};
    } else if (auto perAxis =
                   dyn_cast<UniformQuantizedPerAxisType>(elementType)) {
      encoding.scales.assign(perAxis.getScales().begin(),
                             perAxis.getScales().end());
      encoding.zeroPoints.assign(perAxis.getZeroPoints().begin(),
                                 perAxis.getZeroPoints().end());
    }
    auto quantized = dyn_cast<QuantizedType>(elementType);
    encoding.isUnsigned =
        quantized ? !quantized.isSigned() : elementType.isUnsignedInteger();
    return encoding;
  }

  bool isStatic() const { return !scales.empty(); }
  /// Stored values can be multiplied as they are, as signed 8-bit integers.
  bool isPlainInt8() const {
    return !isUnsigned && isStatic() && !hasZeroPoint();
  }
  bool hasZeroPoint() const {
    return llvm::any_of(zeroPoints, [](int32_t z) { return z != 0; });
  }
};

/// Builds what both contractions need.
class ContractionBuilder {
public:
  ContractionBuilder(OpBuilder &builder, Location loc, int64_t panel)
      : builder(builder), loc(loc), panel(panel) {}

  /// ceil(size / divisor) of a dimension.
  Value ceilDiv(Value size, int64_t divisor) {
    Value sum = arith::AddIOp::create(
        builder, loc, size,
        arith::ConstantIndexOp::create(builder, loc, divisor - 1));
    return arith::DivUIOp::create(
        builder, loc, sum,
        arith::ConstantIndexOp::create(builder, loc, divisor));
  }

  /// The destination of pack_rhs for the matrices in the last two dimensions of
  /// `rhs`: panels of f32, or of pairs of integers.
  Value createPanels(Value rhs, bool transposed, Type element) {
    bool isFloat = element.isF32();
    auto type = cast<RankedTensorType>(rhs.getType());
    unsigned batch = type.getRank() - 2;
    unsigned kDim = batch + (transposed ? 1 : 0), nDim = 2 * batch + 1 - kDim;
    auto shrink = [](int64_t size, int64_t divisor) {
      return ShapedType::isDynamic(size)
                 ? size
                 : static_cast<int64_t>(llvm::divideCeil(size, divisor));
    };
    int64_t step = isFloat ? 1 : 2;
    SmallVector<int64_t> shape{shrink(type.getDimSize(nDim), panel),
                               shrink(type.getDimSize(kDim), step), panel};
    if (!isFloat)
      shape.push_back(2);
    return createEmpty(
        builder, loc, RankedTensorType::get(shape, element), [&](unsigned dim) {
          Value size = createDim(builder, loc, rhs, dim == 0 ? nDim : kDim);
          int64_t divisor = dim == 0 ? panel : step;
          return divisor == 1 ? size : ceilDiv(size, divisor);
        });
  }

  /// pack_rhs of a matrix of f32.
  Value packFloat(Value rhs, Value panels, bool transposed) {
    return cpu::PackRhsOp::create(builder, loc, panels.getType(), rhs,
                                  /*zero_point=*/Value(), panels, transposed,
                                  /*source_unsigned=*/false,
                                  /*zero_points=*/DenseI32ArrayAttr())
        .getResult(0);
  }

  /// The destination of the contraction, M×N.
  Value createDest(RankedTensorType type, Value lhs, bool transposeLhs,
                   Value rhs, bool transposeRhs) {
    return createEmpty(builder, loc, type, [&](unsigned dim) {
      return dim == 0 ? createDim(builder, loc, lhs, transposeLhs ? 1 : 0)
                      : createDim(builder, loc, rhs, transposeRhs ? 0 : 1);
    });
  }

  /// The combined scales f32(sa · sb) of N5, one per column, which is dimension
  /// `nDim` of `columns`: a weight when they are known and so is N, else
  /// computed at run time.
  Value createScales(const IntegerEncoding &lhs, Value lhsScale,
                     const IntegerEncoding &rhs, Value rhsScale, Value columns,
                     unsigned nDim) {
    int64_t n = cast<RankedTensorType>(columns.getType()).getDimSize(nDim);
    if (lhs.isStatic() && rhs.isStatic() && !ShapedType::isDynamic(n)) {
      SmallVector<float> products;
      for (int64_t i = 0; i < n; ++i)
        products.push_back(lhs.scales[0] *
                           rhs.scales[rhs.scales.size() == 1 ? 0 : i]);
      return createWeight(builder, loc, products);
    }
    auto type = RankedTensorType::get({n}, builder.getF32Type());
    Value dest = createEmpty(builder, loc, type, [&](unsigned) {
      return createDim(builder, loc, columns, nDim);
    });
    SmallVector<LoopInput> inputs;
    unsigned a = addScale(lhs, lhsScale, inputs);
    unsigned b = addScale(rhs, rhsScale, inputs);
    return createElementwise(
        builder, loc, inputs, dest,
        [&](OpBuilder &nested, Location l, ValueRange args) -> Value {
          auto scaleOf = [&](unsigned input,
                             const IntegerEncoding &side) -> Value {
            if (input < args.size())
              return args[input];
            return arith::ConstantOp::create(
                nested, l, nested.getF32FloatAttr(side.scales[0]));
          };
          Value left = scaleOf(a, lhs), right = scaleOf(b, rhs);
          return arith::MulFOp::create(nested, l, left, right);
        });
  }

private:
  /// Appends the scale of one side unless it is one constant, for which it
  /// returns an index that no input has.
  unsigned addScale(const IntegerEncoding &side, Value scale,
                    SmallVectorImpl<LoopInput> &inputs) {
    if (side.scales.size() == 1)
      return ~0U;
    if (side.isStatic())
      inputs.push_back({createWeight(builder, loc, side.scales),
                        builder.getMultiDimIdentityMap(1)});
    else
      inputs.push_back({scale, AffineMap::get(1, 0, builder.getContext())});
    return inputs.size() - 1;
  }

  OpBuilder &builder;
  Location loc;
  int64_t panel;
};

///   needle.matmul %x, %w : tensor<?x784xf32>, tensor<784x256xf32> ->
///   tensor<?x256xf32>
/// → %p = needle_cpu.pack_rhs ins(%w) outs(%e0) -> tensor<16x784x16xf32>
///   needle_cpu.matmul ins(%x, %p) outs(%e1) -> tensor<?x256xf32>
struct ConvertMatmul : OpConversionPattern<MatmulOp> {
  ConvertMatmul(const TypeConverter &converter, MLIRContext *context,
                int64_t panel)
      : OpConversionPattern(converter, context), panel(panel) {}

  LogicalResult
  matchAndRewrite(MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (op.getType().getRank() > 2)
      return rewriter.notifyMatchFailure(op, "has a batch");
    Location loc = op.getLoc();
    ContractionBuilder build(rewriter, loc, panel);
    Value lhs = adaptor.getLhs(), rhs = adaptor.getRhs();
    RankedTensorType type = op.getResult().getType();
    Value panels =
        build.createPanels(rhs, op.getTransposeRhs(), rewriter.getF32Type());
    Value packed = build.packFloat(rhs, panels, op.getTransposeRhs());
    Value dest = build.createDest(type, lhs, op.getTransposeLhs(), rhs,
                                  op.getTransposeRhs());
    rewriter.replaceOpWithNewOp<cpu::MatmulOp>(
        op, TypeRange(type), lhs, packed, adaptor.getBias(), dest,
        /*workspace=*/Value(), op.getTransposeLhs(), op.getActivation());
    return success();
  }

private:
  int64_t panel;
};

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
    bool isOneRhs = op.getRhs().getType().getRank() == 2;
    rewriter.replaceOp(op, isOneRhs && !op.getTransposeLhs()
                               ? collapse(op, adaptor, rewriter)
                               : loop(op, adaptor, rewriter));
    return success();
  }

private:
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
    ContractionBuilder build(builder, loc, panel);
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
      ContractionBuilder inner(b, l, panel);
      Value packed = carried[1];
      if (rhs.type.getRank() > 2)
        packed = inner.packFloat(rhs.getMatrix(b, l, indices, rhsSizes), packed,
                                 op.getTransposeRhs());
      Value into = Batch(carried[0]).getMatrix(b, l, indices, sizes);
      Value product =
          cpu::MatmulOp::create(b, l, into.getType(),
                                lhs.getMatrix(b, l, indices, lhsSizes), packed,
                                adaptor.getBias(), into, /*workspace=*/Value(),
                                op.getTransposeLhs(), op.getActivation())
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

///   needle.qmatmul %x, %w : tensor<?x784x!quant.uniform<u8:f32, 0.5:3>>,
///       tensor<784x256x!quant.uniform<i8:f32, 0.25>> -> tensor<?x256xf32>
/// → %p = needle_cpu.pack_rhs ins(%w) outs(%e0) -> tensor<16x392x16x2xi8>
///   %s = needle_cpu.weight dense<0.125> -> tensor<256xf32>
///   needle_cpu.qmatmul ins(%x, %p, scales %s) outs(%e1)
///     {lhs_unsigned, lhs_zero_point = 3} -> tensor<?x256xf32>
struct ConvertQMatmul : OpConversionPattern<QMatmulOp> {
  ConvertQMatmul(const TypeConverter &converter, MLIRContext *context,
                 int64_t panel)
      : OpConversionPattern(converter, context), panel(panel) {}

  LogicalResult
  matchAndRewrite(QMatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    ContractionBuilder build(rewriter, loc, panel);
    Value lhs = adaptor.getLhs(), rhs = adaptor.getRhs();
    auto lhsEncoding = IntegerEncoding::of(getElementType(op.getLhs()));
    auto rhsEncoding = IntegerEncoding::of(getElementType(op.getRhs()));
    auto type = getTypeConverter()->convertType<RankedTensorType>(
        op.getResult().getType());

    Value packed = pack(op, adaptor, rhsEncoding, build, rewriter);
    Value scales;
    if (!type.getElementType().isInteger(32))
      scales = build.createScales(lhsEncoding, adaptor.getLhsScale(),
                                  rhsEncoding, adaptor.getRhsScale(), rhs,
                                  op.getTransposeRhs() ? 0 : 1);
    Value dest = build.createDest(type, lhs, op.getTransposeLhs(), rhs,
                                  op.getTransposeRhs());
    auto newOp = cpu::QMatmulOp::create(
        rewriter, loc, TypeRange(type), lhs, packed, adaptor.getLhsZeroPoint(),
        scales, adaptor.getBias(), dest,
        /*workspace=*/Value(), op.getTransposeLhs(), lhsEncoding.isUnsigned,
        lhsEncoding.isStatic() ? lhsEncoding.zeroPoints[0] : 0,
        op.getActivation(), /*dest_scale=*/FloatAttr(),
        /*dest_zero_point=*/IntegerAttr(), /*dest_min=*/IntegerAttr(),
        /*dest_max=*/IntegerAttr());
    setDestParameters(newOp, getElementType(op.getResult()), rewriter);
    rewriter.replaceOp(op, newOp);
    return success();
  }

private:
  Value pack(QMatmulOp op, OpAdaptor adaptor, const IntegerEncoding &encoding,
             ContractionBuilder &build, OpBuilder &builder) const {
    Value rhs = adaptor.getRhs();
    Type element = encoding.isPlainInt8() ? builder.getIntegerType(8)
                                          : builder.getIntegerType(16);
    Value panels = build.createPanels(rhs, op.getTransposeRhs(), element);
    DenseI32ArrayAttr zeroPoints;
    if (encoding.hasZeroPoint())
      zeroPoints = builder.getDenseI32ArrayAttr(encoding.zeroPoints);
    return cpu::PackRhsOp::create(builder, op.getLoc(), panels.getType(), rhs,
                                  adaptor.getRhsZeroPoint(), panels,
                                  op.getTransposeRhs(), encoding.isUnsigned,
                                  zeroPoints)
        .getResult(0);
  }

  /// A result of integers is quantized by N1 with the parameters of its type.
  static void setDestParameters(cpu::QMatmulOp op, Type elementType,
                                Builder &builder) {
    auto type = dyn_cast<UniformQuantizedType>(elementType);
    if (!type)
      return;
    auto i32 = [&](int64_t value) {
      return builder.getI32IntegerAttr(static_cast<int32_t>(value));
    };
    op.setDestScaleAttr(
        builder.getF32FloatAttr(static_cast<float>(type.getScale())));
    op.setDestZeroPointAttr(i32(type.getZeroPoint()));
    op.setDestMinAttr(i32(type.getStorageTypeMin()));
    op.setDestMaxAttr(i32(type.getStorageTypeMax()));
  }

  int64_t panel;
};

} // namespace

void needle::populateContractionPatterns(const TypeConverter &converter,
                                         int64_t panel,
                                         RewritePatternSet &patterns) {
  patterns.add<ConvertMatmul, ConvertBatchMatmul, ConvertQMatmul>(
      converter, patterns.getContext(), panel);
}

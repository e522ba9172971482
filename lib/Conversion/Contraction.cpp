//===- Contraction.cpp - Conversion of matrix multiplications -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// matmul and qmatmul become needle_cpu operations on a packed right-hand side.
//
//===----------------------------------------------------------------------===//

#include "PanelBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

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
class ContractionBuilder : public PanelBuilder {
public:
  using PanelBuilder::PanelBuilder;

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

///   needle.qmatmul %x, %w : tensor<?x784x!quant.uniform<u8:f32, 0.5:3>>,
///       tensor<784x256x!quant.uniform<i8:f32, 0.25>> -> tensor<?x256xf32>
/// → %p = needle_cpu.pack_rhs ins(%w) outs(%e0) -> tensor<16x197x16x4xi8>
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
        rewriter, loc, TypeRange(type), lhs, packed, /*rest=*/Value(),
        /*rest_groups=*/Value(), adaptor.getLhsZeroPoint(), scales,
        adaptor.getBias(), dest,
        /*workspace=*/Value(), op.getTransposeLhs(), lhsEncoding.isUnsigned,
        lhsEncoding.isStatic() ? lhsEncoding.zeroPoints[0] : 0,
        /*byte_steps=*/0, op.getActivation(), /*dest_scale=*/FloatAttr(),
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
  patterns.add<ConvertMatmul, ConvertQMatmul>(converter, patterns.getContext(),
                                              panel);
}

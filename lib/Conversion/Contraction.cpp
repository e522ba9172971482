//===- Contraction.cpp - Conversion of matrix multiplications -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// matmul and qmatmul become needle_cpu operations on a packed right-hand side.
//
//===----------------------------------------------------------------------===//

#include "ContractionBuilder.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

using namespace mlir;
using namespace needle;

namespace {

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
        /*workspace=*/Value(), op.getTransposeLhs(),
        /*window=*/DenseI64ArrayAttr(),
        /*depthwise=*/false, op.getActivation());
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
    auto lhsEncoding = IntegerEncoding::of(getElementTypeOrSelf(op.getLhs()));
    auto rhsEncoding = IntegerEncoding::of(getElementTypeOrSelf(op.getRhs()));
    auto type = getTypeConverter()->convertType<RankedTensorType>(
        op.getResult().getType());

    Value packed = build.packIntegers(rhs, adaptor.getRhsZeroPoint(),
                                      rhsEncoding, op.getTransposeRhs());
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
        /*window=*/DenseI64ArrayAttr(),
        /*depthwise=*/false,
        lhsEncoding.isStatic() ? lhsEncoding.zeroPoints[0] : 0,
        /*byte_steps=*/0, op.getActivation(), /*dest_scale=*/FloatAttr(),
        /*dest_zero_point=*/IntegerAttr(), /*dest_min=*/IntegerAttr(),
        /*dest_max=*/IntegerAttr());
    setDestParameters(newOp, getElementTypeOrSelf(op.getResult()));
    rewriter.replaceOp(op, newOp);
    return success();
  }

private:
  int64_t panel;
};

} // namespace

void needle::populateContractionPatterns(const TypeConverter &converter,
                                         int64_t panel,
                                         RewritePatternSet &patterns) {
  patterns.add<ConvertMatmul, ConvertQMatmul>(converter, patterns.getContext(),
                                              panel);
}

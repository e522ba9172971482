//===- Blockwise.cpp - Conversion of 4-bit weights ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dequantize_blockwise becomes a loop nest by N3, qmatmul_blockwise a product
// with the packed weight.
//
//===----------------------------------------------------------------------===//

#include "ConversionUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Conversion/QuantizeEmitter.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/NeedleCPU/IR/BlockwiseLayout.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

using namespace mlir;
using namespace needle;

namespace {

///   needle.dequantize_blockwise %q, %s {block_size = 32}
/// → linalg.generic ins(%q, %s[d0 floordiv 32, d1]) { N3 }
struct ConvertDequantizeBlockwise : OpConversionPattern<DequantizeBlockwiseOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(DequantizeBlockwiseOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    AffineExpr k, n;
    bindDims(op.getContext(), k, n);
    auto perBlock = AffineMap::get(
        2, 0, {k.floorDiv(static_cast<int64_t>(op.getBlockSize())), n},
        op.getContext());
    SmallVector<LoopInput> inputs = {
        {adaptor.getWeight(), rewriter.getMultiDimIdentityMap(2)},
        {adaptor.getScales(), perBlock}};
    if (adaptor.getZeroPoints())
      inputs.push_back({adaptor.getZeroPoints(), perBlock});
    Value dest =
        createEmptyLike(rewriter, loc, op.getType(), adaptor.getWeight());
    auto body = [](OpBuilder &b, Location l, ValueRange args) -> Value {
      Type i32 = b.getI32Type();
      if (args.size() < 3) {
        Value zero = arith::ConstantOp::create(b, l, b.getI32IntegerAttr(0));
        return emitDequantize(b, l, arith::ExtSIOp::create(b, l, i32, args[0]),
                              args[1], zero);
      }
      return emitDequantize(b, l, arith::ExtUIOp::create(b, l, i32, args[0]),
                            args[1],
                            arith::ExtUIOp::create(b, l, i32, args[2]));
    };
    rewriter.replaceOp(op,
                       createElementwise(rewriter, loc, inputs, dest, body));
    return success();
  }
};

///   needle.qmatmul_blockwise %x, %q, %s {block_size = 32}
/// → %p = needle_cpu.pack_blockwise %q, %s {block_size = 32, panel = 16}
///   needle_cpu.qmatmul_blockwise ins(%x, %p) outs(%e) {block_size = 32 …}
struct ConvertQMatmulBlockwise : OpConversionPattern<QMatmulBlockwiseOp> {
  ConvertQMatmulBlockwise(const TypeConverter &converter, MLIRContext *context,
                          int64_t panel)
      : OpConversionPattern(converter, context), panel(panel) {}

  LogicalResult
  matchAndRewrite(QMatmulBlockwiseOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    bool asymmetric = bool(op.getZeroPoints());
    cpu::BlockwiseLayout layout{static_cast<int64_t>(op.getBlockSize()),
                                asymmetric, panel};
    auto packedType = RankedTensorType::get(
        {layout.panels(op.getColumns()), layout.panelBytes(op.getDepth())},
        rewriter.getI8Type());
    Value packed = cpu::PackBlockwiseOp::create(
        rewriter, loc, packedType, adaptor.getWeight(), adaptor.getScales(),
        adaptor.getZeroPoints(), op.getBlockSize(), panel);
    RankedTensorType type = op.getType();
    Value dest = createEmpty(rewriter, loc, type, [&](unsigned) {
      return createDim(rewriter, loc, adaptor.getLhs(), 0);
    });
    rewriter.replaceOpWithNewOp<cpu::QMatmulBlockwiseOp>(
        op, TypeRange(type), adaptor.getLhs(), packed, dest,
        /*workspace=*/Value(), op.getBlockSize(), panel, asymmetric,
        op.getActivations());
    return success();
  }

private:
  int64_t panel;
};

} // namespace

void needle::populateBlockwisePatterns(const TypeConverter &converter,
                                       int64_t panel,
                                       RewritePatternSet &patterns) {
  patterns.add<ConvertDequantizeBlockwise>(converter, patterns.getContext());
  patterns.add<ConvertQMatmulBlockwise>(converter, patterns.getContext(),
                                        panel);
}

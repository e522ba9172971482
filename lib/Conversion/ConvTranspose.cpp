//===- ConvTranspose.cpp - Conversion of transposed convolutions ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rows and columns of the result that are a stride apart meet the same
// elements of the kernel: each such phase is a convolution of stride 1. Phases
// that no element reaches are filled beforehand.
//
//===----------------------------------------------------------------------===//

#include "ConvolutionBuilder.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/NeedleCPU/IR/Window.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace needle;

namespace {

/// One phase along height or width: rows phase, phase + stride, … of the
/// result.
struct Phase {
  /// The elements of the kernel that reach it, last first.
  Taps taps;
  /// Padding before and after the input; negative where pixels are left out.
  int64_t low, high;
  /// How many more rows than the input it has.
  int64_t more;

  /// `rest` is what the result has beyond (H − 1) · stride, `cut` the padding
  /// before it.
  static Phase of(int64_t phase, int64_t kernel, int64_t stride, int64_t cut,
                  int64_t rest) {
    // Row y·stride + phase comes from pixel y + shift − u by element
    // first + u·stride of the kernel.
    int64_t first = (phase + cut) % stride, shift = (phase + cut) / stride;
    int64_t count =
        first < kernel ? llvm::divideCeil(kernel - first, stride) : 0;
    int64_t more = llvm::divideCeilSigned(rest - phase, stride) - 1;
    int64_t low = count - 1 - shift;
    return {{first + (count - 1) * stride, count, -stride},
            low,
            more + count - 1 - low,
            more};
  }
};

///   needle.conv_transpose2d %x, %w {strides = array<i64: 2, 2>}
///     : tensor<?x8x8x4xf32>, tensor<2x2x4x16xf32> -> tensor<?x16x16x16xf32>
/// → four times, once for each element of the kernel:
///   %y = needle_cpu.matmul ins(%x, %p) outs(%e)
///     {window = array<i64: 1, 1, …>} -> tensor<?x16xf32>
///   tensor.insert_slice %y into %d [0, 0, 1, 0] [?, 8, 8, 16] [1, 2, 2, 1]
struct ConvertConvTranspose : OpConversionPattern<ConvTranspose2DOp> {
  ConvertConvTranspose(const TypeConverter &converter, MLIRContext *context,
                       int64_t panel)
      : OpConversionPattern(converter, context), panel(panel) {}

  LogicalResult
  matchAndRewrite(ConvTranspose2DOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    ReifiedRankedShapedTypeDims shapes;
    (void)op.reifyResultShapes(rewriter, shapes);
    ArrayRef<OpFoldResult> sizes = shapes.front();
    Value dest = createEmpty(rewriter, loc, op.getType(), [&](unsigned dim) {
      return getValueOrCreateConstantIndexOp(rewriter, loc, sizes[dim]);
    });
    if (!llvm::is_contained(op.getType().getShape(), 0)) {
      SmallVector<int64_t> rows = getReached(op, 0),
                           columns = getReached(op, 1);
      if (static_cast<int64_t>(rows.size()) < op.getStrides()[0] ||
          static_cast<int64_t>(columns.size()) < op.getStrides()[1])
        dest = fillUnreached(op, dest, rewriter);
      for (int64_t y : rows)
        for (int64_t x : columns)
          dest = insertPhase(op, adaptor, y, x, sizes, dest, rewriter);
    }
    rewriter.replaceOp(op, dest);
    return success();
  }

private:
  /// The phases that an element of the kernel reaches, in order. There may be
  /// many more that none does.
  static SmallVector<int64_t> getReached(ConvTranspose2DOp op, unsigned dim) {
    int64_t kernel = op.getFilter().getType().getDimSize(dim);
    int64_t stride = op.getStrides()[dim], cut = op.getPadding()[2 * dim];
    SmallVector<int64_t> phases;
    for (int64_t first = 0; first < std::min(kernel, stride); ++first)
      phases.push_back(llvm::mod(first - cut, stride));
    llvm::sort(phases);
    return phases;
  }

  static Phase getPhase(ConvTranspose2DOp op, unsigned dim, int64_t phase) {
    int64_t kernel = op.getFilter().getType().getDimSize(dim);
    int64_t low = op.getPadding()[2 * dim], high = op.getPadding()[2 * dim + 1];
    return Phase::of(phase, kernel, op.getStrides()[dim], low,
                     kernel + op.getOutputPadding()[dim] - low - high);
  }

  /// The number of rows of a phase.
  static OpFoldResult getSize(ConvTranspose2DOp op, OpAdaptor adaptor,
                              unsigned dim, const Phase &phase,
                              OpBuilder &builder) {
    int64_t size = op.getInput().getType().getDimSize(1 + dim);
    if (!ShapedType::isDynamic(size))
      return builder.getIndexAttr(size + phase.more);
    Location loc = op.getLoc();
    return builder.createOrFold<arith::AddIOp>(
        loc, createDim(builder, loc, adaptor.getInput(), 1 + dim),
        arith::ConstantIndexOp::create(builder, loc, phase.more));
  }

  Value insertPhase(ConvTranspose2DOp op, OpAdaptor adaptor, int64_t y,
                    int64_t x, ArrayRef<OpFoldResult> sizes, Value dest,
                    OpBuilder &builder) const {
    Phase rows = getPhase(op, 0, y), columns = getPhase(op, 1, x);
    SmallVector<OpFoldResult> phaseSizes(sizes);
    phaseSizes[1] = getSize(op, adaptor, 0, rows, builder);
    phaseSizes[2] = getSize(op, adaptor, 1, columns, builder);
    if (llvm::any_of(phaseSizes, isZeroInteger))
      return dest;
    Value part = convolve(op, adaptor, rows, columns, phaseSizes, builder);
    auto indices = [&](ArrayRef<int64_t> values) {
      return getAsIndexOpFoldResult(op.getContext(), values);
    };
    return tensor::InsertSliceOp::create(
        builder, op.getLoc(), part, dest, indices({0, y, x, 0}), phaseSizes,
        indices({1, op.getStrides()[0], op.getStrides()[1], 1}));
  }

  Value convolve(ConvTranspose2DOp op, OpAdaptor adaptor, const Phase &rows,
                 const Phase &columns, ArrayRef<OpFoldResult> sizes,
                 OpBuilder &builder) const {
    ConvolutionBuilder build(builder, op.getLoc(), panel);
    Value filter = build.getFilterMatrix(op.getFilter(), adaptor.getFilter(),
                                         {rows.taps, columns.taps});
    Value panels =
        build.createPanels(filter, /*transposed=*/false, builder.getF32Type());
    Value packed = build.packFloat(filter, panels, /*transposed=*/false);
    cpu::Window window = {{rows.taps.count, columns.taps.count},
                          {1, 1},
                          {rows.low, rows.high, columns.low, columns.high},
                          {1, 1}};
    Value lhs = adaptor.getInput();
    DenseI64ArrayAttr attribute;
    if (window.isPointwise())
      lhs = build.flattenPixels(lhs);
    else
      attribute = window.toAttr(op.getContext());
    Value pixels = build.createPixels(sizes, builder.getF32Type());
    Value result = cpu::MatmulOp::create(
                       builder, op.getLoc(), pixels.getType(), lhs, packed,
                       adaptor.getBias(), pixels,
                       /*workspace=*/Value(), /*transpose_lhs=*/false,
                       attribute, /*depthwise=*/false, op.getActivation())
                       .getResult(0);
    return build.unflattenPixels(result, sizes);
  }

  /// Pixels that no element of the kernel reaches: the sum of nothing.
  static Value fillUnreached(ConvTranspose2DOp op, Value dest,
                             OpBuilder &builder) {
    Location loc = op.getLoc();
    Value result = createFill(builder, loc, dest, 0.0F);
    // These operations are converted in turn.
    if (op.getBias())
      result =
          AddOp::create(builder, loc, result.getType(), result, op.getBias());
    if (op.getActivation() == Activation::Relu)
      result = ReluOp::create(builder, loc, result.getType(), result);
    return result;
  }

  int64_t panel;
};

} // namespace

void needle::populateConvTransposePatterns(const TypeConverter &converter,
                                           int64_t panel,
                                           RewritePatternSet &patterns) {
  patterns.add<ConvertConvTranspose>(converter, patterns.getContext(), panel);
}

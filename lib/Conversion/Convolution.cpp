//===- Convolution.cpp - Conversion of convolutions -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// conv2d and qconv2d become contractions over windows of images, one for each
// group.
//
//===----------------------------------------------------------------------===//

#include "ConvolutionBuilder.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/NeedleCPU/IR/Window.h"

using namespace mlir;
using namespace needle;

namespace {

template <typename Op>
cpu::Window getWindow(Op op) {
  ArrayRef<int64_t> filter = op.getFilter().getType().getShape();
  ArrayRef<int64_t> padding = op.getPadding();
  return {{filter[0], filter[1]},
          {op.getStrides()[0], op.getStrides()[1]},
          {padding[0], padding[1], padding[2], padding[3]},
          {op.getDilations()[0], op.getDilations()[1]}};
}

/// What one group of a convolution works on.
struct Group {
  Value lhs; ///< images, or their pixels as rows
  DenseI64ArrayAttr window;
  Value filter; ///< matrix K×N
  Value bias;
  Value dest;
  int64_t firstOutput, numOutputs;
  bool isDepthwise = false;
};

/// Wider kernels are not worth a depthwise kernel of their own, which repeats
/// their elements as instructions.
constexpr int64_t kWidestDepthwise = 16;
/// So many products of centered integers fit a sum of 32 bits (N4).
constexpr int64_t kMostDepthwise = 33024;

/// Strides and dilations that are worth one: they are parts of its
/// instructions, and rows of its workspace.
constexpr int64_t kFarthestDepthwise = 64;

/// Whether each channel has a kernel of its own, of a size that fits.
template <typename Op>
bool isDepthwise(Op op) {
  ArrayRef<int64_t> filter = op.getFilter().getType().getShape();
  int64_t groups = op.getGroups();
  auto isNear = [](ArrayRef<int64_t> steps) {
    return llvm::all_of(
        steps, [](int64_t step) { return step <= kFarthestDepthwise; });
  };
  return groups > 1 && filter[2] == 1 && filter[3] == groups &&
         filter[1] <= kWidestDepthwise &&
         filter[0] <= kMostDepthwise / filter[1] && isNear(op.getStrides()) &&
         isNear(op.getDilations());
}

/// A convolution as contractions, each built by `build`.
///
///   needle.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>}
///     : tensor<?x8x8x4xf32>, tensor<3x3x4x16xf32> -> tensor<?x8x8x16xf32>
/// → %p = needle_cpu.pack_rhs … -> tensor<1x36x16xf32>
///   %y = needle_cpu.matmul ins(%x, %p) outs(%e)
///     {window = array<i64: 3, 3, 1, 1, 1, 1, 1, 1, 1, 1>} -> tensor<?x16xf32>
///   tensor.expand_shape %y … to tensor<?x8x8x16xf32>
///
/// Where there are `depthwiseWeights` it is one contraction for all groups.
template <typename Op, typename Adaptor, typename Build>
Value convertConvolution(Op op, Adaptor adaptor, RankedTensorType type,
                         Value depthwiseWeights, ConvolutionBuilder &build,
                         OpBuilder &builder, Build buildGroup) {
  ReifiedRankedShapedTypeDims shapes;
  (void)op.reifyResultShapes(builder, shapes);
  ArrayRef<OpFoldResult> sizes = shapes.front();
  Location loc = op.getLoc();
  // There are no slices of what is empty.
  if (llvm::is_contained(type.getShape(), 0))
    return createEmpty(builder, loc, type, [&](unsigned dim) {
      return getValueOrCreateConstantIndexOp(builder, loc, sizes[dim]);
    });
  cpu::Window window = getWindow(op);
  Value input = adaptor.getInput(), bias = adaptor.getBias();
  ArrayRef<int64_t> filter = op.getFilter().getType().getShape();
  // Without channels all groups are alike.
  int64_t groups = filter[2] == 0 || depthwiseWeights ? 1 : op.getGroups();
  int64_t outputs = groups > 1 ? filter[3] / groups : filter[3];
  Value pixels = build.createPixels(sizes, type.getElementType());
  for (int64_t group = 0; group < groups; ++group) {
    int64_t first = group * outputs;
    Group part = {input, {}, {}, bias, pixels, first, outputs};
    if (groups > 1) {
      part.lhs = build.sliceLast(input, group * filter[2], filter[2]);
      part.bias = bias ? build.sliceLast(bias, first, outputs) : Value();
      part.dest = build.sliceLast(pixels, first, outputs);
    }
    part.isDepthwise = bool(depthwiseWeights);
    part.filter =
        depthwiseWeights
            ? depthwiseWeights
            : build.getFilterMatrix(
                  op.getFilter(), adaptor.getFilter(),
                  {Taps::all(filter[0]), Taps::all(filter[1]), first, outputs});
    if (window.isPointwise() && groups == 1 && !depthwiseWeights)
      part.lhs = build.flattenPixels(part.lhs);
    else
      part.window = window.toAttr(op.getContext());
    Value result = buildGroup(part);
    pixels = groups > 1 ? build.insertLast(result, pixels, first) : result;
  }
  return build.unflattenPixels(pixels, sizes);
}

struct ConvertConv2D : OpConversionPattern<Conv2DOp> {
  ConvertConv2D(const TypeConverter &converter, MLIRContext *context,
                int64_t panel)
      : OpConversionPattern(converter, context), panel(panel) {}

  LogicalResult
  matchAndRewrite(Conv2DOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ConvolutionBuilder build(rewriter, op.getLoc(), panel);
    auto buildGroup = [&](const Group &group) {
      Value packed = group.filter;
      if (!group.isDepthwise) {
        Value panels = build.createPanels(packed, /*transposed=*/false,
                                          rewriter.getF32Type());
        packed = build.packFloat(packed, panels, /*transposed=*/false);
      }
      return cpu::MatmulOp::create(rewriter, op.getLoc(), group.dest.getType(),
                                   group.lhs, packed, group.bias, group.dest,
                                   /*workspace=*/Value(),
                                   /*transpose_lhs=*/false, group.window,
                                   group.isDepthwise, op.getActivation())
          .getResult(0);
    };
    Value weights;
    if (isDepthwise(op)) {
      ArrayRef<int64_t> filter = op.getFilter().getType().getShape();
      weights = build.getFilterMatrix(
          op.getFilter(), adaptor.getFilter(),
          {Taps::all(filter[0]), Taps::all(filter[1]), 0, filter[3]});
    }
    rewriter.replaceOp(op,
                       convertConvolution(op, adaptor, op.getType(), weights,
                                          build, rewriter, buildGroup));
    return success();
  }

private:
  int64_t panel;
};

struct ConvertQConv2D : OpConversionPattern<QConv2DOp> {
  ConvertQConv2D(const TypeConverter &converter, MLIRContext *context,
                 int64_t panel)
      : OpConversionPattern(converter, context), panel(panel) {}

  LogicalResult
  matchAndRewrite(QConv2DOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ConvolutionBuilder build(rewriter, op.getLoc(), panel);
    auto input = IntegerEncoding::of(getElementTypeOrSelf(op.getInput()));
    auto filter = IntegerEncoding::of(getElementTypeOrSelf(op.getFilter()));
    auto type = getTypeConverter()->convertType<RankedTensorType>(
        op.getResult().getType());
    auto buildGroup = [&](const Group &group) {
      IntegerEncoding part = filter.slice(group.firstOutput, group.numOutputs);
      Value packed = group.filter;
      if (!group.isDepthwise)
        packed = build.packIntegers(packed, adaptor.getFilterZeroPoint(), part,
                                    /*transposed=*/false);
      Value scales;
      if (!type.getElementType().isInteger(32))
        scales = build.createScales(input, adaptor.getInputScale(), part,
                                    adaptor.getFilterScale(), group.filter,
                                    /*nDim=*/1);
      auto contraction = cpu::QMatmulOp::create(
          rewriter, op.getLoc(), group.dest.getType(), group.lhs, packed,
          /*rest=*/Value(), /*rest_groups=*/Value(),
          adaptor.getInputZeroPoint(), scales, group.bias, group.dest,
          /*workspace=*/Value(), /*transpose_lhs=*/false, input.isUnsigned,
          group.window, group.isDepthwise,
          input.isStatic() ? input.zeroPoints[0] : 0, /*byte_steps=*/0,
          op.getActivation(),
          /*dest_scale=*/FloatAttr(),
          /*dest_zero_point=*/IntegerAttr(), /*dest_min=*/IntegerAttr(),
          /*dest_max=*/IntegerAttr());
      setDestParameters(contraction, getElementTypeOrSelf(op.getResult()));
      return contraction.getResult(0);
    };
    // Sums of 32 bits hold all but an i32 bias, which would have to be an i64.
    bool isPlain = type.getElementType().isInteger(32) || !op.getBias() ||
                   getElementTypeOrSelf(op.getBias()).isF32();
    Value weights;
    if (isDepthwise(op) && isPlain)
      weights = build.getDepthwiseWeights(op.getFilter(), filter);
    rewriter.replaceOp(op, convertConvolution(op, adaptor, type, weights, build,
                                              rewriter, buildGroup));
    return success();
  }

private:
  int64_t panel;
};

} // namespace

void needle::populateConvolutionPatterns(const TypeConverter &converter,
                                         int64_t panel,
                                         RewritePatternSet &patterns) {
  patterns.add<ConvertConv2D, ConvertQConv2D>(converter, patterns.getContext(),
                                              panel);
}

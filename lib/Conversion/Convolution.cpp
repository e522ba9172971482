//===- Convolution.cpp - Conversion of convolutions -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// conv2d and qconv2d become contractions over windows of images.
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
cpu::Window getWindow(Op op, int64_t groups) {
  ArrayRef<int64_t> filter = op.getFilter().getType().getShape();
  ArrayRef<int64_t> padding = op.getPadding();
  return {{filter[0], filter[1]},
          {op.getStrides()[0], op.getStrides()[1]},
          {padding[0], padding[1], padding[2], padding[3]},
          {op.getDilations()[0], op.getDilations()[1]},
          groups};
}

/// Wider kernels are not worth a depthwise kernel of their own, which repeats
/// their elements as instructions.
constexpr int64_t kWidestDepthwise = 16;
/// So many products of centered integers fit a sum of 32 bits (N4).
constexpr int64_t kMostProducts = 33024;

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
         filter[0] <= kMostProducts / filter[1] && isNear(op.getStrides()) &&
         isNear(op.getDilations());
}

/// Groups of so few channels, and as many columns, have a depthwise kernel,
/// which permutes the channels of a vector.
constexpr int64_t kSmallGroups[] = {2, 4};
/// Products of a row of their kernel: as many instructions.
constexpr int64_t kMostOfSmallGroups = 28;

template <typename Op>
bool hasSmallGroups(Op op, int64_t panel) {
  ArrayRef<int64_t> filter = op.getFilter().getType().getShape();
  int64_t groups = op.getGroups();
  return groups > 1 && llvm::is_contained(kSmallGroups, filter[2]) &&
         filter[3] == groups * filter[2] && filter[3] >= panel &&
         filter[1] <= kMostOfSmallGroups / filter[2] &&
         op.getStrides()[1] <= kFarthestDepthwise &&
         op.getDilations()[1] <= kFarthestDepthwise;
}

/// What a contraction works on.
struct Operands {
  Value lhs; ///< images, or their pixels as rows
  DenseI64ArrayAttr window;
  Value dest;
};

/// A convolution as one contraction, built by `contract`, of `groups` groups.
///
///   needle.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>}
///     : tensor<?x8x8x4xf32>, tensor<3x3x4x16xf32> -> tensor<?x8x8x16xf32>
/// → %p = needle_cpu.pack_rhs … -> tensor<1x36x16xf32>
///   %y = needle_cpu.matmul ins(%x, %p) outs(%e)
///     {window = array<i64: 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1>} ->
///     tensor<?x16xf32>
///   tensor.expand_shape %y … to tensor<?x8x8x16xf32>
template <typename Op, typename Contract>
Value convertConvolution(Op op, Value input, RankedTensorType type,
                         int64_t groups, ConvolutionBuilder &build,
                         OpBuilder &builder, Contract contract) {
  ReifiedRankedShapedTypeDims shapes;
  (void)op.reifyResultShapes(builder, shapes);
  ArrayRef<OpFoldResult> sizes = shapes.front();
  // No window has a row that is empty.
  if (llvm::is_contained(type.getShape(), 0))
    return createEmpty(builder, op.getLoc(), type, [&](unsigned dim) {
      return getValueOrCreateConstantIndexOp(builder, op.getLoc(), sizes[dim]);
    });
  cpu::Window window = getWindow(op, groups);
  Operands operands = {
      input, {}, build.createPixels(sizes, type.getElementType())};
  if (window.isPointwise())
    operands.lhs = build.flattenPixels(input);
  else
    operands.window = window.toAttr(op.getContext());
  return build.unflattenPixels(contract(operands), sizes);
}

struct ConvertConv2D : OpConversionPattern<Conv2DOp> {
  ConvertConv2D(const TypeConverter &converter, MLIRContext *context,
                int64_t panel)
      : OpConversionPattern(converter, context), panel(panel) {}

  LogicalResult
  matchAndRewrite(Conv2DOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ConvolutionBuilder build(rewriter, op.getLoc(), panel);
    int64_t groups = op.getGroups();
    bool depthwise = isDepthwise(op) || hasSmallGroups(op, panel);
    auto contract = [&](const Operands &operands) {
      Value rhs = build.getFilterMatrix(op.getFilter(), adaptor.getFilter());
      if (!depthwise) {
        Value panels = build.createPanels(rhs, /*transposed=*/false,
                                          rewriter.getF32Type(), groups);
        rhs = build.packFloat(rhs, panels, /*transposed=*/false, groups);
      }
      return cpu::MatmulOp::create(
                 rewriter, op.getLoc(), operands.dest.getType(), operands.lhs,
                 rhs, adaptor.getBias(), operands.dest, /*workspace=*/Value(),
                 /*transpose_lhs=*/false, operands.window, depthwise,
                 op.getActivation())
          .getResult(0);
    };
    rewriter.replaceOp(op,
                       convertConvolution(op, adaptor.getInput(), op.getType(),
                                          groups, build, rewriter, contract));
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
    // Sums of 32 bits hold all but an i32 bias, which would have to be an i64.
    bool isPlain = type.getElementType().isInteger(32) || !op.getBias() ||
                   getElementTypeOrSelf(op.getBias()).isF32();
    Value depthwise;
    if (isPlain && isDepthwise(op))
      depthwise = build.getDepthwiseWeights(op.getFilter(), filter);
    else if (isPlain && hasSmallGroups(op, panel) &&
             op.getDilations()[0] <= kFarthestDepthwise)
      depthwise = build.getSmallGroupWeights(op.getFilter(), filter);
    int64_t groups = op.getGroups(), merged = countMerged(op);
    Value matrix;
    if (!depthwise && merged > 1)
      matrix = build.getMergedMatrix(op.getFilter(), filter, groups, merged);
    if (matrix)
      groups /= merged;
    else
      matrix = build.getFilterMatrix(op.getFilter(), adaptor.getFilter());
    auto contract = [&](const Operands &operands) {
      Value rhs = depthwise;
      if (!rhs)
        rhs = build.packIntegers(matrix, adaptor.getFilterZeroPoint(), filter,
                                 /*transposed=*/false, groups);
      Value scales;
      if (!type.getElementType().isInteger(32))
        scales = build.createScales(input, adaptor.getInputScale(), filter,
                                    adaptor.getFilterScale(), matrix,
                                    /*nDim=*/1);
      auto contraction = cpu::QMatmulOp::create(
          rewriter, op.getLoc(), operands.dest.getType(), operands.lhs, rhs,
          /*rest=*/Value(), /*rest_groups=*/Value(),
          adaptor.getInputZeroPoint(), scales, adaptor.getBias(), operands.dest,
          /*workspace=*/Value(), /*transpose_lhs=*/false, input.isUnsigned,
          operands.window, static_cast<bool>(depthwise),
          input.isStatic() ? input.zeroPoints[0] : 0, /*byte_steps=*/0,
          op.getActivation(),
          /*dest_scale=*/FloatAttr(),
          /*dest_zero_point=*/IntegerAttr(), /*dest_min=*/IntegerAttr(),
          /*dest_max=*/IntegerAttr());
      setDestParameters(contraction, getElementTypeOrSelf(op.getResult()));
      return contraction.getResult(0);
    };
    rewriter.replaceOp(op,
                       convertConvolution(op, adaptor.getInput(), type, groups,
                                          build, rewriter, contract));
    return success();
  }

private:
  /// Groups whose columns share a panel, which would otherwise be computed for
  /// each of them. Integers alone: 0 times a float may be NaN.
  int64_t countMerged(QConv2DOp op) const {
    ArrayRef<int64_t> filter = op.getFilter().getType().getShape();
    int64_t groups = op.getGroups();
    if (groups == 1 || llvm::is_contained(filter, 0))
      return 1;
    int64_t depth = filter[0] * filter[1] * filter[2];
    int64_t most =
        std::min({groups, panel / (filter[3] / groups), kMostProducts / depth});
    while (most > 1 && groups % most != 0)
      --most;
    return std::max(most, int64_t(1));
  }

  int64_t panel;
};

} // namespace

void needle::populateConvolutionPatterns(const TypeConverter &converter,
                                         int64_t panel,
                                         RewritePatternSet &patterns) {
  patterns.add<ConvertConv2D, ConvertQConv2D>(converter, patterns.getContext(),
                                              panel);
}

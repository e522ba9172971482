//===- ConvTranspose.cpp - Conversion of transposed convolutions ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rows and columns of the result that are a stride apart meet the same
// elements of the kernel: such a phase is a convolution of stride 1. Few phases
// are contractions of their own; of many, those that meet as many elements are
// parts of the columns of one.
//
//===----------------------------------------------------------------------===//

#include "ConvolutionBuilder.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/NeedleCPU/IR/Window.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace needle;

namespace {

/// Neighbouring phases along height or width.
struct Phases {
  int64_t first; ///< element of the kernel that the first of them meets first
  int64_t count;
  int64_t taps;  ///< elements that each meets, a stride apart
  int64_t shift; ///< pixels of the input that are left out in front
  int64_t more;  ///< how many more rows than the input each has
  int64_t place; ///< of the first, in the result
};

/// Height or width. The result is cut out of (H − 1)·stride + kernel rows.
struct Axis {
  int64_t kernel, stride;
  /// What is cut off in front, and where the result ends beyond (H − 1)·stride.
  int64_t cut, end;

  static Axis of(ConvTranspose2DOp op, unsigned dim) {
    int64_t kernel = op.getFilter().getType().getDimSize(dim);
    return {kernel, op.getStrides()[dim], op.getPadding()[2 * dim],
            kernel + op.getOutputPadding()[dim] - op.getPadding()[2 * dim + 1]};
  }

  /// The phases that an element of the kernel reaches, one by one. There may be
  /// many more that none does.
  SmallVector<Phases> getEach() const {
    SmallVector<Phases> all;
    for (int64_t first = 0; first < std::min(kernel, stride); ++first) {
      // Row y·stride + place comes from pixel y + shift − u by element
      // first + u·stride of the kernel.
      int64_t place = llvm::mod(first - cut, stride);
      all.push_back(
          {first, 1,
           static_cast<int64_t>(llvm::divideCeil(kernel - first, stride)),
           (place + cut) / stride,
           llvm::divideCeilSigned(end - cut - place, stride) - 1, place});
    }
    return all;
  }

  /// The same phases, together where they meet as many elements. They are those
  /// of whole strides, of which the result is a part.
  SmallVector<Phases> getTogether() const {
    SmallVector<Phases> all;
    auto add = [&](int64_t first, int64_t last, int64_t taps) {
      int64_t shift = cut / stride;
      if (first < last && taps > 0)
        all.push_back({first, last - first, taps, shift,
                       std::min(taps - 1 - shift, getMore()), first});
    };
    int64_t whole = kernel / stride, left = kernel % stride;
    add(0, left, whole + 1);
    add(left, stride, whole);
    return all;
  }
  /// How many more whole strides than rows of the input there are.
  int64_t getMore() const {
    return llvm::divideCeilSigned(end, stride) - 1 - cut / stride;
  }
  /// Whether phases together reach all of these.
  bool isReachedEverywhere() const {
    return kernel >= stride &&
           llvm::all_of(getTogether(), [&](const Phases &phases) {
             return phases.more == getMore();
           });
  }
  /// Whether phases together may compute fewer rows than none of an input of
  /// `size` rows: all they would is cut away.
  bool mayRunDry(int64_t size) const {
    return ShapedType::isDynamic(size) &&
           llvm::any_of(getTogether(),
                        [](const Phases &phases) { return phases.more < 0; });
  }
  bool hasWholeStrides() const {
    return cut % stride == 0 && end % stride == 0;
  }
};

/// What one contraction computes.
struct Part {
  Phases rows, columns;

  int64_t count() const { return rows.count * columns.count; }
  cpu::Window getWindow() const {
    auto low = [](const Phases &phases) {
      return phases.taps - 1 - phases.shift;
    };
    auto high = [&](const Phases &phases) {
      return phases.more + phases.taps - 1 - low(phases);
    };
    return {{rows.taps, columns.taps},
            {1, 1},
            {low(rows), high(rows), low(columns), high(columns)},
            {1, 1}};
  }
};

/// Each of more phases would take as long to compile as a product does.
constexpr int64_t kMostSeparatePhases = 16;

///   needle.conv_transpose2d %x, %w {strides = array<i64: 2, 2>}
///     : tensor<?x8x8x4xf32>, tensor<2x2x4x16xf32> -> tensor<?x16x16x16xf32>
/// → four times, once for each element of the kernel:
///   %y = needle_cpu.matmul ins(%x, %p) outs(%e) -> tensor<?x16xf32>
///   tensor.insert_slice %y into %d [0, 0, 1, 0] [?, 8, 8, 16] [1, 2, 2, 1]
/// With a kernel and strides of 4×4 once:
///   %y = needle_cpu.matmul ins(%x, %p) outs(%e) -> tensor<?x256xf32>
///   tensor.expand_shape %y … to tensor<?x8x8x4x4x16xf32>
///   linalg.generic … outs(%d : tensor<?x8x4x8x4x16xf32>)
///   tensor.collapse_shape … to tensor<?x32x32x16xf32>
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
    // Where the result's type says less than operands do, values are constant.
    SmallVector<OpFoldResult> sizes(shapes.front());
    for (OpFoldResult &size : sizes)
      if (std::optional<int64_t> known = getConstantIntValue(size))
        size = rewriter.getIndexAttr(*known);
    // There are no slices of what is empty.
    if (llvm::is_contained(op.getType().getShape(), 0)) {
      rewriter.replaceOp(
          op, createEmpty(rewriter, loc, op.getType(), [&](unsigned dim) {
            return getValueOrCreateConstantIndexOp(rewriter, loc, sizes[dim]);
          }));
      return success();
    }
    Axis height = Axis::of(op, 0), width = Axis::of(op, 1);
    ArrayRef<int64_t> image = op.getInput().getType().getShape();
    bool isEach = height.stride * width.stride <= kMostSeparatePhases ||
                  height.mayRunDry(image[1]) || width.mayRunDry(image[2]);
    rewriter.replaceOp(
        op, isEach
                ? convertEach(op, adaptor, height, width, sizes, rewriter)
                : convertTogether(op, adaptor, height, width, sizes, rewriter));
    return success();
  }

private:
  /// `more` than the input has along a dimension.
  static OpFoldResult getSize(ConvTranspose2DOp op, OpAdaptor adaptor,
                              unsigned dim, int64_t more, OpBuilder &builder) {
    int64_t size = op.getInput().getType().getDimSize(1 + dim);
    if (!ShapedType::isDynamic(size))
      return builder.getIndexAttr(size + more);
    Location loc = op.getLoc();
    return builder.createOrFold<arith::AddIOp>(
        loc, createDim(builder, loc, adaptor.getInput(), 1 + dim),
        arith::ConstantIndexOp::create(builder, loc, more));
  }

  static SmallVector<OpFoldResult> toSizes(ArrayRef<int64_t> values,
                                           OpBuilder &builder) {
    return getAsIndexOpFoldResult(builder.getContext(), values);
  }

  /// The sizes of the pixels that a part computes, of `channels`; empty if
  /// there are none.
  static SmallVector<OpFoldResult>
  getPixels(ConvTranspose2DOp op, OpAdaptor adaptor, const Part &part,
            ArrayRef<OpFoldResult> sizes, OpBuilder &builder) {
    SmallVector<OpFoldResult> pixels = {
        sizes.front(), getSize(op, adaptor, 0, part.rows.more, builder),
        getSize(op, adaptor, 1, part.columns.more, builder), sizes.back()};
    for (OpFoldResult size : pixels)
      if (std::optional<int64_t> known = getConstantIntValue(size);
          known && *known <= 0)
        return {};
    return pixels;
  }

  Value convertEach(ConvTranspose2DOp op, OpAdaptor adaptor, const Axis &height,
                    const Axis &width, ArrayRef<OpFoldResult> sizes,
                    OpBuilder &builder) const {
    Location loc = op.getLoc();
    ConvolutionBuilder build(builder, loc, panel);
    Value dest =
        tensor::EmptyOp::create(builder, loc, sizes, builder.getF32Type());
    if (height.kernel < height.stride || width.kernel < width.stride)
      dest = fillUnreached(op, dest, builder);
    for (const Phases &rows : height.getEach())
      for (const Phases &columns : width.getEach()) {
        SmallVector<OpFoldResult> pixels =
            getPixels(op, adaptor, {rows, columns}, sizes, builder);
        if (pixels.empty())
          continue;
        Value result = convolve(op, adaptor, {rows, columns}, pixels, builder);
        dest = tensor::InsertSliceOp::create(
            builder, loc, build.unflattenPixels(result, pixels), dest,
            toSizes({0, rows.place, columns.place, 0}, builder), pixels,
            toSizes({1, height.stride, width.stride, 1}, builder));
      }
    return castTo(builder, loc, dest, op.getType());
  }

  /// Writes parts to the strides of a tensor N×H×sh×W×sw×O, which is the result
  /// if that has whole strides.
  Value convertTogether(ConvTranspose2DOp op, OpAdaptor adaptor,
                        const Axis &height, const Axis &width,
                        ArrayRef<OpFoldResult> sizes,
                        OpBuilder &builder) const {
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> strides = {
        sizes[0],
        getSize(op, adaptor, 0, height.getMore(), builder),
        builder.getIndexAttr(height.stride),
        getSize(op, adaptor, 1, width.getMore(), builder),
        builder.getIndexAttr(width.stride),
        sizes[3]};
    SmallVector<OpFoldResult> whole(sizes);
    whole[1] = multiply(strides[1], height.stride, builder, loc);
    whole[2] = multiply(strides[3], width.stride, builder, loc);
    Value dest =
        tensor::EmptyOp::create(builder, loc, whole, builder.getF32Type());
    if (!height.isReachedEverywhere() || !width.isReachedEverywhere())
      dest = fillUnreached(op, dest, builder);
    SmallVector<ReassociationIndices> groups = {{0}, {1, 2}, {3, 4}, {5}};
    dest = expand(dest, groups, strides, builder, loc);
    for (const Phases &rows : height.getTogether())
      for (const Phases &columns : width.getTogether())
        dest = insertPart(op, adaptor, {rows, columns}, strides, dest, builder);
    Value images = tensor::CollapseShapeOp::create(builder, loc, dest, groups);
    if (!height.hasWholeStrides() || !width.hasWholeStrides())
      images = tensor::ExtractSliceOp::create(
          builder, loc, images,
          toSizes({0, height.cut % height.stride, width.cut % width.stride, 0},
                  builder),
          sizes, toSizes({1, 1, 1, 1}, builder));
    return castTo(builder, loc, images, op.getType());
  }

  static OpFoldResult multiply(OpFoldResult size, int64_t factor,
                               OpBuilder &builder, Location loc) {
    if (std::optional<int64_t> known = getConstantIntValue(size))
      return builder.getIndexAttr(*known * factor);
    return builder.createOrFold<arith::MulIOp>(
        loc, cast<Value>(size),
        arith::ConstantIndexOp::create(builder, loc, factor));
  }

  /// `dest`, of `strides` along height and width, with one part of it.
  Value insertPart(ConvTranspose2DOp op, OpAdaptor adaptor, const Part &part,
                   ArrayRef<OpFoldResult> strides, Value dest,
                   OpBuilder &builder) const {
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> pixels =
        getPixels(op, adaptor, part, strides, builder);
    if (pixels.empty())
      return dest;
    Value result = convolve(op, adaptor, part, pixels, builder);
    OpFoldResult rows = builder.getIndexAttr(part.rows.count);
    OpFoldResult columns = builder.getIndexAttr(part.columns.count);
    SmallVector<OpFoldResult> computed = {pixels[0], pixels[1], pixels[2],
                                          rows,      columns,   pixels[3]};
    SmallVector<OpFoldResult> wanted = {pixels[0], pixels[1], rows,
                                        pixels[2], columns,   pixels[3]};
    SmallVector<OpFoldResult> offsets =
        toSizes({0, 0, part.rows.place, 0, part.columns.place, 0}, builder);
    SmallVector<OpFoldResult> ones = toSizes({1, 1, 1, 1, 1, 1}, builder);
    Value place = tensor::ExtractSliceOp::create(builder, loc, dest, offsets,
                                                 wanted, ones);
    AffineMap map = AffineMap::getPermutationMap(
        ArrayRef<unsigned>{0, 1, 3, 2, 4, 5}, builder.getContext());
    Value phases =
        expand(result, {{0, 1, 2}, {3, 4, 5}}, computed, builder, loc);
    Value placed = createElementwise(
        builder, loc, {{phases, map}}, place,
        [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    return tensor::InsertSliceOp::create(builder, loc, placed, dest, offsets,
                                         wanted, ones);
  }

  static Value expand(Value tensor, ArrayRef<ReassociationIndices> groups,
                      ArrayRef<OpFoldResult> sizes, OpBuilder &builder,
                      Location loc) {
    SmallVector<int64_t> shape;
    SmallVector<Value> dynamic;
    dispatchIndexOpFoldResults(sizes, dynamic, shape);
    auto type = cast<RankedTensorType>(tensor.getType());
    return tensor::ExpandShapeOp::create(builder, loc, type.clone(shape),
                                         tensor, groups, sizes);
  }

  /// Pixels × phases and channels.
  Value convolve(ConvTranspose2DOp op, OpAdaptor adaptor, const Part &part,
                 ArrayRef<OpFoldResult> pixels, OpBuilder &builder) const {
    ConvolutionBuilder build(builder, op.getLoc(), panel);
    Value filter = build.getPhaseMatrix(
        op.getFilter(), adaptor.getFilter(),
        {op.getStrides()[0], part.rows.first, part.rows.count, part.rows.taps},
        {op.getStrides()[1], part.columns.first, part.columns.count,
         part.columns.taps});
    Value panels =
        build.createPanels(filter, /*transposed=*/false, builder.getF32Type());
    Value packed = build.packFloat(filter, panels, /*transposed=*/false);
    cpu::Window window = part.getWindow();
    Value lhs = adaptor.getInput();
    DenseI64ArrayAttr attribute;
    if (window.isPointwise())
      lhs = build.flattenPixels(lhs);
    else
      attribute = window.toAttr(op.getContext());
    SmallVector<OpFoldResult> sizes(pixels);
    sizes[3] = tensor::getMixedSize(builder, op.getLoc(), filter, 1);
    Value dest = build.createPixels(sizes, builder.getF32Type());
    return cpu::MatmulOp::create(
               builder, op.getLoc(), dest.getType(), lhs, packed,
               repeatBias(op, adaptor, part.count(), builder), dest,
               /*workspace=*/Value(), /*transpose_lhs=*/false, attribute,
               /*depthwise=*/false, op.getActivation())
        .getResult(0);
  }

  /// The bias of `count` phases.
  static Value repeatBias(ConvTranspose2DOp op, OpAdaptor adaptor,
                          int64_t count, OpBuilder &builder) {
    Value bias = adaptor.getBias();
    if (!bias || count == 1)
      return bias;
    Location loc = op.getLoc();
    if (auto constant = op.getBias().getDefiningOp<ConstantOp>()) {
      int64_t size = constant.getValue().getNumElements();
      if (auto data = ConstantData<float>::get(constant.getValue(), size)) {
        std::vector<float> storage;
        ArrayRef<float> once = data->getValues(storage);
        SmallVector<float> values;
        for (int64_t i = 0; i < count; ++i)
          llvm::append_range(values, once);
        return createWeight(builder, loc, values);
      }
    }
    auto type = cast<RankedTensorType>(bias.getType());
    Value dest =
        createEmpty(builder, loc, type.clone({count, type.getDimSize(0)}),
                    [&](unsigned) { return createDim(builder, loc, bias, 0); });
    AffineMap map = AffineMap::get(2, 0, builder.getAffineDimExpr(1));
    Value rows = createElementwise(
        builder, loc, {{bias, map}}, dest,
        [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    SmallVector<ReassociationIndices> all = {{0, 1}};
    return tensor::CollapseShapeOp::create(builder, loc, rows, all);
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

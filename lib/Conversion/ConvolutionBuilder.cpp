//===- ConvolutionBuilder.cpp - What convolutions are built of ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvolutionBuilder.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Dialect/NeedleCPU/IR/Window.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;
using namespace needle;

/// The pixels of images are one dimension, channels the other.
static SmallVector<ReassociationIndices> getPixelGroups() {
  return {{0, 1, 2}, {3}};
}

/// Dynamic where one of them is, or where they are too many: but those of a
/// convolution have been counted.
static int64_t multiply(ArrayRef<int64_t> extents) {
  std::optional<int64_t> product = 1;
  for (int64_t extent : extents) {
    if (ShapedType::isDynamic(extent))
      return extent;
    product = llvm::checkedMul(*product, extent);
    if (!product)
      return ShapedType::kDynamic;
  }
  return *product;
}

/// The name of the data of a constant filter.
static std::string getBlobName(ElementsAttr filter) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(filter))
    return resource.getRawHandle().getKey().str();
  return "filter";
}

/// A weight with the elements of a filter, in their order.
template <typename T>
static ElementsAttr copyFilter(ElementsAttr filter, RankedTensorType type) {
  auto data = ConstantData<T>::get(filter, filter.getNumElements());
  if (!data)
    return {};
  std::vector<T> storage;
  ArrayRef<T> values = data->getValues(storage);
  if (values.empty())
    return DenseElementsAttr::get(type, ArrayRef<T>());
  return DenseResourceElementsAttr::get(
      type, getBlobName(filter),
      HeapAsmResourceBlob::allocateAndCopyInferAlign<T>(values));
}

Value ConvolutionBuilder::getFilterMatrix(Value filter, Value converted) {
  auto type = cast<RankedTensorType>(converted.getType());
  if (auto constant = filter.getDefiningOp<ConstantOp>()) {
    ArrayRef<int64_t> shape = type.getShape();
    RankedTensorType matrix =
        type.clone({multiply(shape.drop_back()), shape.back()});
    ElementsAttr value = constant.getValue();
    ElementsAttr copied = type.getElementType().isF32()
                              ? copyFilter<float>(value, matrix)
                              : copyFilter<int8_t>(value, matrix);
    if (copied)
      return cpu::WeightOp::create(builder, loc, matrix, copied);
  }
  return flattenPixels(converted);
}

Value ConvolutionBuilder::getMergedMatrix(Value filter,
                                          const IntegerEncoding &encoding,
                                          int64_t groups, int64_t merged) {
  auto constant = filter.getDefiningOp<ConstantOp>();
  if (!constant || !encoding.isStatic())
    return {};
  ElementsAttr value = constant.getValue();
  auto data = ConstantData<int8_t>::get(value, value.getNumElements());
  ArrayRef<int64_t> shape = value.getShapedType().getShape();
  int64_t pixels = shape[0] * shape[1], channels = shape[2], outputs = shape[3];
  if (!data || value.getNumElements() == 0)
    return {};
  std::vector<int8_t> storage, weights;
  ArrayRef<int8_t> stored = data->getValues(storage);
  weights.reserve(pixels * merged * channels * outputs);
  for (int64_t i = 0; i < pixels; ++i)
    for (int64_t c = 0; c < merged * channels; ++c)
      for (int64_t n = 0; n < outputs; ++n) {
        bool isOwn = n / (outputs / groups) % merged == c / channels;
        int32_t zero =
            encoding.zeroPoints[encoding.zeroPoints.size() > 1 ? n : 0];
        weights.push_back(
            isOwn ? stored[(i * channels + c % channels) * outputs + n]
                  : static_cast<int8_t>(zero));
      }
  auto type = RankedTensorType::get({pixels * merged * channels, outputs},
                                    builder.getI8Type());
  ElementsAttr attribute = DenseResourceElementsAttr::get(
      type, getBlobName(value),
      HeapAsmResourceBlob::allocateAndCopyInferAlign<int8_t>(weights));
  return cpu::WeightOp::create(builder, loc, type, attribute);
}

/// Phases of a constant filter as a weight of `type`.
static ElementsAttr takePhases(ElementsAttr filter, RankedTensorType type,
                               const KernelPhases &rows,
                               const KernelPhases &columns) {
  auto data = ConstantData<float>::get(filter, filter.getNumElements());
  if (!data)
    return {};
  std::vector<float> storage, taken;
  ArrayRef<float> values = data->getValues(storage);
  if (values.empty())
    return DenseElementsAttr::get(type, values);
  ArrayRef<int64_t> shape = filter.getShapedType().getShape();
  taken.reserve(type.getNumElements());
  for (int64_t i = rows.taps; i-- > 0;)
    for (int64_t j = columns.taps; j-- > 0;)
      for (int64_t c = 0; c < shape[2]; ++c)
        for (int64_t y = 0; y < rows.count; ++y)
          for (int64_t x = 0; x < columns.count; ++x) {
            int64_t row = rows.first + y + i * rows.stride;
            int64_t column = columns.first + x + j * columns.stride;
            int64_t at = ((row * shape[1] + column) * shape[2] + c) * shape[3];
            llvm::append_range(taken, values.slice(at, shape[3]));
          }
  return DenseResourceElementsAttr::get(
      type, getBlobName(filter),
      HeapAsmResourceBlob::allocateAndCopyInferAlign<float>(taken));
}

Value ConvolutionBuilder::getPhaseMatrix(Value filter, Value converted,
                                         const KernelPhases &rows,
                                         const KernelPhases &columns) {
  auto type = cast<RankedTensorType>(converted.getType());
  ArrayRef<int64_t> shape = type.getShape();
  if (auto constant = filter.getDefiningOp<ConstantOp>()) {
    RankedTensorType matrix =
        type.clone({rows.taps * columns.taps * shape[2],
                    rows.count * columns.count * shape[3]});
    if (ElementsAttr taken =
            takePhases(constant.getValue(), matrix, rows, columns))
      return cpu::WeightOp::create(builder, loc, matrix, taken);
  }
  Value dest =
      createEmpty(builder, loc,
                  type.clone({rows.taps, columns.taps, shape[2], rows.count,
                              columns.count, shape[3]}),
                  [&](unsigned dim) {
                    return createDim(builder, loc, converted, dim == 2 ? 2 : 3);
                  });
  auto place = [&](const KernelPhases &phases, unsigned tap, unsigned phase) {
    return (phases.taps - 1 - builder.getAffineDimExpr(tap)) * phases.stride +
           builder.getAffineDimExpr(phase) + phases.first;
  };
  AffineMap map =
      AffineMap::get(6, 0,
                     {place(rows, 0, 3), place(columns, 1, 4),
                      builder.getAffineDimExpr(2), builder.getAffineDimExpr(5)},
                     builder.getContext());
  Value taken = createElementwise(
      builder, loc, {{converted, map}}, dest,
      [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  SmallVector<ReassociationIndices> groups = {{0, 1, 2}, {3, 4, 5}};
  return tensor::CollapseShapeOp::create(builder, loc, taken, groups);
}

/// A constant filter less its zero points; nothing if it cannot be read.
static std::optional<std::vector<int16_t>>
readCentered(Value filter, const IntegerEncoding &encoding) {
  auto constant = filter.getDefiningOp<ConstantOp>();
  if (!constant || !encoding.isStatic())
    return std::nullopt;
  ElementsAttr value = constant.getValue();
  auto data = ConstantData<int8_t>::get(value, value.getNumElements());
  if (!data)
    return std::nullopt;
  std::vector<int8_t> storage;
  ArrayRef<int8_t> stored = data->getValues(storage);
  int64_t columns = value.getShapedType().getShape().back();
  std::vector<int16_t> centered;
  centered.reserve(stored.size());
  for (auto [i, raw] : llvm::enumerate(stored)) {
    int16_t weight = encoding.isUnsigned ? int16_t(uint8_t(raw)) : raw;
    bool perColumn = encoding.zeroPoints.size() > 1;
    centered.push_back(weight -
                       encoding.zeroPoints[perColumn ? i % columns : 0]);
  }
  return centered;
}

template <typename T>
static Value createFilterWeight(OpBuilder &builder, Location loc,
                                ArrayRef<int64_t> shape, Type element,
                                ArrayRef<T> values) {
  auto type = RankedTensorType::get(shape, element);
  return cpu::WeightOp::create(
      builder, loc, type,
      DenseResourceElementsAttr::get(
          type, "filter",
          HeapAsmResourceBlob::allocateAndCopyInferAlign<T>(values)));
}

Value ConvolutionBuilder::getDepthwiseWeights(Value filter,
                                              const IntegerEncoding &encoding) {
  auto centered = readCentered(filter, encoding);
  if (!centered)
    return {};
  ArrayRef<int64_t> shape = cast<ShapedType>(filter.getType()).getShape();
  int64_t height = shape[0], width = shape[1], channels = shape[3];
  int64_t pairs = (width + 1) / 2;
  std::vector<int16_t> weights(height * pairs * channels * 2, 0);
  for (int64_t i = 0; i < height * width; ++i)
    for (int64_t c = 0; c < channels; ++c) {
      int64_t row = i / width, column = i % width;
      weights[((row * pairs + column / 2) * channels + c) * 2 + column % 2] =
          (*centered)[i * channels + c];
    }
  return createFilterWeight<int16_t>(builder, loc,
                                     {height * pairs, channels, 2},
                                     builder.getIntegerType(16), weights);
}

Value ConvolutionBuilder::getSmallGroupWeights(
    Value filter, const IntegerEncoding &encoding) {
  ArrayRef<int64_t> shape = cast<ShapedType>(filter.getType()).getShape();
  int64_t taps = multiply(shape.drop_back());
  if (taps > cpu::Window::mostExactTaps)
    return {};
  auto centered = readCentered(filter, encoding);
  if (!centered)
    return {};
  std::vector<float> weights(centered->begin(), centered->end());
  return createFilterWeight<float>(builder, loc, {taps, shape.back()},
                                   builder.getF32Type(), weights);
}

Value ConvolutionBuilder::flattenPixels(Value images) {
  auto type = cast<RankedTensorType>(images.getType());
  ArrayRef<int64_t> shape = type.getShape();
  return tensor::CollapseShapeOp::create(
      builder, loc, type.clone({multiply(shape.drop_back()), shape.back()}),
      images, getPixelGroups());
}

Value ConvolutionBuilder::unflattenPixels(Value rows,
                                          ArrayRef<OpFoldResult> sizes) {
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  auto type = cast<RankedTensorType>(rows.getType());
  return tensor::ExpandShapeOp::create(builder, loc, type.clone(shape), rows,
                                       getPixelGroups(), sizes);
}

Value ConvolutionBuilder::createPixels(ArrayRef<OpFoldResult> sizes,
                                       Type element) {
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  auto toValue = [&](OpFoldResult size) {
    return getValueOrCreateConstantIndexOp(builder, loc, size);
  };
  auto type = RankedTensorType::get(
      {multiply(ArrayRef(shape).drop_back()), shape.back()}, element);
  return createEmpty(builder, loc, type, [&](unsigned dim) {
    if (dim == 1)
      return toValue(sizes.back());
    Value rows = toValue(sizes[0]);
    for (OpFoldResult size : sizes.slice(1, 2))
      rows = builder.createOrFold<arith::MulIOp>(loc, rows, toValue(size));
    return rows;
  });
}

//===- ConvolutionBuilder.cpp - What convolutions are built of ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvolutionBuilder.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
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

template <typename T>
static ElementsAttr takePart(ElementsAttr filter, const FilterPart &part,
                             Type element) {
  auto data = ConstantData<T>::get(filter, filter.getNumElements());
  if (!data)
    return {};
  std::vector<T> storage;
  ArrayRef<T> values = data->getValues(storage);
  ArrayRef<int64_t> shape = filter.getShapedType().getShape();
  std::vector<T> taken;
  taken.reserve(values.size());
  for (int64_t i = 0; i < part.rows.count; ++i)
    for (int64_t j = 0; j < part.columns.count; ++j)
      for (int64_t c = 0; c < shape[2]; ++c) {
        int64_t row = part.rows.first + i * part.rows.step;
        int64_t column = part.columns.first + j * part.columns.step;
        int64_t at = ((row * shape[1] + column) * shape[2] + c) * shape[3];
        llvm::append_range(taken, values.slice(at, shape[3]));
      }
  auto type = RankedTensorType::get(
      {part.rows.count * part.columns.count * shape[2], shape[3]}, element);
  if (taken.empty())
    return DenseElementsAttr::get(type, ArrayRef<T>());
  std::string name = "filter";
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(filter))
    name = resource.getRawHandle().getKey().str();
  return DenseResourceElementsAttr::get(
      type, name, HeapAsmResourceBlob::allocateAndCopyInferAlign<T>(taken));
}

Value ConvolutionBuilder::getFilterMatrix(Value filter, Value converted) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(filter.getType()).getShape();
  return getFilterMatrix(filter, converted,
                         {Taps::all(shape[0]), Taps::all(shape[1])});
}

Value ConvolutionBuilder::getFilterMatrix(Value filter, Value converted,
                                          const FilterPart &part) {
  auto type = cast<RankedTensorType>(converted.getType());
  Type element = type.getElementType();
  if (auto constant = filter.getDefiningOp<ConstantOp>()) {
    ElementsAttr value = constant.getValue();
    ElementsAttr taken = element.isF32()
                             ? takePart<float>(value, part, element)
                             : takePart<int8_t>(value, part, element);
    if (taken)
      return cpu::WeightOp::create(
          builder, loc, cast<RankedTensorType>(taken.getType()), taken);
  }
  // These operations are converted in turn.
  auto take = [&](unsigned dim, const Taps &taps) {
    auto shaped = cast<RankedTensorType>(filter.getType());
    if (taps.areAll(shaped.getDimSize(dim)))
      return;
    int64_t last = taps.first + (taps.count - 1) * taps.step;
    SmallVector<int64_t> starts(4, 0), limits(4, -1), steps(4, 1);
    starts[dim] = std::min(taps.first, last);
    limits[dim] = std::max(taps.first, last) + 1;
    steps[dim] = std::abs(taps.step);
    SmallVector<int64_t> shape(shaped.getShape());
    shape[dim] = taps.count;
    filter = SliceOp::create(builder, loc, shaped.clone(shape), filter, starts,
                             limits, steps);
    if (taps.step < 0)
      filter = ReverseOp::create(builder, loc, filter.getType(), filter,
                                 ArrayRef<int64_t>{dim});
  };
  Value original = filter;
  take(0, part.rows);
  take(1, part.columns);
  Value images = filter == original ? converted : filter;
  return flattenPixels(images);
}

Value ConvolutionBuilder::getDepthwiseWeights(Value filter,
                                              const IntegerEncoding &encoding) {
  auto constant = filter.getDefiningOp<ConstantOp>();
  if (!constant || !encoding.isStatic())
    return {};
  ElementsAttr value = constant.getValue();
  auto data = ConstantData<int8_t>::get(value, value.getNumElements());
  if (!data)
    return {};
  std::vector<int8_t> storage;
  ArrayRef<int8_t> stored = data->getValues(storage);
  ArrayRef<int64_t> shape = value.getShapedType().getShape();
  int64_t height = shape[0], width = shape[1], channels = shape[3];
  int64_t pairs = (width + 1) / 2;
  std::vector<int16_t> weights(height * pairs * channels * 2, 0);
  for (int64_t i = 0; i < height * width; ++i)
    for (int64_t c = 0; c < channels; ++c) {
      int8_t raw = stored[i * channels + c];
      int16_t weight = encoding.isUnsigned ? int16_t(uint8_t(raw)) : raw;
      weight -= encoding.zeroPoints[encoding.zeroPoints.size() > 1 ? c : 0];
      int64_t row = i / width, column = i % width;
      weights[((row * pairs + column / 2) * channels + c) * 2 + column % 2] =
          weight;
    }
  auto type = RankedTensorType::get({height * pairs, channels, 2},
                                    builder.getIntegerType(16));
  ElementsAttr packed = DenseResourceElementsAttr::get(
      type, "filter",
      HeapAsmResourceBlob::allocateAndCopyInferAlign<int16_t>(weights));
  return cpu::WeightOp::create(builder, loc, type, packed);
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

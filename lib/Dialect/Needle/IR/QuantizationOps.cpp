//===- QuantizationOps.cpp - Between float and integer ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers, shapes and folding of quantize, dequantize, quantize_dynamic,
// requantize, fake_quantize and observe.
//
//===----------------------------------------------------------------------===//

#include "ShapeUtils.h"
#include "mlir/IR/TypeUtilities.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Quantization/QuantTypes.h"
#include <cmath>

using namespace mlir;
using namespace needle;
using mlir::quant::QuantizedType;

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

/// Whether quantizing (N1) what dequantizing (N3) gave restores every integer.
/// The quotient of the rounded product is within 255·2⁻²³ of the integer,
/// unless the product overflows; infinity is clamped to the outermost integer.
static bool isExactRoundTrip(QuantizedType type) {
  QuantTypeInfo info = *getQuantTypeInfo(type);
  return llvm::all_of(info.params, [&](QuantParams params) {
    return std::isfinite(dequantize(info.range.min + 1, params)) &&
           std::isfinite(dequantize(info.range.max - 1, params));
  });
}

//===----------------------------------------------------------------------===//
// quantize
//===----------------------------------------------------------------------===//

LogicalResult QuantizeOp::verify() {
  return verifySameShape(*this, getOperand(), getResult());
}

/// N1 on the elements of a constant, stored as StorageT.
template <typename StorageT>
static Attribute quantizeConstant(const ConstantData<float> &data,
                                  RankedTensorType type) {
  QuantTypeInfo info = *getQuantTypeInfo(type.getElementType());
  AxisView view{1, 1, type.getNumElements()};
  if (info.axis)
    view = AxisView::of(type.getShape(), *info.axis);
  SmallVector<float> values(type.getNumElements());
  for (auto [i, value] : llvm::enumerate(values))
    value = data[i];
  SmallVector<StorageT> stored(values.size());
  quantizePerAxis<StorageT>(values, view, info.params, info.range, stored);
  return DenseElementsAttr::getFromRawBuffer(
      getStorageTensorType(type),
      ArrayRef(reinterpret_cast<const char *>(stored.data()), stored.size()));
}

/// quantize(dequantize(q)) → q where that is the identity;
/// quantize(constant) → constant
OpFoldResult QuantizeOp::fold(FoldAdaptor adaptor) {
  auto type = cast<RankedTensorType>(getType());
  auto quantized = cast<QuantizedType>(type.getElementType());
  auto producer = getOperand().getDefiningOp<DequantizeOp>();
  if (producer && producer.getOperand().getType() == type &&
      isExactRoundTrip(quantized))
    return producer.getOperand();
  if (!adaptor.getOperand() || !type.hasStaticShape() ||
      type.getNumElements() > kMaxFoldedElements)
    return {};
  auto data =
      ConstantData<float>::get(adaptor.getOperand(), type.getNumElements());
  if (!data)
    return {};
  return quantized.isSigned() ? quantizeConstant<int8_t>(*data, type)
                              : quantizeConstant<uint8_t>(*data, type);
}

ShapeRule QuantizeOp::getShapeRule() {
  return ShapeRule::sameShape(getOperand(), getResult());
}

//===----------------------------------------------------------------------===//
// dequantize
//===----------------------------------------------------------------------===//

LogicalResult DequantizeOp::verify() {
  if (failed(verifySameShape(*this, getOperand(), getResult())))
    return failure();
  Type element = getElementTypeOrSelf(getOperand());
  bool isRaw = !isa<QuantizedType>(element);
  if (isRaw && !(getScale() && getZeroPoint()))
    return emitOpError() << "operand has raw " << element
                         << " elements and needs a scale and a zero point "
                            "operand";
  if (!isRaw && (getScale() || getZeroPoint()))
    return emitOpError() << "operand has its parameters in its type "
                         << getOperand().getType()
                         << "; it takes no scale and zero point operands";
  return success();
}

ShapeRule DequantizeOp::getShapeRule() {
  return ShapeRule::sameShape(getOperand(), getResult());
}

//===----------------------------------------------------------------------===//
// quantize_dynamic
//===----------------------------------------------------------------------===//

LogicalResult QuantizeDynamicOp::inferReturnTypes(
    MLIRContext *context, std::optional<Location>, mlir::ValueRange operands,
    DictionaryAttr, OpaqueProperties, RegionRange,
    SmallVectorImpl<Type> &inferredReturnTypes) {
  auto type = cast<RankedTensorType>(operands[0].getType());
  inferredReturnTypes.push_back(
      type.clone(IntegerType::get(context, 8, IntegerType::Unsigned)));
  inferredReturnTypes.push_back(
      RankedTensorType::get({}, Float32Type::get(context)));
  inferredReturnTypes.push_back(
      RankedTensorType::get({}, IntegerType::get(context, 32)));
  return success();
}

ShapeRule QuantizeDynamicOp::getShapeRule() {
  return ShapeRule::sameShape(getOperand(), getResult());
}

//===----------------------------------------------------------------------===//
// requantize
//===----------------------------------------------------------------------===//

LogicalResult RequantizeOp::verify() {
  return verifySameShape(*this, getOperand(), getResult());
}

/// requantize(q) → q to the same parameters, where that is the identity
OpFoldResult RequantizeOp::fold(FoldAdaptor) {
  auto type = cast<QuantizedType>(getElementTypeOrSelf(getType()));
  if (getOperand().getType() == getType() && isExactRoundTrip(type))
    return getOperand();
  return {};
}

ShapeRule RequantizeOp::getShapeRule() {
  return ShapeRule::sameShape(getOperand(), getResult());
}

//===----------------------------------------------------------------------===//
// fake_quantize
//===----------------------------------------------------------------------===//

LogicalResult FakeQuantizeOp::verify() {
  auto quantized = dyn_cast<QuantizedType>(getTypeAttr().getValue());
  if (!quantized)
    return emitOpError() << "attribute 'type' must be a quantized type, got "
                         << getTypeAttr().getValue();
  auto operand = cast<RankedTensorType>(getOperand().getType());
  return verifyQuantizedType(quantized, operand.getShape(), [&] {
    return emitOpError() << "attribute 'type': ";
  });
}

//===----------------------------------------------------------------------===//
// observe
//===----------------------------------------------------------------------===//

LogicalResult ObserveOp::verify() {
  if (static_cast<int64_t>(getId()) < 0)
    return emitOpError() << "attribute 'id' must not be negative, got "
                         << static_cast<int64_t>(getId());
  if (getMin().has_value() != getMax().has_value())
    return emitOpError("attributes 'min' and 'max' must be set together");
  if (!getMin())
    return success();
  double min = getMin()->convertToDouble(), max = getMax()->convertToDouble();
  // False for NaN as well.
  if (!(min <= max))
    return emitOpError() << "attribute 'min' (" << min
                         << ") must not be above 'max' (" << max
                         << "), and neither may be NaN";
  return success();
}

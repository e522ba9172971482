//===- ConstantOps.cpp - needle.constant ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifies and folds constants.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace mlir;
using namespace needle;

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

/// The resource is there and has as many bytes as the type says.
static LogicalResult verifyResource(ConstantOp op,
                                    DenseResourceElementsAttr resource) {
  std::optional<ConstantBytes> data = getConstantBytes(resource);
  StringRef key = resource.getRawHandle().getKey();
  if (!data)
    return op.emitOpError() << "resource '" << key << "' has no data";
  auto type = cast<RankedTensorType>(resource.getType());
  size_t expected =
      type.getNumElements() * (type.getElementTypeBitWidth() / CHAR_BIT);
  if (data->bytes.size() != expected)
    return op.emitOpError()
           << "resource '" << key << "' has " << data->bytes.size()
           << " bytes, but " << type << " needs " << expected;
  return success();
}

template <typename StorageT>
static LogicalResult verifyStorageRange(ConstantOp op,
                                        quant::QuantizedType type,
                                        ArrayRef<char> bytes) {
  int64_t min = type.getStorageTypeMin(), max = type.getStorageTypeMax();
  for (auto [index, byte] : llvm::enumerate(bytes)) {
    auto value = static_cast<StorageT>(byte);
    if (value < min || value > max)
      return op.emitOpError()
             << "value " << static_cast<int64_t>(value) << " at element "
             << index << " is outside the storage range [" << min << ", " << max
             << "] of " << type;
  }
  return success();
}

LogicalResult ConstantOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (!type.hasStaticShape())
    return emitOpError() << "result must have a static shape, got " << type;
  ElementsAttr value = getValue();
  if (!isa<DenseIntOrFPElementsAttr, DenseResourceElementsAttr>(value))
    return emitOpError("value must be a dense or dense_resource attribute");
  RankedTensorType expected = getStorageTensorType(type);
  if (value.getShapedType() != expected)
    return emitOpError() << "value of a constant of type " << type
                         << " must have type " << expected << ", got "
                         << value.getShapedType();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    if (failed(verifyResource(*this, resource)))
      return failure();
  auto quantized = dyn_cast<quant::QuantizedType>(type.getElementType());
  if (!quantized || !(quantized.hasStorageTypeBounds()))
    return success();
  ArrayRef<char> bytes = getConstantBytes(value)->bytes;
  return quantized.isSigned()
             ? verifyStorageRange<int8_t>(*this, quantized, bytes)
             : verifyStorageRange<uint8_t>(*this, quantized, bytes);
}

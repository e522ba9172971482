//===- ConstantOps.cpp - needle.constant ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifies and folds constants.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "llvm/Support/CheckedArithmetic.h"

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

/// A splat of any size is a few bytes of text: what is written out element by
/// element later has to be bounded here.
static LogicalResult verifySize(ConstantOp op, ElementsAttr value) {
  constexpr uint64_t largest = uint64_t(16) << 30;
  ShapedType type = value.getShapedType();
  std::optional<uint64_t> bits = llvm::checkedMulUnsigned<uint64_t>(
      type.getNumElements(), type.getElementTypeBitWidth());
  if (bits && *bits / CHAR_BIT <= largest)
    return success();
  return op.emitOpError() << "value of type " << type << " is larger than "
                          << (largest >> 30) << " GiB";
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
  if (failed(verifySize(*this, value)))
    return failure();
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

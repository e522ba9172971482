//===- ConstantData.cpp - Values of constants -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the numbers behind dense and resource attributes.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace needle;

std::optional<ConstantBytes> needle::getConstantBytes(Attribute attr) {
  if (auto dense = dyn_cast_or_null<DenseIntOrFPElementsAttr>(attr))
    return ConstantBytes{dense.getRawData(), dense.isSplat()};
  auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(attr);
  if (!resource)
    return std::nullopt;
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  if (!blob)
    return std::nullopt;
  return ConstantBytes{blob->getData(), /*isSplat=*/false};
}

RankedTensorType needle::getStorageTensorType(RankedTensorType type) {
  auto quantized = dyn_cast<quant::QuantizedType>(type.getElementType());
  if (!quantized)
    return type;
  unsigned width = quantized.getStorageTypeIntegralWidth();
  return type.clone(IntegerType::get(type.getContext(), width));
}

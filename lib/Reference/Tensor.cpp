//===- Tensor.cpp - Host tensors of the reference interpreter -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element kinds and the memory of tensors.
//
//===----------------------------------------------------------------------===//

#include "needle/Reference/Tensor.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemAlloc.h"
#include <cstring>

using namespace needle;
using namespace mlir;

unsigned needle::getElementSize(ElementKind kind) {
  switch (kind) {
  case ElementKind::F32:
  case ElementKind::I32:
    return 4;
  case ElementKind::UI8:
  case ElementKind::SI8:
    return 1;
  }
  llvm_unreachable("all kinds are covered");
}

StringRef needle::stringifyElementKind(ElementKind kind) {
  switch (kind) {
  case ElementKind::F32:
    return "f32";
  case ElementKind::I32:
    return "i32";
  case ElementKind::UI8:
    return "ui8";
  case ElementKind::SI8:
    return "si8";
  }
  llvm_unreachable("all kinds are covered");
}

std::optional<ElementKind> needle::getElementKind(Type elementType) {
  if (elementType.isF32())
    return ElementKind::F32;
  if (elementType.isSignlessInteger(32))
    return ElementKind::I32;
  if (elementType.isUnsignedInteger(8))
    return ElementKind::UI8;
  if (elementType.isSignedInteger(8))
    return ElementKind::SI8;
  if (isa<quant::UniformQuantizedType, quant::UniformQuantizedPerAxisType>(
          elementType)) {
    auto quantized = cast<quant::QuantizedType>(elementType);
    if (quantized.getStorageTypeIntegralWidth() == 8)
      return quantized.isSigned() ? ElementKind::SI8 : ElementKind::UI8;
  }
  return std::nullopt;
}

FailureOr<Tensor> Tensor::create(ElementKind kind, ArrayRef<int64_t> shape) {
  // An extent of zero makes the tensor empty, whatever the others multiply to.
  int64_t numElements = 1;
  if (llvm::is_contained(shape, 0))
    numElements = 0;
  else
    for (int64_t size : shape)
      if (llvm::MulOverflow(numElements, size, numElements))
        return failure();
  int64_t numBytes;
  if (llvm::MulOverflow<int64_t>(numElements, getElementSize(kind), numBytes))
    return failure();
  // At least one byte: an empty tensor has an address as well.
  auto *bytes =
      static_cast<char *>(std::calloc(std::max<int64_t>(numBytes, 1), 1));
  if (!bytes)
    return failure();
  return Tensor(kind, shape, numElements, bytes);
}

Tensor::Tensor(const Tensor &other)
    : kind(other.kind), shape(other.shape), numElements(other.numElements),
      data(static_cast<char *>(llvm::safe_malloc(other.getNumBytes()))) {
  std::memcpy(data.get(), other.data.get(), getNumBytes());
}

Tensor &Tensor::operator=(Tensor other) {
  kind = other.kind;
  shape = std::move(other.shape);
  numElements = other.numElements;
  data = std::move(other.data);
  return *this;
}

Tensor Tensor::reshaped(ArrayRef<int64_t> newShape) && {
  Tensor result = std::move(*this);
  result.shape.assign(newShape.begin(), newShape.end());
  return result;
}

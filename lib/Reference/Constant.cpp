//===- Constant.cpp - Evaluates constants ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the elements of dense attributes and of resources.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include <cstring>

using namespace needle;
using namespace mlir;

/// The bytes of a constant's elements; those of one element for a splat.
static FailureOr<ArrayRef<char>> getRawBytes(ConstantOp op) {
  Attribute value = op.getValueAttr();
  if (auto dense = dyn_cast<DenseElementsAttr>(value))
    return dense.getRawData();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      return blob->getData();
    return op.emitOpError() << "resource '" << resource.getRawHandle().getKey()
                            << "' has no data";
  }
  return op.emitOpError() << "value must be a dense attribute or resource";
}

static FailureOr<Tensor> evaluateConstant(ConstantOp op, const Environment &) {
  auto type = cast<RankedTensorType>(op.getType());
  std::optional<ElementKind> kind = getElementKind(type.getElementType());
  if (!kind)
    return op.emitOpError() << "the interpreter has no values of type " << type;
  FailureOr<ArrayRef<char>> bytes = getRawBytes(op);
  FailureOr<Tensor> result = allocate(op, *kind, type.getShape());
  if (failed(bytes) || failed(result))
    return failure();
  MutableArrayRef<char> target = result->getMutableBytes();
  auto dense = dyn_cast<DenseElementsAttr>(op.getValueAttr());
  size_t expected =
      dense && dense.isSplat() ? getElementSize(*kind) : target.size();
  if (bytes->size() != expected)
    return op.emitOpError() << "value has " << bytes->size() << " bytes where "
                            << type << " needs " << expected;
  for (size_t offset = 0; offset < target.size(); offset += bytes->size())
    std::memcpy(target.data() + offset, bytes->data(), bytes->size());
  return result;
}

void needle::registerConstantEvaluators(EvaluatorRegistry &registry) {
  registry.add(evaluateConstant);
}

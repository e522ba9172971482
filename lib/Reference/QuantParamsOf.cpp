//===- QuantParamsOf.cpp - Parameters of a quantized operand --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads parameters from types and from rank-0 tensors.
//
//===----------------------------------------------------------------------===//

#include "QuantParamsOf.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace needle;
using namespace mlir;

FailureOr<QuantTypeInfo> needle::getQuantParams(Operation *op, Type elementType,
                                                ArrayRef<int64_t> shape) {
  std::optional<QuantTypeInfo> info = getQuantTypeInfo(elementType);
  if (!info)
    return op->emitOpError() << elementType << " is not uniform quantized";
  if (!info->hasZeroPointsInRange())
    return op->emitOpError() << "zero point of " << elementType
                             << " is none of its stored integers";
  if (info->axis &&
      (*info->axis >= shape.size() ||
       shape[*info->axis] != static_cast<int64_t>(info->params.size())))
    return op->emitOpError() << "shape [" << shape << "] does not fit the axis "
                             << "of " << elementType;
  return *info;
}

FailureOr<QuantTypeInfo> needle::getQuantParams(Operation *op,
                                                const QuantizedValue &operand,
                                                const Environment &env) {
  const Tensor &tensor = env[operand.value];
  Type elementType = getElementTypeOrSelf(operand.value.getType());
  if (!operand.scale)
    return getQuantParams(op, elementType, tensor.getShape());
  QuantTypeInfo info;
  info.bits = 8;
  info.isSigned = tensor.getKind() == ElementKind::SI8;
  info.range = info.isSigned ? IntegerRange{-128, 127} : IntegerRange{0, 255};
  info.params.push_back({env[operand.scale].getValues<float>()[0],
                         env[operand.zeroPoint].getValues<int32_t>()[0]});
  if (!info.hasZeroPointsInRange())
    return op->emitOpError()
           << "zero point of " << operand.name << " is "
           << info.params.front().zeroPoint << ", which is not within ["
           << info.range.min << ", " << info.range.max << "]";
  return info;
}

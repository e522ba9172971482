//===- NeedleTraits.cpp - Operation traits of needle ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides which quantized types needle computes with; verifies the types of
// operations.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/Needle/IR/NeedleTraits.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace needle;
using mlir::quant::QuantizedType;
using mlir::quant::UniformQuantizedPerAxisType;
using mlir::quant::UniformQuantizedType;

using EmitError = llvm::function_ref<InFlightDiagnostic()>;

/// `value` with as many digits as make it the same double when read.
static SmallString<32> toExactString(double value) {
  SmallString<32> text;
  llvm::APFloat(value).toString(text, /*FormatPrecision=*/17);
  return text;
}

/// One scale and its zero point. A scale has to be an f32 value because the
/// numeric rules compute with f32: any other double would silently mean its
/// rounding.
static LogicalResult verifyParameters(QuantizedType type, double scale,
                                      int64_t zeroPoint, EmitError emitError) {
  if (!std::isfinite(scale) || scale <= 0.0)
    return emitError() << "scale of " << type
                       << " must be positive and finite, got " << scale;
  float rounded = static_cast<float>(scale);
  if (static_cast<double>(rounded) != scale)
    return emitError() << "scale of " << type << " is not an f32 value: write "
                       << toExactString(rounded) << " instead of "
                       << toExactString(scale);
  if (zeroPoint < type.getStorageTypeMin() ||
      zeroPoint > type.getStorageTypeMax())
    return emitError() << "zero point " << zeroPoint << " of " << type
                       << " is outside the storage range ["
                       << type.getStorageTypeMin() << ", "
                       << type.getStorageTypeMax() << "]";
  return success();
}

/// The axis of a per-axis type within `shape`.
static LogicalResult verifyAxis(UniformQuantizedPerAxisType type,
                                ArrayRef<int64_t> shape, EmitError emitError) {
  int64_t axis = type.getQuantizedDimension();
  int64_t numScales = type.getScales().size();
  if (axis < 0 || axis >= static_cast<int64_t>(shape.size()))
    return emitError() << "axis " << axis << " of " << type
                       << " does not exist in a tensor of rank "
                       << shape.size();
  if (ShapedType::isDynamic(shape[axis]))
    return emitError() << "dimension " << axis
                       << " must be static: it is the axis of " << type;
  if (shape[axis] != numScales)
    return emitError() << type << " has " << numScales
                       << " scales, but dimension " << axis << " is "
                       << shape[axis];
  return success();
}

LogicalResult needle::verifyQuantizedType(QuantizedType type,
                                          ArrayRef<int64_t> shape,
                                          EmitError emitError) {
  // Calibrated types have no storage type to ask about.
  if (!isa<UniformQuantizedType, UniformQuantizedPerAxisType>(type))
    return emitError() << type << " must be uniform, per tensor or per axis";
  if (type.getStorageTypeIntegralWidth() != 8)
    return emitError() << "storage type of " << type << " must have 8 bits";
  if (!type.getExpressedType() || !type.getExpressedType().isF32())
    return emitError() << "expressed type of " << type << " must be f32";
  if (auto perTensor = dyn_cast<UniformQuantizedType>(type))
    return verifyParameters(type, perTensor.getScale(),
                            perTensor.getZeroPoint(), emitError);
  auto perAxis = cast<UniformQuantizedPerAxisType>(type);
  if (failed(verifyAxis(perAxis, shape, emitError)))
    return failure();
  for (auto [scale, zeroPoint] :
       llvm::zip_equal(perAxis.getScales(), perAxis.getZeroPoints()))
    if (failed(verifyParameters(type, scale, zeroPoint, emitError)))
      return failure();
  return success();
}

/// The size in bytes of any tensor is computed in 64 bits, wherever it appears
/// (a 0 does not help: strides are products of the other dimensions).
static LogicalResult verifySize(RankedTensorType type, EmitError emitError) {
  constexpr int64_t kMaxElements = std::numeric_limits<int64_t>::max() / 8;
  int64_t count = 1;
  for (int64_t dim : type.getShape()) {
    if (ShapedType::isDynamic(dim) || dim == 0)
      continue;
    if (dim > kMaxElements / count)
      return emitError() << type << " has more than " << kMaxElements
                         << " elements";
    count *= dim;
  }
  return success();
}

static LogicalResult verifyTensorType(RankedTensorType type,
                                      EmitError emitError) {
  if (failed(verifySize(type, emitError)))
    return failure();
  auto quantized = dyn_cast<QuantizedType>(type.getElementType());
  return quantized ? verifyQuantizedType(quantized, type.getShape(), emitError)
                   : success();
}

LogicalResult needle::detail::verifyTensorTypes(Operation *op) {
  auto verify = [&](TypeRange types, StringRef kind) -> LogicalResult {
    for (auto [index, type] : llvm::enumerate(types)) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      auto emitError = [&, index = index] {
        return op->emitOpError() << kind << " #" << index << ": ";
      };
      if (tensor && failed(verifyTensorType(tensor, emitError)))
        return failure();
    }
    return success();
  };
  if (failed(verify(op->getOperandTypes(), "operand")))
    return failure();
  return verify(op->getResultTypes(), "result");
}

LogicalResult needle::detail::verifyInferredResultTypes(Operation *op) {
  auto inferable = cast<InferTypeOpInterface>(op);
  SmallVector<Type> inferred;
  if (failed(inferable.inferReturnTypes(
          op->getContext(), op->getLoc(), op->getOperands(),
          op->getRawDictionaryAttrs(), op->getPropertiesStorage(),
          op->getRegions(), inferred)))
    return failure();
  if (inferable.isCompatibleReturnTypes(inferred, op->getResultTypes()))
    return success();
  return op->emitOpError() << "result must have type " << inferred
                           << " up to dynamic dimensions, got "
                           << op->getResultTypes();
}

//===- ContractionUtils.cpp - What contractions share -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operand rules of integer contractions.
//
//===----------------------------------------------------------------------===//

#include "ContractionUtils.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace needle;

/// Names the types in a message; Twine takes no types.
static std::string toString(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << '\'' << type << '\'';
  return text;
}

LogicalResult needle::verifyQuantizedContractionOperand(
    RankedTensorType type, bool hasScale, bool hasZeroPoint,
    std::optional<int64_t> axis, StringRef axisName,
    llvm::function_ref<LogicalResult(const Twine &)> fail) {
  Type element = type.getElementType();
  bool isRaw = element.isInteger(8);
  if (isRaw && !(hasScale && hasZeroPoint))
    return fail("has raw " + toString(element) +
                " elements and needs a scale and a zero point operand");
  if (!isRaw && (hasScale || hasZeroPoint))
    return fail("has its parameters in its type " + toString(type) +
                "; it takes no scale and zero point operands");
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(element);
  if (isRaw || isa<quant::UniformQuantizedType>(element) ||
      (perAxis && axis == perAxis.getQuantizedDimension()))
    return success();
  if (!perAxis)
    return fail("must be quantized, got " + toString(type));
  std::string got =
      Twine("axis " + Twine(perAxis.getQuantizedDimension())).str();
  if (!axis)
    return fail("must be quantized per tensor, got " + got);
  return fail("must be quantized per tensor or along axis " + Twine(*axis) +
              " (" + axisName + "), got " + got);
}

LogicalResult needle::verifyQuantizedContractionOperand(
    Operation *op, StringRef name, Value operand, Value scale, Value zeroPoint,
    std::optional<int64_t> axis, StringRef axisName) {
  return verifyQuantizedContractionOperand(
      cast<RankedTensorType>(operand.getType()), bool(scale), bool(zeroPoint),
      axis, axisName, [&](const Twine &message) -> LogicalResult {
        return op->emitOpError() << "operand '" << name << "' " << message;
      });
}

LogicalResult needle::verifyIntegerContractionResult(Operation *op, Value bias,
                                                     Activation activation) {
  Type type = op->getResult(0).getType();
  Type element = getElementTypeOrSelf(type);
  if (isa<quant::UniformQuantizedPerAxisType>(element))
    return op->emitOpError()
           << "result must be quantized per tensor, got " << type;
  if (!element.isInteger(32))
    return success();
  if (activation != Activation::None)
    return op->emitOpError()
           << "an i32 result is the plain sum: activation '"
           << stringifyActivation(activation) << "' does not apply to it";
  if (bias && getElementTypeOrSelf(bias).isF32())
    return op->emitOpError() << "an i32 result is the plain sum: operand "
                                "'bias' must be i32, got "
                             << bias.getType();
  return success();
}

LogicalResult
needle::checkQuantizedSource(const QuantizableOperand &description,
                             Value operand, const QuantizedOperand &quantized,
                             StringRef axisName, std::string &reason) {
  llvm::raw_string_ostream os(reason);
  auto type = dyn_cast<RankedTensorType>(quantized.value.getType());
  if (!type || failed(verifyCompatibleShape(type, operand.getType()))) {
    os << "operand '" << description.name << "' has type '" << operand.getType()
       << "', its quantized source '" << quantized.value.getType() << "'";
    return failure();
  }
  return verifyQuantizedContractionOperand(
      type, bool(quantized.scale), bool(quantized.zeroPoint), description.axis,
      axisName, [&](const Twine &message) {
        os << "operand '" << description.name << "' " << message;
        return failure();
      });
}

LogicalResult needle::checkIntegerFormResult(Operation *op, Type resultType,
                                             std::string &reason) {
  Type element = getElementTypeOrSelf(resultType);
  if (succeeded(
          verifyCompatibleShape(resultType, op->getResult(0).getType())) &&
      (element.isF32() || isa<quant::UniformQuantizedType>(element)))
    return success();
  llvm::raw_string_ostream(reason)
      << "the result cannot become '" << resultType
      << "': it must be float or quantized per tensor, of the same shape";
  return failure();
}

Value needle::getTransposedMatrix(Value value) {
  auto transpose = value.getDefiningOp<TransposeOp>();
  if (!transpose)
    return {};
  int64_t rank = transpose.getPermutation().size();
  if (rank < 2)
    return {};
  auto swapped = llvm::to_vector<4>(llvm::seq(rank));
  std::swap(swapped[rank - 2], swapped[rank - 1]);
  if (transpose.getPermutation() != ArrayRef(swapped))
    return {};
  return transpose.getOperand();
}

EqualDimensions needle::getEqualBatch(Value lhs, Value rhs, Value result,
                                      unsigned i) {
  EqualDimensions equal;
  int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
  auto add = [&](Value operand, StringRef role) {
    auto type = cast<RankedTensorType>(operand.getType());
    int64_t own = i - (rank - type.getRank());
    if (own >= 0 && type.getDimSize(own) != 1)
      equal.push_back({operand, unsigned(own), role});
  };
  add(lhs, "lhs");
  add(rhs, "rhs");
  equal.push_back({result, i, "result"});
  return equal;
}

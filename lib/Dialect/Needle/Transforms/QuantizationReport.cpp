//===- QuantizationReport.cpp - What became integer, and why not ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the precision of operations from their types and the reasons from the
// attributes that the passes left.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/Needle/Transforms/QuantizationReport.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/Needle/Transforms/OpSelection.h"
#include "needle/Dialect/Needle/Transforms/QuantizationAttributes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace needle;
using namespace mlir;

/// "f32", "i32"; the storage type for quantized and raw integers: "u8", "i8".
static std::string describeElement(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  if (auto quantized = dyn_cast<quant::QuantizedType>(element))
    return (quantized.isSigned() ? "i" : "u") +
           std::to_string(quantized.getStorageTypeIntegralWidth());
  if (auto integer = dyn_cast<IntegerType>(element))
    return (integer.isUnsigned() ? "u" : "i") +
           std::to_string(integer.getWidth());
  std::string text;
  llvm::raw_string_ostream(text) << element;
  return text;
}

/// Whether a tensor holds quantized data, not their parameters or an i32 bias.
static bool holdsQuantized(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  return isa<quant::QuantizedType>(element) || element.isInteger(8);
}

/// "f32", or "u8, i8 -> f32" where quantized tensors take part.
static std::string describePrecision(Operation *op) {
  auto isInteger = [](Value value) { return holdsQuantized(value); };
  std::string result = describeElement(op->getResult(0));
  if (llvm::none_of(op->getOperands(), isInteger))
    return holdsQuantized(op->getResult(0)) ? "f32 -> " + result : result;
  std::string operands = llvm::join(
      llvm::map_range(llvm::make_filter_range(op->getOperands(), isInteger),
                      describeElement),
      ", ");
  return operands + " -> " + result;
}

static std::string getReason(Operation *op) {
  if (auto reason = op->getAttrOfType<StringAttr>(kNotQuantizedAttr))
    return "not quantized: " + reason.str();
  if (auto reason = op->getAttrOfType<StringAttr>(kNotFusedAttr))
    return "not fused: " + reason.str();
  return "";
}

std::vector<OpQuantizationReport>
needle::collectQuantizationReport(ModuleOp module) {
  std::vector<OpQuantizationReport> report;
  module.walk([&](Operation *op) {
    if (!isa_and_nonnull<NeedleDialect>(op->getDialect()) ||
        isa<ConstantOp>(op) || op->getNumResults() == 0)
      return;
    report.push_back({getOpName(op).str(), op->getLoc(),
                      op->getName().getStringRef().str(), describePrecision(op),
                      getReason(op)});
  });
  return report;
}

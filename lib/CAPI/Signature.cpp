//===- Signature.cpp - Signatures as plain C structures -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Signature.h"

#include "mlir/IR/BuiltinTypes.h"
#include "needle/Quantization/QuantTypes.h"

using namespace mlir;
using namespace needle;
using namespace needle::capi;

static NdlDType getDType(Type type) {
  if (type.isF32())
    return NDL_DTYPE_F32;
  if (type.isInteger(32))
    return NDL_DTYPE_I32;
  if (type.isUnsignedInteger(8))
    return NDL_DTYPE_U8;
  if (type.isInteger(8))
    return NDL_DTYPE_I8;
  return NDL_DTYPE_INVALID;
}

TensorDescription::TensorDescription(StringRef name, Type type) : name(name) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return;
  for (int64_t dim : tensor.getShape())
    dims.push_back(ShapedType::isDynamic(dim) ? NDL_DYNAMIC : dim);
  describeElements(tensor.getElementType());
}

void TensorDescription::describeElements(Type elementType) {
  std::optional<QuantTypeInfo> quantized = getQuantTypeInfo(elementType);
  if (!quantized) {
    dtype = getDType(elementType);
    return;
  }
  if (quantized->bits == 8)
    dtype = quantized->isSigned ? NDL_DTYPE_I8 : NDL_DTYPE_U8;
  quantization =
      quantized->axis ? NDL_QUANTIZATION_PER_AXIS : NDL_QUANTIZATION_PER_TENSOR;
  axis = static_cast<int32_t>(quantized->axis.value_or(0));
  storageMin = static_cast<int32_t>(quantized->range.min);
  storageMax = static_cast<int32_t>(quantized->range.max);
  for (const QuantParams &params : quantized->params) {
    scales.push_back(params.scale);
    zeroPoints.push_back(static_cast<int32_t>(params.zeroPoint));
  }
}

NdlTensorInfo TensorDescription::info() const {
  NdlTensorInfo info = {};
  info.name = name.c_str();
  info.dtype = dtype;
  info.rank = static_cast<int32_t>(dims.size());
  info.dims = dims.data();
  info.quantization = quantization;
  info.axis = axis;
  info.numParams = scales.size();
  info.scales = scales.data();
  info.zeroPoints = zeroPoints.data();
  info.storageMin = storageMin;
  info.storageMax = storageMax;
  return info;
}

EntryDescription::EntryDescription(func::FuncOp function)
    : name(function.getName().str()) {
  StringRef nameAttr = "needle.name";
  // Tensors without a name get the one that artifacts give them.
  auto add = [&](Type type, StringAttr given, const char *kind, size_t index) {
    tensors.emplace_back(given ? given.str() : kind + std::to_string(index),
                         type);
  };
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
    add(type, function.getArgAttrOfType<StringAttr>(i, nameAttr), "arg", i);
  for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
    add(type, function.getResultAttrOfType<StringAttr>(i, nameAttr), "result",
        i);
  for (const TensorDescription &tensor : tensors)
    infos.push_back(tensor.info());
  size_t numInputs = function.getNumArguments();
  entry = {name.c_str(), numInputs, infos.data(), infos.size() - numInputs,
           infos.data() + numInputs};
}

llvm::SmallVector<func::FuncOp> capi::getEntryPoints(ModuleOp module) {
  llvm::SmallVector<func::FuncOp> functions;
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic() && !function.isExternal())
      functions.push_back(function);
  return functions;
}

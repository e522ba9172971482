//===- Reference.cpp - C API: the reference interpreter -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-c/Reference.h"

#include "Module.h"
#include "needle/Reference/Interpreter.h"

using namespace mlir;
using namespace needle;
using namespace needle::capi;

struct NeedleTensors {
  explicit NeedleTensors(SmallVector<Tensor> values)
      : values(std::move(values)) {
    for (Tensor &tensor : this->values)
      views.push_back({tensor.getMutableBytes().data(), dtypeOf(tensor),
                       static_cast<int32_t>(tensor.getRank()),
                       tensor.getShape().data(), /*strides=*/nullptr,
                       NdlDevice{NDL_DEVICE_CPU, 0}});
  }

  SmallVector<Tensor> values;
  std::vector<NdlTensor> views;

private:
  static NdlDType dtypeOf(const Tensor &tensor) {
    switch (tensor.getKind()) {
    case ElementKind::F32:
      return NDL_DTYPE_F32;
    case ElementKind::I32:
      return NDL_DTYPE_I32;
    case ElementKind::UI8:
      return NDL_DTYPE_U8;
    case ElementKind::SI8:
      return NDL_DTYPE_I8;
    }
    llvm_unreachable("every kind has a dtype");
  }
};

static std::optional<ElementKind> kindOf(NdlDType dtype) {
  switch (dtype) {
  case NDL_DTYPE_F32:
    return ElementKind::F32;
  case NDL_DTYPE_I32:
    return ElementKind::I32;
  case NDL_DTYPE_U8:
    return ElementKind::UI8;
  case NDL_DTYPE_I8:
    return ElementKind::SI8;
  default:
    return std::nullopt;
  }
}

/// Appends a copy of the caller's tensor.
static NeedleStatus readInput(const NdlTensor &input, const NdlTensorInfo &info,
                              SmallVector<Tensor> &inputs) {
  std::optional<ElementKind> kind = kindOf(input.dtype);
  auto failInput = [&](const llvm::Twine &message) {
    return fail(NEEDLE_INVALID_ARGUMENT,
                llvm::Twine("input '") + info.name + "': " + message);
  };
  if (!kind || input.dtype != info.dtype)
    return failInput(llvm::Twine("expected ") + ndl_dtype_name(info.dtype) +
                     ", got " + ndl_dtype_name(input.dtype));
  if (input.rank != info.rank)
    return failInput("expected " + llvm::Twine(info.rank) +
                     " dimensions, got " + llvm::Twine(input.rank));
  if (input.strides || (input.rank > 0 && !input.shape))
    return failInput("the tensor is not contiguous or lacks its shape");
  ArrayRef<int64_t> shape(input.shape, input.rank);
  for (auto [axis, dim] : llvm::enumerate(shape))
    if (dim < 0 || (info.dims[axis] != NDL_DYNAMIC && info.dims[axis] != dim))
      return failInput("dimension " + llvm::Twine(axis) + ": expected " +
                       llvm::Twine(info.dims[axis]) + ", got " +
                       llvm::Twine(dim));
  FailureOr<Tensor> tensor = Tensor::create(*kind, shape);
  if (failed(tensor))
    return failInput("it does not fit in memory");
  MutableArrayRef<char> bytes = tensor->getMutableBytes();
  if (!bytes.empty() && !input.data)
    return failInput("its data is null");
  if (!bytes.empty())
    std::memcpy(bytes.data(), input.data, bytes.size());
  inputs.push_back(std::move(*tensor));
  return NEEDLE_OK;
}

NeedleStatus needle_reference_run(NeedleModule *module, size_t entry,
                                  const NdlTensor *inputs, size_t numInputs,
                                  NeedleTensors **outputs) {
  if (!module)
    return failNull("module");
  if (!outputs || (!inputs && numInputs > 0))
    return failNull(outputs ? "inputs" : "outputs");
  const NdlEntryInfo *info = needle_module_entry(module, entry);
  if (!info)
    return fail(NEEDLE_INVALID_ARGUMENT,
                "the module has no entry " + llvm::Twine(entry));
  if (info->numInputs != numInputs)
    return fail(NEEDLE_INVALID_ARGUMENT,
                llvm::Twine("'") + info->name + "' takes " +
                    llvm::Twine(info->numInputs) + " inputs, got " +
                    llvm::Twine(numInputs));
  SmallVector<Tensor> values;
  for (size_t i = 0; i < numInputs; ++i)
    if (NeedleStatus status = readInput(inputs[i], info->inputs[i], values))
      return status;
  return module->session->run([&]() -> LogicalResult {
    FailureOr<SmallVector<Tensor>> results =
        interpret(getEntryPoints(*module->module)[entry], values);
    if (succeeded(results))
      *outputs = new NeedleTensors(std::move(*results));
    return results;
  });
}

size_t needle_tensors_count(const NeedleTensors *tensors) {
  return tensors ? tensors->views.size() : 0;
}

const NdlTensor *needle_tensors_get(const NeedleTensors *tensors,
                                    size_t index) {
  return tensors && index < tensors->views.size() ? &tensors->views[index]
                                                  : nullptr;
}

void needle_tensors_destroy(NeedleTensors *tensors) { delete tensors; }

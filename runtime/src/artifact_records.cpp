// Checks of the records of an artifact against each other.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "artifact_records.h"
#include "dtype.h"

#include <cmath>
#include <set>
#include <string_view>
#include <unordered_set>

namespace ndl {
namespace {

/// Remembers the first problem found.
class RecordChecker {
public:
  explicit RecordChecker(const ArtifactView &view) : view(view) {}

  Status check();

private:
  void require(bool condition, const char *what) {
    if (!condition && status.ok())
      status = {NDL_CORRUPT_ARTIFACT,
                std::string("malformed artifact: ") + what};
  }
  /// Names may be followed only once this holds.
  void name(uint32_t offset) {
    require(offset < view.strings.size, "a name lies outside the strings");
  }
  /// Records own consecutive parts of other tables: whether `first` and `count`
  /// are the next part, which starts at `next`.
  template <typename T>
  void part(uint32_t first, uint32_t count, const ArrayView<T> &table,
            uint64_t &next, const char *what) {
    require(first == next && count <= table.size - next, what);
    if (status.ok())
      next += count;
  }
  /// Whether `index` is a section of this kind.
  bool isSection(uint32_t index, NdlSectionKind kind) const {
    return index < view.sections.size && view.sections[index].kind == kind;
  }

  void checkTensor(const NdlTensorRecord &tensor);
  void checkQuantization(const NdlTensorRecord &tensor);
  void checkEntries();
  void checkBodies();
  void checkFunction(const NdlBodyRecord &body,
                     const NdlFunctionRecord &function);
  void checkKernels();
  void checkDevices();
  void checkNames();

  const ArtifactView &view;
  Status status;
  uint64_t nextTensor = 0, nextDim = 0, nextParam = 0, nextStep = 0;
};

void RecordChecker::checkTensor(const NdlTensorRecord &tensor) {
  name(tensor.name);
  require(dtypeBits(tensor.dtype) != 0, "a tensor has an unknown type");
  require(tensor.rank <= NDL_MAX_RANK, "a tensor has too many dimensions");
  part(tensor.firstDim, tensor.rank, view.dims, nextDim,
       "a tensor's dimensions are misplaced");
  part(tensor.firstParam, tensor.numParams, view.params, nextParam,
       "a tensor's scales are misplaced");
  if (!status.ok())
    return;
  for (int64_t dim : view.dims.slice(tensor.firstDim, tensor.rank))
    require(dim >= 0 || dim == NDL_DYNAMIC,
            "a tensor has a negative dimension");
  checkQuantization(tensor);
}

void RecordChecker::checkQuantization(const NdlTensorRecord &tensor) {
  switch (tensor.quantization) {
  case NDL_QUANTIZATION_NONE:
    require(tensor.numParams == 0, "a tensor without quantization has scales");
    return;
  case NDL_QUANTIZATION_PER_TENSOR:
    require(tensor.numParams == 1, "a tensor needs exactly one scale");
    break;
  case NDL_QUANTIZATION_PER_AXIS:
    require(tensor.axis >= 0 &&
                static_cast<uint32_t>(tensor.axis) < tensor.rank,
            "a quantization axis is out of range");
    if (!status.ok())
      return;
    require(view.dims[tensor.firstDim + tensor.axis] == tensor.numParams,
            "a tensor's scales do not match its axis");
    break;
  default:
    require(false, "a tensor has an unknown kind of quantization");
    return;
  }
  require(dtypeIsInteger(tensor.dtype),
          "a tensor of real numbers is quantized");
  require(tensor.storageMin < tensor.storageMax, "a storage range is empty");
  for (const NdlParamRecord &param :
       view.params.slice(tensor.firstParam, tensor.numParams))
    require(std::isfinite(param.scale) && param.scale > 0,
            "a scale is not a positive number");
}

void RecordChecker::checkEntries() {
  for (const NdlTensorRecord &tensor : view.tensors)
    checkTensor(tensor);
  for (const NdlEntryRecord &entry : view.entries) {
    name(entry.name);
    part(entry.firstInput, entry.numInputs, view.tensors, nextTensor,
         "an entry's inputs are misplaced");
    part(entry.firstOutput, entry.numOutputs, view.tensors, nextTensor,
         "an entry's outputs are misplaced");
  }
}

void RecordChecker::checkFunction(const NdlBodyRecord &body,
                                  const NdlFunctionRecord &function) {
  size_t codeSize = view.code(body).size;
  require(function.planOffset < codeSize && function.runOffset < codeSize,
          "a function lies outside its code");
  part(function.firstStep, function.numSteps, view.steps, nextStep,
       "a function's steps are misplaced");
}

void RecordChecker::checkBodies() {
  // Counts are below 2^32, the product cannot overflow.
  require(view.functions.size == view.bodies.size * view.entries.size,
          "there is not one function for each body and entry");
  for (size_t b = 0; b < view.bodies.size && status.ok(); ++b) {
    const NdlBodyRecord &body = view.bodies[b];
    name(body.target);
    require(isSection(body.codeSection, NDL_SECTION_CODE),
            "a body has no code section");
    require(body.weightsSection == NDL_NO_SECTION ||
                isSection(body.weightsSection, NDL_SECTION_WEIGHTS),
            "a body has no weights section");
    for (size_t e = 0; e < view.entries.size && status.ok(); ++e)
      checkFunction(body, view.function(b, e));
  }
}

void RecordChecker::checkKernels() {
  for (const NdlKernelRecord &kernel : view.kernels)
    name(kernel.name);
  // Counts are below 2^32, the product cannot overflow.
  require(view.kernelOffsets.size == view.bodies.size * view.kernels.size,
          "there is not one offset for each body and kernel");
  for (size_t b = 0; b < view.bodies.size && status.ok(); ++b) {
    size_t codeSize = view.code(view.bodies[b]).size;
    for (size_t k = 0; k < view.kernels.size; ++k)
      require(view.kernelOffset(b, k) < codeSize,
              "a kernel lies outside its code");
  }
}

void RecordChecker::checkDevices() {
  for (const NdlDeviceRecord &device : view.devices) {
    name(device.target);
    require(isSection(device.ptxSection, NDL_SECTION_PTX),
            "a device has no PTX section");
    if (status.ok())
      require(view.ptx(device).find('\0') == std::string_view::npos,
              "PTX holds a NUL byte");
  }
  for (const NdlDeviceKernelRecord &kernel : view.deviceKernels) {
    name(kernel.name);
    require(kernel.device < view.devices.size, "a kernel belongs to no device");
    require(kernel.blockThreads > 0 && kernel.blockThreads <= 1024 &&
                kernel.tileRows > 0 && kernel.tileColumns > 0,
            "a kernel of a device cannot be launched");
  }
}

void RecordChecker::checkNames() {
  require(view.strings.size > 0 && view.strings[0] == '\0' &&
              view.strings[view.strings.size - 1] == '\0',
          "the strings do not start and end with a NUL byte");
  for (const NdlMessageRecord &message : view.messages) {
    name(message.text);
    name(message.location);
  }
  for (const NdlStepRecord &step : view.steps) {
    name(step.kernel);
    name(step.op);
    name(step.location);
    name(step.note);
  }
  for (const NdlMetadataRecord &pair : view.metadata) {
    name(pair.key);
    name(pair.value);
  }
}

Status RecordChecker::check() {
  checkNames();
  if (status.ok())
    checkEntries();
  if (status.ok())
    checkBodies();
  if (status.ok())
    checkKernels();
  if (status.ok())
    checkDevices();
  if (!status.ok())
    return status;
  std::unordered_set<std::string_view> names;
  for (const NdlEntryRecord &entry : view.entries) {
    std::string_view text = view.string(entry.name);
    require(!text.empty() && names.insert(text).second,
            "entry points lack distinct names");
  }
  names.clear();
  for (const NdlBodyRecord &body : view.bodies) {
    std::string_view text = view.string(body.target);
    require(!text.empty() && names.insert(text).second,
            "bodies lack distinct targets");
  }
  names.clear();
  for (const NdlKernelRecord &kernel : view.kernels) {
    std::string_view text = view.string(kernel.name);
    require(!text.empty() && names.insert(text).second,
            "kernels lack distinct names");
  }
  names.clear();
  for (const NdlDeviceRecord &device : view.devices) {
    std::string_view text = view.string(device.target);
    require(!text.empty() && names.insert(text).second,
            "devices lack distinct targets");
  }
  std::set<std::pair<uint32_t, std::string_view>> deviceKernels;
  for (const NdlDeviceKernelRecord &kernel : view.deviceKernels) {
    std::string_view text = view.string(kernel.name);
    require(!text.empty() && deviceKernels.emplace(kernel.device, text).second,
            "kernels of a device lack distinct names");
  }
  return status;
}

} // namespace

Status checkRecords(const ArtifactView &view) {
  return RecordChecker(view).check();
}

} // namespace ndl

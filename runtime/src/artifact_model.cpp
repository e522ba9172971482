// From a validated artifact back to its model.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-rt/artifact_reader.h"

#include <cstring>

namespace ndl {
namespace {

std::vector<uint8_t> toVector(ArrayView<uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

TensorModel toModel(const ArtifactView &view, const NdlTensorRecord &record) {
  TensorModel tensor;
  tensor.name = view.string(record.name);
  tensor.dtype = static_cast<NdlDType>(record.dtype);
  ArrayView<int64_t> dims = view.dims.slice(record.firstDim, record.rank);
  tensor.dims.assign(dims.begin(), dims.end());
  QuantizationModel &quantization = tensor.quantization;
  quantization.kind = static_cast<NdlQuantizationKind>(record.quantization);
  quantization.axis = record.axis;
  quantization.storageMin = record.storageMin;
  quantization.storageMax = record.storageMax;
  for (const NdlParamRecord &param :
       view.params.slice(record.firstParam, record.numParams)) {
    quantization.scales.push_back(param.scale);
    quantization.zeroPoints.push_back(param.zeroPoint);
  }
  return tensor;
}

EntryModel toModel(const ArtifactView &view, const NdlEntryRecord &record) {
  EntryModel entry;
  entry.name = view.string(record.name);
  for (const NdlTensorRecord &tensor :
       view.tensors.slice(record.firstInput, record.numInputs))
    entry.inputs.push_back(toModel(view, tensor));
  for (const NdlTensorRecord &tensor :
       view.tensors.slice(record.firstOutput, record.numOutputs))
    entry.outputs.push_back(toModel(view, tensor));
  return entry;
}

FunctionModel toModel(const ArtifactView &view,
                      const NdlFunctionRecord &record) {
  FunctionModel function;
  function.planOffset = record.planOffset;
  function.runOffset = record.runOffset;
  for (const NdlStepRecord &step :
       view.steps.slice(record.firstStep, record.numSteps))
    function.steps.push_back({view.string(step.kernel), view.string(step.op),
                              view.string(step.location),
                              view.string(step.note), step.macs});
  return function;
}

/// The place of section `index` among the weight sections.
uint32_t weightsIndex(const ArtifactView &view, uint32_t index) {
  if (index == NDL_NO_SECTION)
    return BodyModel::noWeights;
  uint32_t before = 0;
  for (const NdlSectionRecord &section : view.sections.slice(0, index))
    before += section.kind == NDL_SECTION_WEIGHTS;
  return before;
}

BodyModel toModel(const ArtifactView &view, size_t index) {
  const NdlBodyRecord &record = view.bodies[index];
  BodyModel body;
  body.target = view.string(record.target);
  body.architecture = static_cast<NdlArchitecture>(record.architecture);
  body.features = record.features;
  body.rank = record.rank;
  body.code = toVector(view.code(record));
  body.weights = weightsIndex(view, record.weightsSection);
  for (size_t entry = 0; entry < view.entries.size; ++entry)
    body.functions.push_back(toModel(view, view.function(index, entry)));
  for (size_t kernel = 0; kernel < view.kernels.size; ++kernel)
    body.kernelOffsets.push_back(view.kernelOffset(index, kernel));
  return body;
}

} // namespace

ArtifactModel toModel(const ArtifactView &view) {
  ArtifactModel model;
  for (const NdlMetadataRecord &record : view.metadata) {
    const char *key = view.string(record.key);
    if (std::strcmp(key, "producer") == 0)
      model.producer = view.string(record.value);
    else
      model.metadata.emplace_back(key, view.string(record.value));
  }
  for (const NdlEntryRecord &record : view.entries)
    model.entries.push_back(toModel(view, record));
  for (const NdlMessageRecord &record : view.messages)
    model.messages.push_back(
        {view.string(record.text), view.string(record.location)});
  for (const NdlKernelRecord &record : view.kernels)
    model.kernels.emplace_back(view.string(record.name));
  for (size_t i = 0; i < view.bodies.size; ++i)
    model.bodies.push_back(toModel(view, i));
  for (const NdlDeviceRecord &record : view.devices)
    model.devices.push_back({view.string(record.target),
                             record.computeCapability,
                             std::string(view.ptx(record)),
                             {}});
  for (const NdlDeviceKernelRecord &record : view.deviceKernels)
    model.devices[record.device].kernels.push_back(
        {view.string(record.name), record.blockThreads, record.tileRows,
         record.tileColumns});
  for (uint32_t i = 0; i < view.sections.size; ++i)
    if (view.sections[i].kind == NDL_SECTION_WEIGHTS)
      model.weights.push_back(toVector(view.section(i)));
  return model;
}

} // namespace ndl

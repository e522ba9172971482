// The contents of an artifact as the C ABI presents them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "executable_info.h"

#include "body_selection.h"

namespace ndl {

ExecutableInfo::ExecutableInfo(const ArtifactView &view, const Cpu &cpu,
                               size_t chosenBody) {
  // Pointers into these are taken below: they must not move.
  tensors.reserve(view.tensors.size);
  scales.reserve(view.params.size);
  zeroPoints.reserve(view.params.size);
  texts.reserve(2 * view.bodies.size);
  for (const NdlParamRecord &param : view.params) {
    scales.push_back(param.scale);
    zeroPoints.push_back(param.zeroPoint);
  }
  for (const NdlTensorRecord &record : view.tensors)
    addTensor(view, record);
  for (const NdlEntryRecord &record : view.entries)
    entries.push_back({view.string(record.name), record.numInputs,
                       tensors.data() + record.firstInput, record.numOutputs,
                       tensors.data() + record.firstOutput});
  for (const NdlBodyRecord &record : view.bodies)
    addBody(view, record, cpu);
  if (chosenBody == view.bodies.size)
    return;
  for (size_t entry = 0; entry < view.entries.size; ++entry)
    addSteps(view, chosenBody, entry);
}

void ExecutableInfo::addTensor(const ArtifactView &view,
                               const NdlTensorRecord &record) {
  NdlTensorInfo info = {};
  info.name = view.string(record.name);
  info.dtype = static_cast<NdlDType>(record.dtype);
  info.rank = static_cast<int32_t>(record.rank);
  info.dims = view.dims.data + record.firstDim;
  info.quantization = static_cast<NdlQuantizationKind>(record.quantization);
  info.axis = record.axis;
  info.numParams = record.numParams;
  info.scales = scales.data() + record.firstParam;
  info.zeroPoints = zeroPoints.data() + record.firstParam;
  info.storageMin = record.storageMin;
  info.storageMax = record.storageMax;
  tensors.push_back(info);
}

void ExecutableInfo::addBody(const ArtifactView &view,
                             const NdlBodyRecord &record, const Cpu &cpu) {
  texts.push_back(formatFeatures(record.architecture, record.features));
  const char *features = texts.back().c_str();
  texts.push_back(missingFeatures(record, cpu));
  const char *missing = texts.back().c_str();
  bodies.push_back(
      {view.string(record.target), architectureName(record.architecture).data(),
       features, missing, view.code(record).size, view.weights(record).size});
}

void ExecutableInfo::addSteps(const ArtifactView &view, size_t body,
                              size_t entry) {
  const NdlFunctionRecord &function = view.function(body, entry);
  const char *target = view.string(view.bodies[body].target);
  std::vector<NdlStepInfo> infos;
  for (const NdlStepRecord &step :
       view.steps.slice(function.firstStep, function.numSteps))
    infos.push_back({view.string(step.kernel), view.string(step.op),
                     view.string(step.location), view.string(step.note), target,
                     step.macs});
  steps.push_back(std::move(infos));
}

} // namespace ndl

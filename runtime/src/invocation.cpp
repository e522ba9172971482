// One invocation of an entry point.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "invocation.h"

#include "float_environment.h"
#include "tensor_pack.h"

#include <algorithm>

namespace ndl {
namespace {

/// What the callbacks in the frame get.
struct RunState {
  ThreadPool &pool;
  StepClock clock;
};

void parallelFor(void *state, NdlTask task, void *context, int64_t count) {
  static_cast<RunState *>(state)->pool.parallelFor(task, context, count);
}

void markStep(void *state, int64_t step) {
  static_cast<RunState *>(state)->clock.mark(step);
}

size_t alignUp(size_t size) {
  return (size + NDL_ABI_ALIGNMENT - 1) & ~size_t(NDL_ABI_ALIGNMENT - 1);
}

/// Generated code wants pointers it may form addresses from, even where there
/// are no elements.
alignas(NDL_ABI_ALIGNMENT) uint8_t noElements[NDL_ABI_ALIGNMENT];

} // namespace

std::string Invocation::argument(size_t index) const {
  if (index < entry.numInputs)
    return formatArgument("input", index, entry.inputs[index].name);
  index -= entry.numInputs;
  return formatArgument("output", index, entry.outputs[index].name);
}

Status Invocation::checkCount(const char *role, size_t expected,
                              size_t got) const {
  if (expected == got)
    return {};
  return {NDL_SIGNATURE_MISMATCH, "expected " + std::to_string(expected) + " " +
                                      role + (expected == 1 ? "" : "s") +
                                      ", got " + std::to_string(got)};
}

Status Invocation::checkInputs(ArrayView<NdlTensor> inputs) {
  Status status = checkCount("input", entry.numInputs, inputs.size);
  if (!status.ok())
    return status;
  scratch->dims.clear();
  for (size_t i = 0; i < inputs.size; ++i) {
    status = checkType(inputs[i], entry.inputs[i]);
    if (!status.ok())
      return status.in(argument(i));
    scratch->dims.insert(scratch->dims.end(), inputs[i].shape,
                         inputs[i].shape + inputs[i].rank);
  }
  return {};
}

Status Invocation::shapeError(int64_t message) const {
  const ArtifactView &view = executable.view;
  if (message < 0 || static_cast<uint64_t>(message) > view.messages.size)
    return {NDL_INTERNAL_ERROR,
            "the generated code reports the unknown error " +
                std::to_string(message)};
  const NdlMessageRecord &record = view.messages[message - 1];
  std::string text = view.string(record.text);
  const char *separator = " (with inputs ";
  const int64_t *dims = scratch->dims.data();
  for (size_t i = 0; i < entry.numInputs; ++i) {
    const NdlTensorInfo &input = entry.inputs[i];
    text += separator + formatType(input.dtype, dims, input.rank);
    dims += input.rank;
    separator = ", ";
  }
  text += entry.numInputs ? ")" : "";
  std::string location = view.string(record.location);
  if (!location.empty())
    text += " at " + location;
  return {NDL_SIGNATURE_MISMATCH, text};
}

NEEDLE_CALLS_GENERATED_CODE
Status Invocation::plan() {
  size_t numDims = 0;
  for (size_t i = 0; i < entry.numOutputs; ++i)
    numDims += static_cast<size_t>(entry.outputs[i].rank);
  scratch->plan.assign(1 + numDims, 0);
  auto planFunction =
      executable.code.function<NdlPlanFn>(function().planOffset);
  DefaultFloatEnvironment environment;
  int64_t error = planFunction(scratch->dims.data(), executable.pool->threads(),
                               scratch->plan.data());
  return error == 0 ? checkPlan() : shapeError(error);
}

Status Invocation::checkPlan() const {
  if (scratch->plan[0] < 0)
    return {NDL_INTERNAL_ERROR,
            "the generated code asks for an arena of negative size"};
  const int64_t *dims = outputDims().data;
  for (size_t i = 0; i < entry.numOutputs; ++i) {
    const NdlTensorInfo &output = entry.outputs[i];
    for (int32_t d = 0; d < output.rank; ++d)
      if (dims[d] < 0 ||
          (output.dims[d] != NDL_DYNAMIC && output.dims[d] != dims[d]))
        return {NDL_INTERNAL_ERROR,
                "the generated code plans " + argument(entry.numInputs + i) +
                    " as " + formatType(output.dtype, dims, output.rank) +
                    ", but it is " +
                    formatType(output.dtype, output.dims, output.rank)};
    dims += output.rank;
  }
  return {};
}

Status Invocation::checkOutputs(ArrayView<NdlTensor> outputs) {
  const int64_t *dims = outputDims().data;
  for (size_t i = 0; i < outputs.size; ++i) {
    NdlTensorInfo expected = entry.outputs[i];
    expected.dims = dims;
    dims += expected.rank;
    TensorExtent extent;
    Status status = checkType(outputs[i], expected);
    if (status.ok())
      status = checkExtent(outputs[i], extent);
    if (status.ok() && !extent.contiguous)
      status = {NDL_INVALID_ARGUMENT,
                "must be contiguous and aligned to its elements"};
    if (!status.ok())
      return status.in(argument(entry.numInputs + i));
    scratch->extents.push_back(extent);
    scratch->outputs.push_back(extent.bytes ? outputs[i].data : noElements);
  }
  return {};
}

Status Invocation::checkOverlap() const {
  const std::vector<TensorExtent> &extents = scratch->extents;
  for (size_t output = entry.numInputs; output < extents.size(); ++output)
    for (size_t other = 0; other < output; ++other)
      if (extents[output].begin < extents[other].end &&
          extents[other].begin < extents[output].end)
        return {NDL_INVALID_ARGUMENT, argument(output) +
                                          " overlaps the memory of " +
                                          argument(other)};
  return {};
}

Status Invocation::checkMemory(ArrayView<NdlTensor> inputs,
                               ArrayView<NdlTensor> outputs) {
  Status status = checkCount("output", entry.numOutputs, outputs.size);
  scratch->extents.clear();
  scratch->outputs.clear();
  for (size_t i = 0; i < inputs.size && status.ok(); ++i) {
    TensorExtent extent;
    status = checkExtent(inputs[i], extent);
    if (!status.ok())
      return status.in(argument(i));
    scratch->extents.push_back(extent);
  }
  if (status.ok())
    status = checkOutputs(outputs);
  return status.ok() ? checkOverlap() : status;
}

Status Invocation::prepare(ArrayView<NdlTensor> inputs) {
  auto outOfMemory = [](uint64_t bytes, const char *what) {
    return Status(NDL_OUT_OF_MEMORY, "no memory for " + std::to_string(bytes) +
                                         " bytes of " + what);
  };
  // Broadcast inputs can be larger than the memory they lie in.
  uint64_t packedBytes = 0;
  for (size_t i = 0; i < inputs.size; ++i)
    if (!scratch->extents[i].contiguous &&
        __builtin_add_overflow(
            packedBytes,
            alignUp(static_cast<size_t>(scratch->extents[i].bytes)),
            &packedBytes))
      return outOfMemory(UINT64_MAX, "contiguous copies of inputs");
  uint8_t *packed = nullptr;
  if (packedBytes > 0 && !(packed = scratch->packed.reserve(packedBytes)))
    return outOfMemory(packedBytes, "contiguous copies of inputs");
  uint64_t arenaBytes = static_cast<uint64_t>(scratch->plan[0]);
  if (!scratch->arena.reserve(arenaBytes))
    return outOfMemory(arenaBytes, "intermediate results");

  scratch->inputs.clear();
  for (size_t i = 0; i < inputs.size; ++i) {
    const TensorExtent &extent = scratch->extents[i];
    const void *data = extent.bytes ? inputs[i].data : noElements;
    if (!extent.contiguous) {
      packTensor(inputs[i], packed);
      data = packed;
      packed += alignUp(static_cast<size_t>(extent.bytes));
    }
    scratch->inputs.push_back(data);
  }
  return {};
}

NEEDLE_CALLS_GENERATED_CODE
void Invocation::run() {
  StepCounters &counters = *executable.counters[entryIndex];
  if (scratch->counts.size() < counters.size())
    scratch->counts.resize(counters.size());
  const NdlBodyRecord &body = executable.view.bodies[executable.body];
  RunState state{
      *executable.pool,
      StepClock(scratch->counts.data(), counters.size(),
                executable.profiling.load(std::memory_order_relaxed))};
  NdlFrame frame = {};
  frame.inputs = scratch->inputs.data();
  frame.outputs = scratch->outputs.data();
  frame.dims = scratch->dims.data();
  frame.weights = executable.view.weights(body).data;
  frame.arena = scratch->arena.reserve(0);
  frame.threads = executable.pool->threads();
  frame.parallelFor = parallelFor;
  frame.markStep = markStep;
  frame.runtime = &state;
  {
    DefaultFloatEnvironment environment;
    executable.code.function<NdlRunFn>(function().runOffset)(&frame);
  }
  // Ends the last step, should the code not have done so.
  state.clock.mark(NDL_STEP_END);
  counters.merge(scratch->counts.data());
}

Status Executable::outputShapes(size_t entry, ArrayView<NdlTensor> inputs,
                                int64_t *dims, size_t capacity) {
  Status status = checkEntry(entry);
  if (!status.ok())
    return status;
  Invocation invocation(*this, entry);
  status = invocation.checkInputs(inputs);
  if (status.ok())
    status = invocation.plan();
  if (!status.ok())
    return status.in(std::string("entry '") + info->entries[entry].name + "'");
  ArrayView<int64_t> result = invocation.outputDims();
  if (result.size > capacity)
    return {NDL_INVALID_ARGUMENT, "room for " + std::to_string(capacity) +
                                      " dimensions, but the outputs have " +
                                      std::to_string(result.size)};
  std::copy(result.begin(), result.end(), dims);
  return {};
}

Status Executable::invoke(size_t entry, ArrayView<NdlTensor> inputs,
                          ArrayView<NdlTensor> outputs) {
  Status status = checkEntry(entry);
  if (!status.ok())
    return status;
  Invocation invocation(*this, entry);
  status = invocation.checkInputs(inputs);
  if (status.ok())
    status = invocation.plan();
  if (status.ok())
    status = invocation.checkMemory(inputs, outputs);
  if (status.ok())
    status = invocation.prepare(inputs);
  if (!status.ok())
    return status.in(std::string("entry '") + info->entries[entry].name + "'");
  invocation.run();
  return {};
}

} // namespace ndl

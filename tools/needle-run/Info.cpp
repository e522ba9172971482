// Descriptions of an executable, for people and as JSON.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Info.h"

#include <cinttypes>
#include <cstdio>

namespace needle::run {
namespace {

std::string formatQuantization(const NdlTensorInfo &tensor) {
  if (tensor.numParams == 0)
    return "";
  char text[96];
  if (tensor.quantization == NDL_QUANTIZATION_PER_AXIS)
    std::snprintf(text, sizeof text, " (%zu scales on axis %" PRId32 ")",
                  tensor.numParams, tensor.axis);
  else
    std::snprintf(text, sizeof text, " (scale %.9g, zero point %" PRId32 ")",
                  tensor.scales[0], tensor.zeroPoints[0]);
  return text;
}

Json describe(const NdlTensorInfo &tensor) {
  Json result = {{"name", tensor.name},
                 {"dtype", ndl_dtype_name(tensor.dtype)},
                 {"shape", Json::array()}};
  for (int32_t i = 0; i < tensor.rank; ++i)
    result["shape"].push_back(
        tensor.dims[i] == NDL_DYNAMIC ? Json() : Json(tensor.dims[i]));
  if (tensor.quantization == NDL_QUANTIZATION_NONE)
    return result;
  Json &quantization = result["quantization"];
  if (tensor.quantization == NDL_QUANTIZATION_PER_AXIS)
    quantization["axis"] = tensor.axis;
  quantization["scales"] =
      std::vector<float>(tensor.scales, tensor.scales + tensor.numParams);
  quantization["zero_points"] = std::vector<int32_t>(
      tensor.zeroPoints, tensor.zeroPoints + tensor.numParams);
  quantization["storage_range"] = {tensor.storageMin, tensor.storageMax};
  return result;
}

void printTensor(const char *role, const NdlTensorInfo &tensor) {
  std::printf("  %s %s: %s%s\n", role, tensor.name,
              formatType(tensor.dtype, tensor.dims, tensor.rank).c_str(),
              formatQuantization(tensor).c_str());
}

void printEntry(const NdlExecutable *executable, size_t index) {
  const NdlEntryInfo &entry = *ndl_executable_entry(executable, index);
  std::printf("entry %s\n", entry.name);
  for (size_t i = 0; i < entry.numInputs; ++i)
    printTensor("input ", entry.inputs[i]);
  for (size_t i = 0; i < entry.numOutputs; ++i)
    printTensor("output", entry.outputs[i]);
  for (size_t i = 0; i < ndl_executable_step_count(executable, index); ++i) {
    const NdlStepInfo &step = *ndl_executable_step(executable, index, i);
    std::printf("  step %zu: %s %s %s%s%s\n", i, step.kernel, step.op,
                step.location, *step.note ? " - " : "", step.note);
  }
}

} // namespace

std::string formatType(NdlDType dtype, const int64_t *dims, int32_t rank) {
  std::string text = std::string(ndl_dtype_name(dtype)) + '[';
  for (int32_t i = 0; i < rank; ++i)
    text += (i ? "x" : "") +
            (dims[i] == NDL_DYNAMIC ? "?" : std::to_string(dims[i]));
  return text + ']';
}

Json describeSteps(const NdlExecutable *executable, size_t entry) {
  Json steps = Json::array();
  for (size_t i = 0; i < ndl_executable_step_count(executable, entry); ++i) {
    const NdlStepInfo &step = *ndl_executable_step(executable, entry, i);
    NdlStepStats stats = {};
    ndl_executable_step_stats(executable, entry, i, &stats);
    steps.push_back({{"kernel", step.kernel},
                     {"op", step.op},
                     {"location", step.location},
                     {"note", step.note},
                     {"target", step.target},
                     {"macs", step.macs < 0 ? Json() : Json(step.macs)},
                     {"calls", stats.calls}});
    if (stats.timedCalls > 0) {
      steps.back()["min_ns"] = stats.minNs;
      steps.back()["total_ns"] = stats.totalNs;
    }
  }
  return steps;
}

Json describe(const NdlExecutable *executable) {
  const char *producer = ndl_executable_metadata(executable, "producer");
  const char *target = ndl_executable_target(executable);
  Json result = {{"producer", producer ? Json(producer) : Json()},
                 {"bytes", ndl_executable_size(executable)},
                 {"target", *target ? Json(target) : Json()},
                 {"bodies", Json::array()}};
  for (size_t b = 0; b < ndl_executable_body_count(executable); ++b) {
    const NdlBodyInfo &body = *ndl_executable_body(executable, b);
    result["bodies"].push_back({{"target", body.target},
                                {"architecture", body.architecture},
                                {"features", body.features},
                                {"missing", body.missing},
                                {"code_bytes", body.codeBytes},
                                {"weight_bytes", body.weightBytes}});
  }
  result["entries"] = Json::array();
  for (size_t e = 0; e < ndl_executable_entry_count(executable); ++e) {
    const NdlEntryInfo &entry = *ndl_executable_entry(executable, e);
    Json item = {{"name", entry.name},
                 {"inputs", Json::array()},
                 {"outputs", Json::array()},
                 {"steps", describeSteps(executable, e)}};
    for (size_t i = 0; i < entry.numInputs; ++i)
      item["inputs"].push_back(describe(entry.inputs[i]));
    for (size_t i = 0; i < entry.numOutputs; ++i)
      item["outputs"].push_back(describe(entry.outputs[i]));
    result["entries"].push_back(item);
  }
  result["kernels"] = Json::array();
  for (size_t k = 0; k < ndl_executable_kernel_count(executable); ++k)
    result["kernels"].push_back(ndl_executable_kernel_name(executable, k));
  return result;
}

void printDescription(const NdlExecutable *executable,
                      const std::string &reason) {
  const char *producer = ndl_executable_metadata(executable, "producer");
  std::printf("artifact of %zu bytes by %s\n", ndl_executable_size(executable),
              producer && *producer ? producer : "an unnamed producer");
  size_t chosen = ndl_executable_chosen_body(executable);
  for (size_t b = 0; b < ndl_executable_body_count(executable); ++b) {
    const NdlBodyInfo &body = *ndl_executable_body(executable, b);
    std::printf("body %s: %s with %s; %zu bytes of code, %zu of weights",
                body.target, body.architecture,
                *body.features ? body.features : "no features", body.codeBytes,
                body.weightBytes);
    if (*body.missing)
      std::printf("; needs %s", body.missing);
    std::printf("%s\n", b == chosen ? "; in use" : "");
  }
  if (!reason.empty())
    std::printf("no body in use: %s\n", reason.c_str());
  for (size_t e = 0; e < ndl_executable_entry_count(executable); ++e)
    printEntry(executable, e);
  for (size_t k = 0; k < ndl_executable_kernel_count(executable); ++k)
    std::printf("kernel %s\n", ndl_executable_kernel_name(executable, k));
}

void printJson(const Json &value) {
  std::printf(
      "%s\n",
      value.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

} // namespace needle::run

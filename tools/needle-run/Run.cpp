// Running an entry point on .npy files.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Run.h"

#include "Info.h"
#include "NpyFile.h"

#include "needle-rt/atomic_file.h"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <map>

namespace needle::run {
namespace {

/// The state of one call of needle-run, filled stage by stage. Each stage
/// returns an empty string or an error.
class EntryRun {
public:
  EntryRun(const Options &options, NdlExecutable *executable)
      : options(options), executable(executable) {}

  std::string chooseEntry();
  std::string readInputs();
  std::string chooseOutputs();
  std::string allocateOutputs();
  std::string invoke();
  std::string writeOutputs();
  void print() const;

private:
  /// The tensor of this name, or of this index if no name fits.
  static std::string findTensor(const NdlTensorInfo *tensors, size_t count,
                                const char *role, const std::string &name,
                                size_t &index);
  Json toJson() const;
  void printProfile() const;

  const Options &options;
  NdlExecutable *executable;
  size_t entryIndex = 0;
  const NdlEntryInfo *entry = nullptr;
  std::vector<NpyArray> inputs;
  std::vector<std::vector<int64_t>> inputStrides;
  std::vector<NdlTensor> inputTensors;
  std::vector<NpyArray> outputs;
  std::vector<NdlTensor> outputTensors;
  /// For each output, empty if it is not to be written.
  std::vector<std::string> outputPaths;
  int64_t minNs = INT64_MAX;
};

std::string EntryRun::chooseEntry() {
  std::string name = options.entry;
  if (name.empty())
    name = ndl_executable_entry_count(executable) == 1
               ? ndl_executable_entry(executable, 0)->name
               : "main";
  if (ndl_executable_find_entry(executable, name.c_str(), &entryIndex) !=
      NDL_OK)
    return std::string(ndl_last_error()) + "; choose one with --entry";
  entry = ndl_executable_entry(executable, entryIndex);
  return "";
}

std::string EntryRun::findTensor(const NdlTensorInfo *tensors, size_t count,
                                 const char *role, const std::string &name,
                                 size_t &index) {
  std::string list;
  for (index = 0; index < count; ++index) {
    if (name == tensors[index].name)
      return "";
    list += (index ? ", '" : "'") + std::string(tensors[index].name) + "'";
  }
  for (index = 0; index < count; ++index)
    if (name == std::to_string(index))
      return "";
  return std::string("there is no ") + role + " '" + name +
         "'; the entry has " + (list.empty() ? "none" : list);
}

std::string EntryRun::readInputs() {
  inputs.resize(entry->numInputs);
  std::vector<bool> given(entry->numInputs);
  for (const auto &[name, path] : options.inputs) {
    size_t index;
    std::string error =
        findTensor(entry->inputs, entry->numInputs, "input", name, index);
    if (error.empty() && given[index])
      error = "input '" + name + "' is given twice";
    if (error.empty())
      error = readNpy(path, inputs[index]);
    if (!error.empty())
      return error;
    given[index] = true;
  }
  for (size_t i = 0; i < entry->numInputs; ++i) {
    const NdlTensorInfo &info = entry->inputs[i];
    std::string name = *info.name ? info.name : std::to_string(i);
    if (!given[i])
      return "input '" + name + "' of type " +
             formatType(info.dtype, info.dims, info.rank) +
             " is missing; give it with --input " + name + "=FILE.npy";
    inputStrides.push_back(inputs[i].strides());
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    inputTensors.push_back(
        {inputs[i].data.data(),
         inputs[i].dtype,
         static_cast<int32_t>(inputs[i].shape.size()),
         inputs[i].shape.data(),
         inputs[i].fortranOrder ? inputStrides[i].data() : nullptr,
         {NDL_DEVICE_CPU, 0}});
  return "";
}

std::string EntryRun::chooseOutputs() {
  outputPaths.resize(entry->numOutputs);
  std::map<std::string, std::string> users;
  for (const auto &[name, path] : options.outputs) {
    size_t index;
    std::string error =
        findTensor(entry->outputs, entry->numOutputs, "output", name, index);
    if (!error.empty())
      return error;
    if (!outputPaths[index].empty())
      return "output '" + name + "' is given twice";
    if (auto [user, isNew] = users.emplace(path, name); !isNew)
      return "outputs '" + user->second + "' and '" + name +
             "' are both to be written to '" + path + "'";
    if (!npySupports(entry->outputs[index].dtype))
      return "output '" + name +
             "' cannot be written: .npy files have no type " +
             ndl_dtype_name(entry->outputs[index].dtype);
    outputPaths[index] = path;
  }
  return "";
}

std::string EntryRun::allocateOutputs() {
  size_t numDims = 0;
  for (size_t i = 0; i < entry->numOutputs; ++i)
    numDims += static_cast<size_t>(entry->outputs[i].rank);
  std::vector<int64_t> dims(numDims);
  if (ndl_executable_output_shapes(executable, entryIndex, inputTensors.data(),
                                   inputTensors.size(), dims.data(),
                                   dims.size()) != NDL_OK)
    return ndl_last_error();
  auto next = dims.begin();
  for (size_t i = 0; i < entry->numOutputs; ++i) {
    NpyArray array;
    array.dtype = entry->outputs[i].dtype;
    array.shape.assign(next, next + entry->outputs[i].rank);
    next += entry->outputs[i].rank;
    int64_t bits = ndl_dtype_bits(array.dtype);
    if (std::count(array.shape.begin(), array.shape.end(), 0))
      bits = 0;
    for (int64_t size : array.shape)
      if (bits &&
          (__builtin_mul_overflow(bits, size, &bits) || bits > INT64_MAX - 7))
        return "an output's size exceeds the address space";
    array.data.resize(static_cast<size_t>((bits + 7) / 8));
    outputs.push_back(std::move(array));
  }
  for (NpyArray &array : outputs)
    outputTensors.push_back({array.data.data(),
                             array.dtype,
                             static_cast<int32_t>(array.shape.size()),
                             array.shape.data(),
                             nullptr,
                             {NDL_DEVICE_CPU, 0}});
  return "";
}

std::string EntryRun::invoke() {
  using Clock = std::chrono::steady_clock;
  for (int64_t i = 0; i < options.repeat; ++i) {
    Clock::time_point start = Clock::now();
    if (ndl_executable_invoke(executable, entryIndex, inputTensors.data(),
                              inputTensors.size(), outputTensors.data(),
                              outputTensors.size()) != NDL_OK)
      return ndl_last_error();
    minNs = std::min<int64_t>(
        minNs, std::chrono::nanoseconds(Clock::now() - start).count());
  }
  return "";
}

std::string EntryRun::writeOutputs() {
  std::vector<ndl::AtomicFile> files;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputPaths[i].empty())
      continue;
    files.emplace_back(outputPaths[i]);
    std::vector<uint8_t> bytes = formatNpy(outputs[i]);
    std::string error = files.back().write(bytes.data(), bytes.size());
    if (!error.empty())
      return error;
  }
  for (ndl::AtomicFile &file : files)
    if (std::string error = file.commit(); !error.empty())
      return error;
  return "";
}

Json EntryRun::toJson() const {
  Json result = {{"artifact", options.artifact},
                 {"entry", entry->name},
                 {"target", ndl_executable_target(executable)},
                 {"threads", ndl_executable_threads(executable)},
                 {"runs", options.repeat},
                 {"min_ns", minNs},
                 {"outputs", Json::array()},
                 {"steps", describeSteps(executable, entryIndex)}};
  for (size_t i = 0; i < outputs.size(); ++i)
    result["outputs"].push_back(
        {{"name", entry->outputs[i].name},
         {"dtype", ndl_dtype_name(outputs[i].dtype)},
         {"shape", outputs[i].shape},
         {"file", outputPaths[i].empty() ? Json() : Json(outputPaths[i])}});
  return result;
}

void EntryRun::printProfile() const {
  std::printf("%12s %12s %8s  %s\n", "min us", "total us", "calls", "step");
  for (size_t i = 0; i < ndl_executable_step_count(executable, entryIndex);
       ++i) {
    const NdlStepInfo &step = *ndl_executable_step(executable, entryIndex, i);
    NdlStepStats stats = {};
    ndl_executable_step_stats(executable, entryIndex, i, &stats);
    std::printf("%12.3f %12.3f %8" PRId64 "  %s (%s) %s %s\n",
                static_cast<double>(stats.minNs) / 1e3,
                static_cast<double>(stats.totalNs) / 1e3, stats.calls,
                step.kernel, step.target, step.op, step.location);
  }
}

void EntryRun::print() const {
  if (options.json)
    return printJson(toJson());
  std::printf("entry %s on target %s with %" PRId32 " thread%s\n", entry->name,
              ndl_executable_target(executable),
              ndl_executable_threads(executable),
              ndl_executable_threads(executable) == 1 ? "" : "s");
  for (size_t i = 0; i < outputs.size(); ++i)
    std::printf("output %s: %s%s%s\n", entry->outputs[i].name,
                formatType(outputs[i].dtype, outputs[i].shape.data(),
                           static_cast<int32_t>(outputs[i].shape.size()))
                    .c_str(),
                outputPaths[i].empty() ? "" : " -> ", outputPaths[i].c_str());
  std::printf("min of %" PRId64 " run%s: %.3f ms\n", options.repeat,
              options.repeat == 1 ? "" : "s", static_cast<double>(minNs) / 1e6);
  if (options.profile)
    printProfile();
}

} // namespace

std::string runEntry(const Options &options, NdlExecutable *executable) {
  ndl_executable_set_profiling(executable, options.profile);
  EntryRun run(options, executable);
  for (auto stage : {&EntryRun::chooseEntry, &EntryRun::readInputs,
                     &EntryRun::chooseOutputs, &EntryRun::allocateOutputs,
                     &EntryRun::invoke, &EntryRun::writeOutputs}) {
    std::string error = (run.*stage)();
    if (!error.empty())
      return error;
  }
  run.print();
  return "";
}

} // namespace needle::run

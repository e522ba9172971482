// Serialization of the artifact model.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-rt/artifact_writer.h"
#include "needle-rt/artifact_reader.h"

#include <cstring>
#include <unordered_map>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "records are written as they lie in memory");

namespace ndl {
namespace {

/// Lays the model out as tables and remembers the first error.
class Writer {
public:
  explicit Writer(const ArtifactModel &model) : model(model) { intern(""); }

  std::vector<uint8_t> write(std::string &error);

private:
  /// A section to be placed in the file.
  struct Section {
    NdlSectionKind kind;
    const void *data;
    size_t size;
    uint32_t flags = NDL_SECTION_REQUIRED;
  };

  void fail(const std::string &text) {
    if (firstError.empty())
      firstError = text;
  }
  uint32_t intern(const std::string &text);
  uint32_t index(size_t value);
  void addTensor(const TensorModel &tensor);
  void addEntry(const EntryModel &entry);
  void addFunction(const FunctionModel &function);
  void addBody(const BodyModel &body);
  void addDevices();
  void addMetadata();
  std::vector<Section> sections() const;
  std::vector<uint8_t> assemble() const;

  const ArtifactModel &model;
  std::string firstError;
  std::string strings;
  std::unordered_map<std::string, uint32_t> stringOffsets;
  std::vector<NdlEntryRecord> entries;
  std::vector<NdlTensorRecord> tensors;
  std::vector<int64_t> dims;
  std::vector<NdlParamRecord> params;
  std::vector<NdlMessageRecord> messages;
  std::vector<NdlBodyRecord> bodies;
  std::vector<NdlFunctionRecord> functions;
  std::vector<NdlStepRecord> steps;
  std::vector<NdlMetadataRecord> metadata;
  std::vector<NdlKernelRecord> kernels;
  std::vector<uint64_t> kernelOffsets;
  std::vector<NdlDeviceRecord> devices;
  std::vector<NdlDeviceKernelRecord> deviceKernels;
};

/// Sections of records that every file has; code, weights and, if there are
/// any, PTX and kernels follow them in the section table.
constexpr uint32_t numTables = 10;

uint32_t Writer::intern(const std::string &text) {
  if (text.find('\0') != std::string::npos)
    fail("a name holds a NUL byte: '" + std::string(text.c_str()) + "…'");
  auto [place, isNew] = stringOffsets.try_emplace(text, index(strings.size()));
  if (isNew)
    strings.append(text.c_str(), text.size() + 1);
  return place->second;
}

uint32_t Writer::index(size_t value) {
  if (value > UINT32_MAX)
    fail("more records or names than 32 bits can count");
  return static_cast<uint32_t>(value);
}

void Writer::addTensor(const TensorModel &tensor) {
  const QuantizationModel &quantization = tensor.quantization;
  if (quantization.scales.size() != quantization.zeroPoints.size())
    fail("tensor '" + tensor.name + "' has " +
         std::to_string(quantization.scales.size()) + " scales but " +
         std::to_string(quantization.zeroPoints.size()) + " zero points");
  NdlTensorRecord record = {};
  record.name = intern(tensor.name);
  record.dtype = tensor.dtype;
  record.rank = index(tensor.dims.size());
  record.firstDim = index(dims.size());
  record.quantization = quantization.kind;
  record.axis = quantization.axis;
  record.firstParam = index(params.size());
  record.numParams = index(quantization.scales.size());
  record.storageMin = quantization.storageMin;
  record.storageMax = quantization.storageMax;
  tensors.push_back(record);
  dims.insert(dims.end(), tensor.dims.begin(), tensor.dims.end());
  for (size_t i = 0;
       i < quantization.scales.size() && i < quantization.zeroPoints.size();
       ++i)
    params.push_back({quantization.scales[i], quantization.zeroPoints[i]});
}

void Writer::addEntry(const EntryModel &entry) {
  NdlEntryRecord record = {};
  record.name = intern(entry.name);
  record.firstInput = index(tensors.size());
  record.numInputs = index(entry.inputs.size());
  for (const TensorModel &tensor : entry.inputs)
    addTensor(tensor);
  record.firstOutput = index(tensors.size());
  record.numOutputs = index(entry.outputs.size());
  for (const TensorModel &tensor : entry.outputs)
    addTensor(tensor);
  entries.push_back(record);
}

void Writer::addFunction(const FunctionModel &function) {
  NdlFunctionRecord record = {};
  record.planOffset = function.planOffset;
  record.runOffset = function.runOffset;
  record.firstStep = index(steps.size());
  record.numSteps = index(function.steps.size());
  functions.push_back(record);
  for (const StepModel &step : function.steps)
    steps.push_back({intern(step.kernel), intern(step.op),
                     intern(step.location), intern(step.note), step.macs});
}

void Writer::addBody(const BodyModel &body) {
  if (body.functions.size() != model.entries.size())
    fail("body '" + body.target + "' has " +
         std::to_string(body.functions.size()) + " functions for " +
         std::to_string(model.entries.size()) + " entries");
  if (body.kernelOffsets.size() != model.kernels.size())
    fail("body '" + body.target + "' has " +
         std::to_string(body.kernelOffsets.size()) + " kernel offsets for " +
         std::to_string(model.kernels.size()) + " kernels");
  kernelOffsets.insert(kernelOffsets.end(), body.kernelOffsets.begin(),
                       body.kernelOffsets.end());
  bool hasWeights = body.weights != BodyModel::noWeights;
  if (hasWeights && body.weights >= model.weights.size())
    fail("body '" + body.target + "' refers to weights " +
         std::to_string(body.weights) + " of " +
         std::to_string(model.weights.size()));
  NdlBodyRecord record = {};
  record.target = intern(body.target);
  record.architecture = body.architecture;
  record.features = body.features;
  record.rank = body.rank;
  record.codeSection = index(numTables + bodies.size());
  record.weightsSection =
      hasWeights ? index(numTables + model.bodies.size() + body.weights)
                 : NDL_NO_SECTION;
  bodies.push_back(record);
  for (const FunctionModel &function : body.functions)
    addFunction(function);
}

void Writer::addDevices() {
  size_t before = numTables + model.bodies.size() + model.weights.size();
  for (const DeviceModel &device : model.devices) {
    for (const DeviceKernelModel &kernel : device.kernels)
      deviceKernels.push_back({index(devices.size()), intern(kernel.name),
                               kernel.blockThreads, kernel.tileRows,
                               kernel.tileColumns, 0});
    devices.push_back({intern(device.target), device.computeCapability,
                       index(before + devices.size()), 0});
  }
}

void Writer::addMetadata() {
  metadata.push_back({intern("producer"), intern(model.producer)});
  for (const auto &[key, value] : model.metadata)
    metadata.push_back({intern(key), intern(value)});
}

std::vector<Writer::Section> Writer::sections() const {
  auto table = [](NdlSectionKind kind, const auto &records) {
    return Section{kind, records.data(), records.size() * sizeof(records[0]),
                   NDL_SECTION_REQUIRED};
  };
  std::vector<Section> all = {
      table(NDL_SECTION_STRINGS, strings),
      table(NDL_SECTION_ENTRIES, entries),
      table(NDL_SECTION_TENSORS, tensors),
      table(NDL_SECTION_DIMS, dims),
      table(NDL_SECTION_PARAMS, params),
      table(NDL_SECTION_MESSAGES, messages),
      table(NDL_SECTION_BODIES, bodies),
      table(NDL_SECTION_FUNCTIONS, functions),
      table(NDL_SECTION_STEPS, steps),
      table(NDL_SECTION_METADATA, metadata),
  };
  for (const BodyModel &body : model.bodies)
    all.push_back(table(NDL_SECTION_CODE, body.code));
  for (const std::vector<uint8_t> &weights : model.weights)
    all.push_back(table(NDL_SECTION_WEIGHTS, weights));
  // What follows, readers of version 1 that do not know it can do without.
  auto addOptional = [&](NdlSectionKind kind, const auto &records) {
    all.push_back(table(kind, records));
    all.back().flags = 0;
  };
  for (const DeviceModel &device : model.devices)
    addOptional(NDL_SECTION_PTX, device.ptx);
  if (!devices.empty()) {
    addOptional(NDL_SECTION_DEVICES, devices);
    addOptional(NDL_SECTION_DEVICE_KERNELS, deviceKernels);
  }
  if (!kernels.empty()) {
    addOptional(NDL_SECTION_KERNELS, kernels);
    addOptional(NDL_SECTION_KERNEL_OFFSETS, kernelOffsets);
  }
  return all;
}

uint64_t alignUp(uint64_t offset) {
  return (offset + NDL_SECTION_ALIGNMENT - 1) / NDL_SECTION_ALIGNMENT *
         NDL_SECTION_ALIGNMENT;
}

std::vector<uint8_t> Writer::assemble() const {
  std::vector<Section> all = sections();
  std::vector<NdlSectionRecord> table;
  uint64_t end = sizeof(NdlFileHeader) + all.size() * sizeof(table[0]);
  for (const Section &section : all) {
    uint64_t offset = alignUp(end);
    table.push_back({static_cast<uint32_t>(section.kind), section.flags, offset,
                     section.size, 0});
    end = offset + section.size;
  }

  std::vector<uint8_t> bytes(end);
  NdlFileHeader header = {};
  std::memcpy(header.magic, NDL_ARTIFACT_MAGIC, NDL_ARTIFACT_MAGIC_SIZE);
  header.formatVersion = NDL_ARTIFACT_VERSION;
  header.abiVersion = NDL_ABI_VERSION;
  header.fileSize = end;
  header.sectionCount = static_cast<uint32_t>(all.size());
  std::memcpy(bytes.data() + sizeof header, table.data(),
              table.size() * sizeof(table[0]));
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].size > 0)
      std::memcpy(bytes.data() + table[i].offset, all[i].data, all[i].size);
  std::memcpy(bytes.data(), &header, sizeof header);
  header.checksum = artifactChecksum(bytes.data(), bytes.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

std::vector<uint8_t> Writer::write(std::string &error) {
  for (const EntryModel &entry : model.entries)
    addEntry(entry);
  for (const MessageModel &message : model.messages)
    messages.push_back({intern(message.text), intern(message.location)});
  for (const std::string &kernel : model.kernels)
    kernels.push_back({intern(kernel), 0});
  for (const BodyModel &body : model.bodies)
    addBody(body);
  addDevices();
  addMetadata();
  index(tensors.size());
  index(dims.size());
  index(params.size());
  index(steps.size());
  if (!firstError.empty()) {
    error = firstError;
    return {};
  }
  std::vector<uint8_t> bytes = assemble();
  // The reader states once what a well-formed artifact is; hold to it here too.
  ArtifactView view;
  Status status = ArtifactView::parse(bytes.data(), bytes.size(), view);
  if (!status.ok()) {
    error = status.message();
    return {};
  }
  return bytes;
}

} // namespace

std::vector<uint8_t> serialize(const ArtifactModel &model, std::string *error) {
  std::string text;
  std::vector<uint8_t> bytes = Writer(model).write(text);
  if (error)
    *error = text;
  return bytes;
}

} // namespace ndl

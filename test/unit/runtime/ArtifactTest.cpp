// Writing and reading artifacts, and refusing wrong ones.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

namespace ndl::test {
namespace {

/// The message of parsing these bytes, "" if they are valid.
std::string parseError(const std::vector<uint8_t> &bytes,
                       NdlStatus *code = nullptr) {
  ArtifactView view;
  Status status = ArtifactView::parse(bytes.data(), bytes.size(), view);
  if (code)
    *code = status.code();
  return status.message();
}

NdlFileHeader &headerOf(std::vector<uint8_t> &bytes) {
  return *reinterpret_cast<NdlFileHeader *>(bytes.data());
}

void seal(std::vector<uint8_t> &bytes) {
  headerOf(bytes).checksum = artifactChecksum(bytes.data(), bytes.size());
}

NdlSectionRecord *sectionsOf(std::vector<uint8_t> &bytes) {
  return reinterpret_cast<NdlSectionRecord *>(bytes.data() +
                                              sizeof(NdlFileHeader));
}

/// The first record in the section of this kind.
template <typename T>
T &firstRecord(std::vector<uint8_t> &bytes, NdlSectionKind kind) {
  NdlSectionRecord *section = sectionsOf(bytes);
  while (section->kind != static_cast<uint32_t>(kind))
    ++section;
  return *reinterpret_cast<T *>(bytes.data() + section->offset);
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

TEST(Artifact, RoundTrips) {
  ArtifactModel onlyKernels = makeSmallModel();
  onlyKernels.entries.clear();
  onlyKernels.bodies[0].functions.clear();
  ArtifactModel onlyEntries = makeSmallModel();
  onlyEntries.kernels.clear();
  onlyEntries.bodies[0].kernelOffsets.clear();
  for (const ArtifactModel &model : {makeModel(), makeSmallModel(), onlyKernels,
                                     onlyEntries, ArtifactModel()}) {
    std::vector<uint8_t> bytes = bytesOf(model);
    ArtifactView view;
    Status status = ArtifactView::parse(bytes.data(), bytes.size(), view);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(bytesOf(toModel(view)), bytes);
  }
}

TEST(Artifact, KeepsEveryField) {
  std::vector<uint8_t> bytes = bytesOf(makeSmallModel());
  ArtifactView view;
  ASSERT_TRUE(ArtifactView::parse(bytes.data(), bytes.size(), view).ok());
  ArtifactModel model = toModel(view);
  EXPECT_EQ(model.producer, "p");
  EXPECT_STREQ(view.metadataValue("producer"), "p");
  EXPECT_EQ(view.metadataValue("other"), nullptr);
  ASSERT_EQ(model.entries.size(), 1u);
  EXPECT_EQ(model.entries[0].name, "main");
  const TensorModel &input = model.entries[0].inputs.at(0);
  EXPECT_EQ(input.name, "x");
  EXPECT_EQ(input.dtype, NDL_DTYPE_U8);
  EXPECT_EQ(input.dims, (std::vector<int64_t>{NDL_DYNAMIC, 2}));
  EXPECT_EQ(input.quantization.kind, NDL_QUANTIZATION_PER_TENSOR);
  EXPECT_EQ(input.quantization.scales, std::vector<float>{0.5f});
  EXPECT_EQ(input.quantization.zeroPoints, std::vector<int32_t>{128});
  EXPECT_EQ(input.quantization.storageMax, 255);
  const TensorModel &output = model.entries[0].outputs.at(0);
  EXPECT_EQ(output.quantization.axis, 1);
  EXPECT_EQ(output.quantization.scales, (std::vector<float>{1, 2}));
  EXPECT_EQ(output.quantization.storageMin, -127);
  EXPECT_EQ(model.messages.at(0).text, "m");
  EXPECT_EQ(model.messages.at(0).location, "l");
  const BodyModel &body = model.bodies.at(0);
  EXPECT_EQ(body.target, "t");
  EXPECT_EQ(body.architecture, NDL_ARCH_X86_64);
  EXPECT_EQ(body.features, x86::SSE2);
  EXPECT_EQ(body.code, (std::vector<uint8_t>{1, 2, 3, 4}));
  EXPECT_EQ(body.weights, 1u);
  EXPECT_EQ(body.functions.at(0).runOffset, 3u);
  const StepModel &step = body.functions[0].steps.at(0);
  EXPECT_EQ(step.kernel + step.op + step.location + step.note, "koln");
  EXPECT_EQ(step.macs, 7);
  EXPECT_EQ(model.weights, (std::vector<std::vector<uint8_t>>{{9}, {8, 7}}));
  EXPECT_EQ(model.kernels, (std::vector<std::string>{"kernel", "other"}));
  EXPECT_EQ(body.kernelOffsets, (std::vector<uint64_t>{2, 1}));
  ASSERT_EQ(model.devices.size(), 2u);
  EXPECT_EQ(model.devices[1].target, "new");
  EXPECT_EQ(model.devices[1].computeCapability, 20u);
  EXPECT_EQ(model.devices[1].ptx, "text");
  ASSERT_EQ(model.devices[0].kernels.size(), 2u);
  const DeviceKernelModel &kernel = model.devices[1].kernels.at(0);
  EXPECT_EQ(kernel.name, "k");
  EXPECT_EQ(kernel.blockThreads, 128u);
  EXPECT_EQ(kernel.tileRows, 4u);
  EXPECT_EQ(kernel.tileColumns, 5u);
}

TEST(Artifact, AlignsSections) {
  std::vector<uint8_t> bytes = bytesOf(makeModel());
  for (uint32_t i = 0; i < headerOf(bytes).sectionCount; ++i)
    EXPECT_EQ(sectionsOf(bytes)[i].offset % NDL_SECTION_ALIGNMENT, 0u);
}

TEST(Artifact, WriterRefusesWrongModels) {
  struct Case {
    std::function<void(ArtifactModel &)> change;
    const char *message;
  };
  const Case cases[] = {
      {[](ArtifactModel &m) { m.bodies[0].functions.clear(); },
       "0 functions for 1 entries"},
      {[](ArtifactModel &m) { m.bodies[0].weights = 2; }, "weights 2 of 2"},
      {[](ArtifactModel &m) { m.producer = std::string("a\0b", 3); },
       "NUL byte"},
      {[](ArtifactModel &m) {
         m.entries[0].inputs[0].quantization.zeroPoints.clear();
       },
       "1 scales but 0 zero points"},
      {[](ArtifactModel &m) { m.bodies[0].functions[0].runOffset = 4; },
       "outside its code"},
      {[](ArtifactModel &m) {
         m.entries.push_back(m.entries[0]);
         m.bodies[0].functions.push_back(m.bodies[0].functions[0]);
       },
       "distinct names"},
      {[](ArtifactModel &m) { m.bodies.push_back(m.bodies[0]); },
       "distinct targets"},
      {[](ArtifactModel &m) { m.entries[0].name = ""; }, "distinct names"},
      {[](ArtifactModel &m) { m.bodies[0].kernelOffsets.pop_back(); },
       "1 kernel offsets for 2 kernels"},
      {[](ArtifactModel &m) { m.bodies[0].kernelOffsets[1] = 4; },
       "kernel lies outside its code"},
      {[](ArtifactModel &m) { m.kernels[1] = "kernel"; },
       "kernels lack distinct names"},
      {[](ArtifactModel &m) { m.kernels[0] = ""; },
       "kernels lack distinct names"},
      {[](ArtifactModel &m) { m.devices[1].target = "old"; },
       "devices lack distinct targets"},
      {[](ArtifactModel &m) { m.devices[0].ptx = std::string("a\0b", 3); },
       "PTX holds a NUL byte"},
      {[](ArtifactModel &m) { m.devices[0].kernels[1].name = "k"; },
       "kernels of a device lack distinct names"},
      {[](ArtifactModel &m) { m.devices[0].kernels[1].tileRows = 0; },
       "cannot be launched"},
      {[](ArtifactModel &m) { m.devices[0].kernels[1].blockThreads = 1025; },
       "cannot be launched"},
  };
  for (const Case &c : cases) {
    ArtifactModel model = makeSmallModel();
    c.change(model);
    std::string error;
    EXPECT_TRUE(serialize(model, &error).empty()) << c.message;
    EXPECT_TRUE(contains(error, c.message)) << error;
  }
}

TEST(Artifact, ReaderNamesWhatIsWrongWithTheHeader) {
  struct Case {
    std::function<void(std::vector<uint8_t> &)> change;
    NdlStatus code;
    const char *message;
  };
  using Bytes = std::vector<uint8_t>;
  const Case cases[] = {
      {[](Bytes &b) { b.clear(); }, NDL_CORRUPT_ARTIFACT,
       "not a needle artifact"},
      {[](Bytes &b) { b[0] = 'X'; }, NDL_CORRUPT_ARTIFACT,
       "not a needle artifact"},
      // A text-mode transfer turns \r\n to \n.
      {[](Bytes &b) { b.erase(b.begin() + 4); }, NDL_CORRUPT_ARTIFACT,
       "not a needle artifact"},
      {[](Bytes &b) { b.resize(40); }, NDL_CORRUPT_ARTIFACT, "truncated"},
      {[](Bytes &b) { b.pop_back(); }, NDL_CORRUPT_ARTIFACT, "truncated"},
      {[](Bytes &b) { b.push_back(0); }, NDL_CORRUPT_ARTIFACT,
       "followed by 1 more"},
      {[](Bytes &b) { headerOf(b).formatVersion = 2; }, NDL_UNSUPPORTED_VERSION,
       "format version 2"},
      {[](Bytes &b) { headerOf(b).abiVersion = 9; }, NDL_UNSUPPORTED_VERSION,
       "ABI version 9"},
      {[](Bytes &b) { b.back() ^= 1; }, NDL_CORRUPT_ARTIFACT, "checksum"},
      {[](Bytes &b) { headerOf(b).reserved[0] = 1; }, NDL_CORRUPT_ARTIFACT,
       "checksum"},
  };
  for (const Case &c : cases) {
    Bytes bytes = bytesOf(makeSmallModel());
    c.change(bytes);
    NdlStatus code;
    std::string error = parseError(bytes, &code);
    EXPECT_TRUE(contains(error, c.message)) << c.message << " / " << error;
    EXPECT_EQ(code, c.code) << error;
  }
}

TEST(Artifact, ReaderRefusesMalformedRecords) {
  struct Case {
    std::function<void(std::vector<uint8_t> &)> change;
    const char *message;
  };
  using Bytes = std::vector<uint8_t>;
  auto tensor = [](Bytes &b) -> NdlTensorRecord & {
    return firstRecord<NdlTensorRecord>(b, NDL_SECTION_TENSORS);
  };
  auto body = [](Bytes &b) -> NdlBodyRecord & {
    return firstRecord<NdlBodyRecord>(b, NDL_SECTION_BODIES);
  };
  auto entry = [](Bytes &b) -> NdlEntryRecord & {
    return firstRecord<NdlEntryRecord>(b, NDL_SECTION_ENTRIES);
  };
  auto function = [](Bytes &b) -> NdlFunctionRecord & {
    return firstRecord<NdlFunctionRecord>(b, NDL_SECTION_FUNCTIONS);
  };
  auto param = [](Bytes &b) -> NdlParamRecord & {
    return firstRecord<NdlParamRecord>(b, NDL_SECTION_PARAMS);
  };
  const Case cases[] = {
      {[](Bytes &b) { headerOf(b).sectionCount = UINT32_MAX; },
       "do not fit into it"},
      {[](Bytes &b) { sectionsOf(b)[3].offset += 1; }, "misplaced"},
      {[](Bytes &b) { sectionsOf(b)[3].offset = ~uint64_t(63); }, "misplaced"},
      {[](Bytes &b) { sectionsOf(b)[3].size = ~uint64_t(0); }, "misplaced"},
      {[](Bytes &b) { sectionsOf(b)[3].offset = sectionsOf(b)[1].offset; },
       "misplaced"},
      {[](Bytes &b) { sectionsOf(b)[2].kind = NDL_SECTION_DIMS; },
       "two sections of kind 4"},
      {[](Bytes &b) { sectionsOf(b)[2].size -= 1; }, "wrong size"},
      {[](Bytes &b) { firstRecord<char>(b, NDL_SECTION_STRINGS) = 'a'; },
       "NUL byte"},
      {[](Bytes &b) { sectionsOf(b)[0].size -= 1; }, "NUL byte"},
      {[](Bytes &b) {
         firstRecord<NdlMessageRecord>(b, NDL_SECTION_MESSAGES).text = 5000;
       },
       "outside the strings"},
      {[](Bytes &b) {
         firstRecord<NdlStepRecord>(b, NDL_SECTION_STEPS).note = UINT32_MAX;
       },
       "outside the strings"},
      {[=](Bytes &b) { tensor(b).dtype = 99; }, "unknown type"},
      {[=](Bytes &b) { tensor(b).dtype = 0; }, "unknown type"},
      {[=](Bytes &b) { tensor(b).rank = 17; }, "too many dimensions"},
      {[=](Bytes &b) { tensor(b).rank = 6; }, "dimensions are misplaced"},
      {[=](Bytes &b) { tensor(b).firstDim = 1; }, "dimensions are misplaced"},
      {[=](Bytes &b) { tensor(b).numParams = UINT32_MAX; },
       "scales are misplaced"},
      {[](Bytes &b) { firstRecord<int64_t>(b, NDL_SECTION_DIMS) = -2; },
       "negative dimension"},
      {[=](Bytes &b) { tensor(b).quantization = 3; }, "unknown kind"},
      {[=](Bytes &b) { tensor(b).quantization = NDL_QUANTIZATION_NONE; },
       "without quantization"},
      {[=](Bytes &b) { tensor(b).dtype = NDL_DTYPE_F32; }, "real numbers"},
      {[=](Bytes &b) {
         tensor(b).quantization = NDL_QUANTIZATION_PER_AXIS;
         tensor(b).axis = 2;
       },
       "axis is out of range"},
      {[=](Bytes &b) {
         tensor(b).quantization = NDL_QUANTIZATION_PER_AXIS;
         tensor(b).axis = 1;
       },
       "do not match its axis"},
      {[=](Bytes &b) { tensor(b).storageMax = 0; }, "storage range is empty"},
      {[=](Bytes &b) { param(b).scale = 0; }, "positive number"},
      {[=](Bytes &b) { param(b).scale = -1; }, "positive number"},
      {[=](Bytes &b) { param(b).scale = __builtin_nanf(""); },
       "positive number"},
      {[=](Bytes &b) { param(b).scale = __builtin_inff(); }, "positive number"},
      {[=](Bytes &b) { entry(b).firstInput = 1; }, "inputs are misplaced"},
      {[=](Bytes &b) { entry(b).numInputs = UINT32_MAX; },
       "inputs are misplaced"},
      {[=](Bytes &b) { entry(b).numOutputs = 2; }, "outputs are misplaced"},
      {[=](Bytes &b) { entry(b).name = 0; }, "distinct names"},
      {[=](Bytes &b) { body(b).target = 0; }, "distinct targets"},
      {[=](Bytes &b) { body(b).codeSection = 11; }, "no code section"},
      {[=](Bytes &b) { body(b).codeSection = 1000; }, "no code section"},
      {[=](Bytes &b) { body(b).weightsSection = 10; }, "no weights section"},
      {[=](Bytes &b) { body(b).weightsSection = 1000; }, "no weights section"},
      {[=](Bytes &b) { function(b).planOffset = 4; }, "outside its code"},
      {[=](Bytes &b) { function(b).runOffset = ~uint64_t(0); },
       "outside its code"},
      {[=](Bytes &b) { function(b).firstStep = 1; }, "steps are misplaced"},
      {[=](Bytes &b) { function(b).numSteps = 2; }, "steps are misplaced"},
      {[](Bytes &b) { sectionsOf(b)[7].size = 0; }, "each body and entry"},
      {[](Bytes &b) {
         firstRecord<NdlKernelRecord>(b, NDL_SECTION_KERNELS).name = 5000;
       },
       "outside the strings"},
      {[](Bytes &b) {
         firstRecord<NdlKernelRecord>(b, NDL_SECTION_KERNELS).name = 0;
       },
       "kernels lack distinct names"},
      {[](Bytes &b) {
         firstRecord<uint64_t>(b, NDL_SECTION_KERNEL_OFFSETS) = 4;
       },
       "kernel lies outside its code"},
      {[](Bytes &b) {
         firstRecord<NdlDeviceRecord>(b, NDL_SECTION_DEVICES).ptxSection = 11;
       },
       "no PTX section"},
      {[](Bytes &b) {
         firstRecord<NdlDeviceRecord>(b, NDL_SECTION_DEVICES).target = 5000;
       },
       "outside the strings"},
      {[](Bytes &b) {
         firstRecord<NdlDeviceKernelRecord>(b, NDL_SECTION_DEVICE_KERNELS)
             .device = 2;
       },
       "belongs to no device"},
      {[](Bytes &b) {
         firstRecord<NdlDeviceKernelRecord>(b, NDL_SECTION_DEVICE_KERNELS)
             .name = 5000;
       },
       "outside the strings"},
      {[](Bytes &b) { sectionsOf(b)[headerOf(b).sectionCount - 1].size = 8; },
       "each body and kernel"},
  };
  for (const Case &c : cases) {
    Bytes bytes = bytesOf(makeSmallModel());
    c.change(bytes);
    seal(bytes);
    NdlStatus code;
    std::string error = parseError(bytes, &code);
    EXPECT_TRUE(contains(error, c.message)) << c.message << " / " << error;
    EXPECT_EQ(code, NDL_CORRUPT_ARTIFACT) << error;
  }
}

TEST(Artifact, SkipsUnknownSectionsUnlessRequired) {
  std::vector<uint8_t> bytes = bytesOf(makeSmallModel());
  // The weights that no body refers to become a section of another kind.
  uint32_t unused = 11;
  ASSERT_EQ(sectionsOf(bytes)[unused].kind, uint32_t(NDL_SECTION_WEIGHTS));
  sectionsOf(bytes)[unused].kind = 77;
  seal(bytes);
  NdlStatus code;
  EXPECT_TRUE(contains(parseError(bytes, &code), "section kind 77"));
  EXPECT_EQ(code, NDL_UNSUPPORTED_VERSION);
  sectionsOf(bytes)[unused].flags = 0;
  seal(bytes);
  EXPECT_EQ(parseError(bytes), "");
}

TEST(Artifact, OlderReadersMaySkipKernels) {
  std::vector<uint8_t> bytes = bytesOf(makeSmallModel());
  const NdlSectionRecord *sections = sectionsOf(bytes);
  for (uint32_t i = 0; i < headerOf(bytes).sectionCount; ++i)
    EXPECT_EQ(sections[i].flags & NDL_SECTION_REQUIRED,
              uint32_t(sections[i].kind < NDL_SECTION_KERNELS))
        << i;
}

TEST(Artifact, ChecksumCoversEveryByte) {
  std::vector<uint8_t> bytes = bytesOf(makeSmallModel());
  uint64_t whole = artifactChecksum(bytes.data(), bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= 0x10;
    bool isChecksum = i >= offsetof(NdlFileHeader, checksum) &&
                      i < offsetof(NdlFileHeader, checksum) + 8;
    EXPECT_EQ(artifactChecksum(bytes.data(), bytes.size()) == whole,
              isChecksum);
    bytes[i] ^= 0x10;
  }
}

} // namespace
} // namespace ndl::test

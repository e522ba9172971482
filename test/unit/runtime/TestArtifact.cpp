// An artifact with code that runs on the host, and ways to call it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace ndl::test {
namespace {

constexpr float affineWeights[] = {0.5f, -1, 3, 1000};

TensorModel makeTensor(const char *name, NdlDType dtype,
                       std::vector<int64_t> dims) {
  TensorModel tensor;
  tensor.name = name;
  tensor.dtype = dtype;
  tensor.dims = std::move(dims);
  return tensor;
}

std::vector<EntryModel> makeEntries() {
  constexpr int64_t any = NDL_DYNAMIC;
  auto f32 = NDL_DTYPE_F32;
  auto i32 = NDL_DTYPE_I32;
  auto u8 = NDL_DTYPE_U8;
  return {
      {"affine",
       {makeTensor("x", f32, {any, 4})},
       {makeTensor("y", f32, {any, 4})}},
      {"add",
       {makeTensor("a", i32, {any}), makeTensor("b", i32, {any})},
       {makeTensor("c", i32, {any})}},
      {"nest",
       {makeTensor("x", u8, {any})},
       {makeTensor("hits", i32, {any}), makeTensor("workers", i32, {any})}},
      {"halve", {makeTensor("x", f32, {any})}, {makeTensor("y", f32, {any})}},
      {"wrong", {makeTensor("x", u8, {any})}, {makeTensor("", u8, {any, 3})}},
      {"fill", {}, {makeTensor("y", NDL_DTYPE_F64, {})}},
  };
}

/// Offsets stand at the start of the image, see Inputs/kernels.c.
BodyModel makeBody(const std::string &target, int number, uint32_t rank,
                   size_t numEntries, size_t numKernels) {
  BodyModel body;
  body.target = target;
  body.architecture = hostCpu().architecture;
  body.rank = rank;
  body.weights = 0;
  body.code = readBytes(std::string(NEEDLE_TEST_IMAGES) + "/kernels" +
                        std::to_string(number) + ".bin");
  std::vector<uint64_t> offsets(2 * numEntries + numKernels);
  EXPECT_GE(body.code.size(), offsets.size() * sizeof(uint64_t));
  body.code.resize(
      std::max(body.code.size(), offsets.size() * sizeof(uint64_t)));
  std::memcpy(offsets.data(), body.code.data(),
              offsets.size() * sizeof(uint64_t));
  for (size_t i = 0; i < numEntries; ++i) {
    body.functions.emplace_back();
    body.functions.back().planOffset = offsets[2 * i];
    body.functions.back().runOffset = offsets[2 * i + 1];
  }
  body.kernelOffsets.assign(offsets.begin() + 2 * numEntries, offsets.end());
  body.functions[Affine].steps = {
      {"double_" + target, "needle.mul", "model.py:3", "", 0},
      {"bias_" + target, "needle.add", "model.py:4", "only choice", -1}};
  body.functions[Add].steps = {
      {"add_" + target, "needle.add", "model.py:9", "", -1}};
  return body;
}

} // namespace

ArtifactModel makeModel() {
  ArtifactModel model;
  model.producer = "needle tests";
  model.metadata = {{"license", "none"}};
  model.entries = makeEntries();
  model.messages = {{"never reported", ""},
                    {"a and b differ in length", "model.py:9:5"}};
  model.kernels = {"add_body", "halves"};
  auto body = [&](const char *target, int number, uint32_t rank) {
    return makeBody(target, number, rank, model.entries.size(),
                    model.kernels.size());
  };
  model.bodies = {body("base", 1, 0), body("fast", 2, 1), body("alien", 1, 8),
                  body("future", 1, 9)};
  model.bodies[2].architecture = hostCpu().architecture == NDL_ARCH_RISCV64
                                     ? NDL_ARCH_AARCH64
                                     : NDL_ARCH_RISCV64;
  model.bodies[3].features = uint64_t(3) << 62;
  const auto *weights = reinterpret_cast<const uint8_t *>(affineWeights);
  model.weights = {{weights, weights + sizeof affineWeights}};
  return model;
}

ArtifactModel makeSmallModel() {
  ArtifactModel model;
  model.producer = "p";
  TensorModel input = makeTensor("x", NDL_DTYPE_U8, {NDL_DYNAMIC, 2});
  input.quantization = {NDL_QUANTIZATION_PER_TENSOR, 0, {0.5f}, {128}, 0, 255};
  TensorModel output = makeTensor("y", NDL_DTYPE_I8, {3, 2});
  output.quantization = {
      NDL_QUANTIZATION_PER_AXIS, 1, {1, 2}, {0, 0}, -127, 127};
  model.entries = {{"main", {input}, {output}}};
  model.messages = {{"m", "l"}};
  BodyModel body;
  body.target = "t";
  body.architecture = NDL_ARCH_X86_64;
  body.features = x86::SSE2;
  body.code = {1, 2, 3, 4};
  body.weights = 1;
  body.functions = {{0, 3, {{"k", "o", "l", "n", 7}}}};
  model.kernels = {"kernel", "other"};
  body.kernelOffsets = {2, 1};
  model.bodies = {body};
  model.weights = {{9}, {8, 7}};
  model.devices = {{"old", 10, "ptx", {{"k", 32, 2, 3}, {"l", 64, 1, 64}}},
                   {"new", 20, "text", {{"k", 128, 4, 5}}}};
  return model;
}

std::vector<uint8_t> bytesOf(const ArtifactModel &model) {
  std::string error;
  std::vector<uint8_t> bytes = serialize(model, &error);
  EXPECT_EQ(error, "");
  EXPECT_FALSE(bytes.empty());
  return bytes;
}

RuntimePtr makeRuntime(int32_t threads) {
  NdlRuntimeOptions options = NDL_RUNTIME_OPTIONS_INIT;
  options.threads = threads;
  NdlRuntime *runtime = nullptr;
  EXPECT_EQ(ndl_runtime_create(&options, &runtime), NDL_OK) << ndl_last_error();
  return RuntimePtr(runtime);
}

ExecutablePtr loadModel(int32_t threads, const char *target) {
  RuntimePtr runtime = makeRuntime(threads);
  NdlLoadOptions options = NDL_LOAD_OPTIONS_INIT;
  options.target = target;
  std::vector<uint8_t> bytes = bytesOf(makeModel());
  NdlExecutable *executable = nullptr;
  EXPECT_EQ(ndl_executable_load_memory(runtime.get(), bytes.data(),
                                       bytes.size(), &options, &executable),
            NDL_OK)
      << ndl_last_error();
  return ExecutablePtr(executable);
}

NdlStatus invoke(NdlExecutable *executable, size_t entry,
                 const std::vector<NdlTensor> &inputs,
                 const std::vector<NdlTensor> &outputs) {
  return ndl_executable_invoke(executable, entry, inputs.data(), inputs.size(),
                               outputs.data(), outputs.size());
}

float affine(float x, int64_t column, float body) {
  return 2 * x + affineWeights[column] + body;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name =
      (std::filesystem::temp_directory_path() / "needle-XXXXXX").string();
  if (!mkdtemp(name.data()))
    ADD_FAILURE() << "cannot create " << name;
  path = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

std::vector<std::string> TemporaryDirectory::list() const {
  std::vector<std::string> names;
  for (const auto &item : std::filesystem::directory_iterator(path))
    names.push_back(item.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<uint8_t> readBytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(file), {});
}

ScopedVariable::ScopedVariable(const char *name, const char *value)
    : name(name) {
  const char *present = std::getenv(name);
  wasSet = present;
  old = present ? present : "";
  setenv(name, value, 1);
}

ScopedVariable::~ScopedVariable() {
  if (wasSet)
    setenv(name.c_str(), old.c_str(), 1);
  else
    unsetenv(name.c_str());
}

} // namespace ndl::test

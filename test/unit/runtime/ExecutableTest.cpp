// Loading artifacts and asking what is in them, through the C ABI.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

namespace ndl::test {
namespace {

/// The error of loading these bytes, "" if there is none.
std::string loadError(const std::vector<uint8_t> &bytes,
                      const char *target = nullptr,
                      NdlStatus expected = NDL_OK) {
  NdlLoadOptions options = NDL_LOAD_OPTIONS_INIT;
  options.target = target;
  NdlExecutable *executable = nullptr;
  NdlStatus status = ndl_executable_load_memory(
      nullptr, bytes.data(), bytes.size(), &options, &executable);
  EXPECT_EQ(status, expected);
  EXPECT_EQ(executable != nullptr, status == NDL_OK);
  ndl_executable_destroy(executable);
  return status == NDL_OK ? "" : ndl_last_error();
}

TEST(Executable, DescribesEntries) {
  ExecutablePtr executable = loadModel();
  ASSERT_EQ(ndl_executable_entry_count(executable.get()), 6u);
  EXPECT_EQ(ndl_executable_entry(executable.get(), 6), nullptr);
  const NdlEntryInfo *entry = ndl_executable_entry(executable.get(), Nest);
  EXPECT_STREQ(entry->name, "nest");
  ASSERT_EQ(entry->numInputs, 1u);
  ASSERT_EQ(entry->numOutputs, 2u);
  EXPECT_STREQ(entry->inputs[0].name, "x");
  EXPECT_EQ(entry->inputs[0].dtype, NDL_DTYPE_U8);
  EXPECT_EQ(entry->inputs[0].rank, 1);
  EXPECT_EQ(entry->inputs[0].dims[0], NDL_DYNAMIC);
  EXPECT_STREQ(entry->outputs[1].name, "workers");
  EXPECT_EQ(entry->outputs[1].dtype, NDL_DTYPE_I32);

  size_t index = 0;
  EXPECT_EQ(ndl_executable_find_entry(executable.get(), "halve", &index),
            NDL_OK);
  EXPECT_EQ(index, size_t(Halve));
  EXPECT_EQ(ndl_executable_find_entry(executable.get(), "main", &index),
            NDL_NOT_FOUND);
  EXPECT_STREQ(ndl_last_error(),
               "there is no entry 'main'; the artifact has: 'affine', 'add', "
               "'nest', 'halve', 'wrong', 'fill'");
}

TEST(Executable, DescribesQuantization) {
  ArtifactModel model = makeSmallModel();
  model.bodies[0].architecture = hostCpu().architecture;
  model.bodies[0].features = 0;
  std::vector<uint8_t> bytes = bytesOf(model);
  NdlExecutable *raw = nullptr;
  ASSERT_EQ(ndl_executable_load_memory(nullptr, bytes.data(), bytes.size(),
                                       nullptr, &raw),
            NDL_OK);
  ExecutablePtr executable(raw);
  const NdlEntryInfo *entry = ndl_executable_entry(raw, 0);
  const NdlTensorInfo &input = entry->inputs[0], &output = entry->outputs[0];
  EXPECT_EQ(input.quantization, NDL_QUANTIZATION_PER_TENSOR);
  ASSERT_EQ(input.numParams, 1u);
  EXPECT_EQ(input.scales[0], 0.5f);
  EXPECT_EQ(input.zeroPoints[0], 128);
  EXPECT_EQ(input.storageMax, 255);
  EXPECT_EQ(output.quantization, NDL_QUANTIZATION_PER_AXIS);
  EXPECT_EQ(output.axis, 1);
  ASSERT_EQ(output.numParams, 2u);
  EXPECT_EQ(output.scales[1], 2.0f);
  EXPECT_EQ(output.storageMin, -127);
}

TEST(Executable, DescribesBodiesAndSteps) {
  ExecutablePtr executable = loadModel();
  ASSERT_EQ(ndl_executable_body_count(executable.get()), 4u);
  EXPECT_EQ(ndl_executable_body(executable.get(), 4), nullptr);
  EXPECT_EQ(ndl_executable_chosen_body(executable.get()), 1u);
  EXPECT_STREQ(ndl_executable_target(executable.get()), "fast");
  const NdlBodyInfo *fast = ndl_executable_body(executable.get(), 1);
  EXPECT_STREQ(fast->missing, "");
  EXPECT_GT(fast->codeBytes, 100u);
  EXPECT_EQ(fast->weightBytes, 16u);
  const NdlBodyInfo *alien = ndl_executable_body(executable.get(), 2);
  EXPECT_NE(std::string(alien->missing).find("CPU"), std::string::npos);
  EXPECT_STREQ(ndl_executable_body(executable.get(), 3)->missing,
               "bit 62, bit 63");

  ASSERT_EQ(ndl_executable_step_count(executable.get(), Affine), 2u);
  EXPECT_EQ(ndl_executable_step_count(executable.get(), Halve), 0u);
  EXPECT_EQ(ndl_executable_step_count(executable.get(), 99), 0u);
  EXPECT_EQ(ndl_executable_step(executable.get(), Affine, 2), nullptr);
  const NdlStepInfo *step = ndl_executable_step(executable.get(), Affine, 1);
  EXPECT_STREQ(step->kernel, "bias_fast");
  EXPECT_STREQ(step->op, "needle.add");
  EXPECT_STREQ(step->location, "model.py:4");
  EXPECT_STREQ(step->note, "only choice");
  EXPECT_STREQ(step->target, "fast");
  EXPECT_EQ(step->macs, -1);

  EXPECT_STREQ(ndl_executable_metadata(executable.get(), "producer"),
               "needle tests");
  EXPECT_STREQ(ndl_executable_metadata(executable.get(), "license"), "none");
  EXPECT_EQ(ndl_executable_metadata(executable.get(), "none"), nullptr);
  EXPECT_EQ(ndl_executable_size(executable.get()), bytesOf(makeModel()).size());
  EXPECT_EQ(ndl_executable_threads(executable.get()), 2);
}

TEST(Executable, TargetIsChosenByOptionOrVariable) {
  EXPECT_STREQ(ndl_executable_target(loadModel(1, "base").get()), "base");
  ScopedVariable variable("NEEDLE_ISA", "base");
  EXPECT_STREQ(ndl_executable_target(loadModel(1).get()), "base");
  EXPECT_STREQ(ndl_executable_target(loadModel(1, "fast").get()), "fast");
}

TEST(Executable, RefusesTargetsThatCannotRun) {
  std::vector<uint8_t> bytes = bytesOf(makeModel());
  EXPECT_EQ(loadError(bytes, "avx9", NDL_INVALID_ARGUMENT),
            "the artifact has no body for target 'avx9' (asked for by the "
            "caller); it has: 'base', 'fast', 'alien', 'future'");
  ScopedVariable variable("NEEDLE_ISA", "future");
  std::string error = loadError(bytes, nullptr, NDL_UNSUPPORTED_CPU);
  EXPECT_EQ(error.find("target 'future' (set by NEEDLE_ISA) needs bit 62, bit "
                       "63, but this CPU is "),
            0u)
      << error;
}

TEST(Executable, RefusesArtifactsForOtherCpus) {
  ArtifactModel model = makeModel();
  model.bodies.erase(model.bodies.begin(), model.bodies.begin() + 2);
  std::string error = loadError(bytesOf(model), nullptr, NDL_UNSUPPORTED_CPU);
  EXPECT_NE(error.find("'future' needs bit 62, bit 63"), std::string::npos)
      << error;
  model.bodies.clear();
  error = loadError(bytesOf(model), nullptr, NDL_UNSUPPORTED_CPU);
  EXPECT_NE(error.find("it has none at all"), std::string::npos) << error;
}

TEST(Executable, InspectsWhatCannotRun) {
  TemporaryDirectory directory;
  std::string path = directory.file("m.ndl");
  ArtifactModel model = makeModel();
  model.bodies.erase(model.bodies.begin(), model.bodies.begin() + 2);
  std::vector<uint8_t> bytes = bytesOf(model);
  ASSERT_EQ(writeFileAtomically(path, bytes.data(), bytes.size()), "");
  NdlExecutable *raw = nullptr;
  ASSERT_EQ(ndl_executable_inspect_file(path.c_str(), &raw), NDL_OK);
  ExecutablePtr executable(raw);
  EXPECT_EQ(ndl_executable_body_count(raw), 2u);
  EXPECT_EQ(ndl_executable_chosen_body(raw), 2u);
  EXPECT_STREQ(ndl_executable_body(raw, 1)->missing, "bit 62, bit 63");
  EXPECT_STREQ(ndl_executable_target(raw), "");
  EXPECT_EQ(ndl_executable_threads(raw), 0);
  EXPECT_STREQ(ndl_executable_entry(raw, Affine)->name, "affine");
  EXPECT_EQ(ndl_executable_step_count(raw, Affine), 0u);
  EXPECT_STREQ(ndl_executable_kernel_name(raw, 0), "add_body");

  const char *refusal =
      "the artifact was read to be described: none of its code is loaded";
  NdlTask kernel = nullptr;
  EXPECT_EQ(ndl_executable_find_kernel(raw, "add_body", &kernel),
            NDL_UNSUPPORTED_CPU);
  EXPECT_STREQ(ndl_last_error(), refusal);
  EXPECT_EQ(ndl_executable_invoke(raw, Halve, nullptr, 0, nullptr, 0),
            NDL_UNSUPPORTED_CPU);
  EXPECT_EQ(ndl_executable_output_shapes(raw, Halve, nullptr, 0, nullptr, 0),
            NDL_UNSUPPORTED_CPU);
  EXPECT_STREQ(ndl_last_error(), refusal);
  NdlStepStats stats;
  EXPECT_EQ(ndl_executable_step_stats(raw, Affine, 0, &stats), NDL_NOT_FOUND);
  ndl_executable_reset_stats(raw);
  ndl_executable_release_memory(raw);

  EXPECT_EQ(ndl_executable_inspect_file("none", &raw), NDL_NOT_FOUND);
  EXPECT_EQ(ndl_executable_inspect_file(nullptr, &raw), NDL_INVALID_ARGUMENT);
}

TEST(Executable, LoadsAndRefusesFiles) {
  TemporaryDirectory directory;
  std::string path = directory.file("m.ndl");
  std::vector<uint8_t> bytes = bytesOf(makeModel());
  ASSERT_EQ(writeFileAtomically(path, bytes.data(), bytes.size()), "");
  NdlExecutable *executable = nullptr;
  ASSERT_EQ(
      ndl_executable_load_file(nullptr, path.c_str(), nullptr, &executable),
      NDL_OK)
      << ndl_last_error();
  EXPECT_STREQ(ndl_executable_target(executable), "fast");
  ndl_executable_destroy(executable);

  auto refuse = [&](const std::string &path, NdlStatus expected) {
    executable = nullptr;
    EXPECT_EQ(
        ndl_executable_load_file(nullptr, path.c_str(), nullptr, &executable),
        expected);
    EXPECT_EQ(executable, nullptr);
    return std::string(ndl_last_error());
  };
  std::string missing = directory.file("none");
  EXPECT_EQ(refuse(missing, NDL_NOT_FOUND),
            "'" + missing + "': cannot read: No such file or directory");
  EXPECT_EQ(refuse(directory.path, NDL_IO_ERROR),
            "'" + directory.path + "': cannot read: not a regular file");
  ASSERT_EQ(writeFileAtomically(path, bytes.data(), bytes.size() / 2), "");
  EXPECT_NE(refuse(path, NDL_CORRUPT_ARTIFACT).find("truncated artifact"),
            std::string::npos);
  ASSERT_EQ(writeFileAtomically(path, "", 0), "");
  EXPECT_EQ(refuse(path, NDL_CORRUPT_ARTIFACT),
            "'" + path + "': not a needle artifact");
}

TEST(Executable, BorrowsAlignedMemory) {
  std::vector<uint8_t> bytes = bytesOf(makeModel());
  std::vector<uint8_t> room(bytes.size() + 128);
  uint8_t *aligned = room.data();
  while (reinterpret_cast<uintptr_t>(aligned) % 64)
    ++aligned;
  std::memcpy(aligned, bytes.data(), bytes.size());
  NdlLoadOptions options = NDL_LOAD_OPTIONS_INIT;
  options.borrow = 1;
  NdlExecutable *raw = nullptr;
  ASSERT_EQ(ndl_executable_load_memory(nullptr, aligned, bytes.size(), &options,
                                       &raw),
            NDL_OK)
      << ndl_last_error();
  ExecutablePtr executable(raw);
  auto *name =
      reinterpret_cast<const uint8_t *>(ndl_executable_entry(raw, 0)->name);
  EXPECT_TRUE(name > aligned && name < aligned + bytes.size());
  raw = nullptr;
  EXPECT_EQ(ndl_executable_load_memory(nullptr, aligned + 8, bytes.size(),
                                       &options, &raw),
            NDL_INVALID_ARGUMENT);
  EXPECT_STREQ(ndl_last_error(), "borrowed memory is not aligned to 64 bytes");
}

TEST(Executable, CopiesUnalignedMemory) {
  std::vector<uint8_t> bytes = bytesOf(makeModel());
  bytes.insert(bytes.begin(), 0);
  NdlExecutable *executable = nullptr;
  EXPECT_EQ(ndl_executable_load_memory(nullptr, bytes.data() + 1,
                                       bytes.size() - 1, nullptr, &executable),
            NDL_OK)
      << ndl_last_error();
  bytes.assign(bytes.size(), 0xff);
  EXPECT_STREQ(ndl_executable_entry(executable, 0)->name, "affine");
  ndl_executable_destroy(executable);
}

TEST(Executable, ChecksArguments) {
  EXPECT_EQ(ndl_runtime_create(nullptr, nullptr), NDL_INVALID_ARGUMENT);
  NdlRuntime *runtime = nullptr;
  NdlRuntimeOptions options = NDL_RUNTIME_OPTIONS_INIT;
  options.structSize = 3;
  EXPECT_EQ(ndl_runtime_create(&options, &runtime), NDL_INVALID_ARGUMENT);
  options = NDL_RUNTIME_OPTIONS_INIT;
  options.threads = -3;
  EXPECT_EQ(ndl_runtime_create(&options, &runtime), NDL_INVALID_ARGUMENT);
  options = NDL_RUNTIME_OPTIONS_INIT;
  options.device = {NDL_DEVICE_CUDA, 0};
  EXPECT_EQ(ndl_runtime_create(&options, &runtime), NDL_NOT_FOUND);
  EXPECT_EQ(runtime, nullptr);
  ndl_runtime_destroy(nullptr);
  ndl_executable_destroy(nullptr);
  NdlExecutable *executable = nullptr;
  EXPECT_EQ(
      ndl_executable_load_memory(nullptr, nullptr, 5, nullptr, &executable),
      NDL_INVALID_ARGUMENT);
  EXPECT_EQ(
      ndl_executable_load_memory(nullptr, nullptr, 0, nullptr, &executable),
      NDL_CORRUPT_ARTIFACT);
}

TEST(Types, HaveNamesAndSizes) {
  EXPECT_STREQ(ndl_dtype_name(NDL_DTYPE_BF16), "bf16");
  EXPECT_STREQ(ndl_dtype_name(static_cast<NdlDType>(99)), "invalid");
  EXPECT_EQ(ndl_dtype_bits(NDL_DTYPE_U4), 4);
  EXPECT_EQ(ndl_dtype_bits(NDL_DTYPE_F64), 64);
  EXPECT_EQ(ndl_dtype_bits(static_cast<NdlDType>(99)), 0);
}

} // namespace
} // namespace ndl::test

// Kernels that an artifact exports, called directly.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestArtifact.h"

#include "float_environment.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <utility>

namespace ndl::test {
namespace {

std::string findError(const NdlExecutable *executable, const char *name) {
  NdlTask kernel = nullptr;
  EXPECT_EQ(ndl_executable_find_kernel(executable, name, &kernel),
            NDL_NOT_FOUND);
  EXPECT_EQ(kernel, nullptr);
  return ndl_last_error();
}

TEST(Kernel, AreListed) {
  ExecutablePtr executable = loadModel();
  ASSERT_EQ(ndl_executable_kernel_count(executable.get()), 2u);
  EXPECT_STREQ(ndl_executable_kernel_name(executable.get(), 0), "add_body");
  EXPECT_STREQ(ndl_executable_kernel_name(executable.get(), 1), "halves");
  EXPECT_EQ(ndl_executable_kernel_name(executable.get(), 2), nullptr);
}

TEST(Kernel, RunsTheOneOfTheBodyInUse) {
  for (int64_t body : {1, 2}) {
    RuntimePtr runtime = makeRuntime(3);
    ExecutablePtr executable = loadModel(1, body == 1 ? "base" : "fast");
    NdlTask kernel = nullptr;
    ASSERT_EQ(ndl_executable_find_kernel(executable.get(), "add_body", &kernel),
              NDL_OK)
        << ndl_last_error();
    for (int64_t count : {0, 1, 2, 1000}) {
      std::vector<int64_t> values(1001, 5);
      ASSERT_EQ(
          ndl_runtime_parallel_for(runtime.get(), kernel, values.data(), count),
          NDL_OK);
      for (int64_t i = 0; i < 1001; ++i)
        ASSERT_EQ(values[i], i < count ? 5 + body : 5) << i;
    }
  }
}

TEST(Kernel, LiesWhereItsOwnBodySays) {
  ArtifactModel model = makeModel();
  for (BodyModel &body : model.bodies)
    if (body.target == "fast")
      std::swap(body.kernelOffsets[0], body.kernelOffsets[1]);
  std::vector<uint8_t> bytes = bytesOf(model);
  NdlExecutable *loaded = nullptr;
  ASSERT_EQ(ndl_executable_load_memory(nullptr, bytes.data(), bytes.size(),
                                       nullptr, &loaded),
            NDL_OK);
  ExecutablePtr executable(loaded);
  EXPECT_STREQ(ndl_executable_target(loaded), "fast");
  NdlTask kernel = nullptr;
  ASSERT_EQ(ndl_executable_find_kernel(loaded, "halves", &kernel), NDL_OK);
  int64_t value = 5;
  ASSERT_EQ(ndl_runtime_parallel_for(nullptr, kernel, &value, 1), NDL_OK);
  EXPECT_EQ(value, 7);
}

TEST(Kernel, RunsInTheDefaultFloatEnvironment) {
  ExecutablePtr executable = loadModel();
  NdlTask kernel = nullptr;
  ASSERT_EQ(ndl_executable_find_kernel(executable.get(), "halves", &kernel),
            NDL_OK);
  std::vector<float> x(100, std::numeric_limits<float>::min());
  std::vector<float> y(100);
  float *arrays[] = {x.data(), y.data()};
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040); // flush and ignore denormal numbers
#endif
  for (int32_t threads : {1, 3}) {
    RuntimePtr runtime = makeRuntime(threads);
    std::fill(y.begin(), y.end(), 0.0f);
    NdlStatus status =
        ndl_runtime_parallel_for(runtime.get(), kernel, arrays, 100);
    // Compared as bits: this thread still ignores denormal numbers.
    uint32_t bits;
    std::memcpy(&bits, &y[99], sizeof bits);
    EXPECT_EQ(status, NDL_OK);
    EXPECT_EQ(bits, 0x00400000u) << threads;
  }
#if defined(__x86_64__)
  EXPECT_EQ(_mm_getcsr() & 0x8040u, 0x8040u);
  _mm_setcsr(_mm_getcsr() & ~0x8040u);
#endif
}

TEST(Kernel, UnknownNamesGetSuggestions) {
  ExecutablePtr executable = loadModel();
  EXPECT_EQ(findError(executable.get(), "halve"),
            "there is no kernel 'halve'; did you mean 'halves'?");
  EXPECT_EQ(findError(executable.get(), "conv2d"),
            "there is no kernel 'conv2d'; the artifact has 2 others");
  NdlTask kernel;
  EXPECT_EQ(ndl_executable_find_kernel(executable.get(), nullptr, &kernel),
            NDL_INVALID_ARGUMENT);
  EXPECT_EQ(ndl_executable_find_kernel(executable.get(), "halves", nullptr),
            NDL_INVALID_ARGUMENT);
}

TEST(Kernel, ArtifactsMayHaveNoEntries) {
  ArtifactModel model = makeModel();
  model.entries.clear();
  for (BodyModel &body : model.bodies)
    body.functions.clear();
  std::vector<uint8_t> bytes = bytesOf(model);
  NdlExecutable *loaded = nullptr;
  ASSERT_EQ(ndl_executable_load_memory(nullptr, bytes.data(), bytes.size(),
                                       nullptr, &loaded),
            NDL_OK)
      << ndl_last_error();
  ExecutablePtr executable(loaded);
  EXPECT_EQ(ndl_executable_entry_count(loaded), 0u);
  EXPECT_EQ(ndl_executable_kernel_count(loaded), 2u);
  size_t index;
  EXPECT_EQ(ndl_executable_find_entry(loaded, "main", &index), NDL_NOT_FOUND);
}

TEST(Kernel, OrNoKernels) {
  ArtifactModel model = makeModel();
  model.kernels.clear();
  for (BodyModel &body : model.bodies)
    body.kernelOffsets.clear();
  std::vector<uint8_t> bytes = bytesOf(model);
  NdlExecutable *loaded = nullptr;
  ASSERT_EQ(ndl_executable_load_memory(nullptr, bytes.data(), bytes.size(),
                                       nullptr, &loaded),
            NDL_OK);
  ExecutablePtr executable(loaded);
  EXPECT_EQ(ndl_executable_kernel_count(loaded), 0u);
  EXPECT_EQ(findError(loaded, "halves"),
            "there is no kernel 'halves'; the artifact has none");
}

TEST(ParallelFor, RunsOnTheSharedRuntimeByDefault) {
  std::atomic<int64_t> sum{0};
  auto add = [](void *context, int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i)
      static_cast<std::atomic<int64_t> *>(context)->fetch_add(i);
  };
  EXPECT_EQ(ndl_runtime_parallel_for(nullptr, add, &sum, 1000), NDL_OK);
  EXPECT_EQ(sum, 999 * 1000 / 2);
  EXPECT_EQ(ndl_runtime_parallel_for(nullptr, add, &sum, -1), NDL_OK);
  EXPECT_EQ(ndl_runtime_parallel_for(nullptr, nullptr, &sum, 1),
            NDL_INVALID_ARGUMENT);
}

} // namespace
} // namespace ndl::test

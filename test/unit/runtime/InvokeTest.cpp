// Running code: results, layouts of tensors, errors, several threads at once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "AllocationCount.h"
#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ndl::test {
namespace {

using Shape = std::vector<int64_t>;

/// 0, 1, 2, …
std::vector<float> iota(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(i);
  return values;
}

TEST(Invoke, RunsTheBodyThatWasChosen) {
  for (const auto &[target, body] : {std::pair("base", 1), {"fast", 2}})
    for (int32_t threads : {1, 2, 5}) {
      ExecutablePtr executable = loadModel(threads, target);
      for (int64_t rows : {1, 2, 3, 100}) {
        std::vector<float> x = iota(rows * 4), y(rows * 4);
        Shape shape = {rows, 4};
        ASSERT_EQ(invoke(executable.get(), Affine, {tensor(x.data(), shape)},
                         {tensor(y.data(), shape)}),
                  NDL_OK)
            << ndl_last_error();
        for (int64_t i = 0; i < rows * 4; ++i)
          EXPECT_EQ(y[i], affine(x[i], i % 4, body));
      }
      NdlStepStats stats;
      ASSERT_EQ(ndl_executable_step_stats(executable.get(), Affine, 0, &stats),
                NDL_OK);
      EXPECT_EQ(stats.calls, 4);
      EXPECT_EQ(ndl_executable_step(executable.get(), Affine, 0)->kernel,
                std::string("double_") + target);
    }
}

TEST(Invoke, RunsWithoutInputs) {
  ExecutablePtr executable = loadModel();
  double y = 0;
  EXPECT_EQ(invoke(executable.get(), Fill, {}, {tensor(&y, {})}), NDL_OK)
      << ndl_last_error();
  EXPECT_EQ(y, 42);
}

TEST(Invoke, NestedLoopsKeepTheirWorker) {
  ExecutablePtr executable = loadModel(3);
  std::vector<uint8_t> x(50);
  std::vector<int32_t> hits(50, -1), workers(50, -1);
  Shape shape = {50};
  ASSERT_EQ(invoke(executable.get(), Nest, {tensor(x.data(), shape)},
                   {tensor(hits.data(), shape), tensor(workers.data(), shape)}),
            NDL_OK);
  EXPECT_EQ(hits, std::vector<int32_t>(50, 3));
  EXPECT_EQ(workers, std::vector<int32_t>(50, 0));
}

TEST(Invoke, ZeroSizedTensorsAreFine) {
  ExecutablePtr executable = loadModel();
  Shape shape = {0, 4};
  EXPECT_EQ(invoke(executable.get(), Affine, {tensor<float>(nullptr, shape)},
                   {tensor<float>(nullptr, shape)}),
            NDL_OK)
      << ndl_last_error();
  int32_t c;
  // The same memory twice is no overlap without elements.
  Shape none = {0};
  EXPECT_EQ(invoke(executable.get(), Add, {tensor(&c, none), tensor(&c, none)},
                   {tensor(&c, none)}),
            NDL_OK)
      << ndl_last_error();
}

TEST(Invoke, PacksStridedInputs) {
  ExecutablePtr executable = loadModel();
  std::vector<float> memory = iota(64);
  struct Case {
    const char *name;
    int64_t rows, offset;
    int64_t strides[2];
  };
  const Case cases[] = {
      {"transposed", 5, 0, {1, 5}},     {"reversed", 5, 19, {-4, -1}},
      {"broadcast rows", 5, 0, {0, 1}}, {"broadcast all", 5, 7, {0, 0}},
      {"every other", 5, 1, {8, 2}},    {"padded rows", 5, 0, {6, 1}},
      {"one row", 1, 0, {1000000, 1}},  {"contiguous", 5, 0, {4, 1}},
      {"mixed signs", 5, 3, {5, -1}},
  };
  for (const Case &c : cases) {
    Shape shape = {c.rows, 4};
    std::vector<float> y(c.rows * 4);
    ASSERT_EQ(invoke(executable.get(), Affine,
                     {tensor(memory.data() + c.offset, shape, c.strides)},
                     {tensor(y.data(), shape)}),
              NDL_OK)
        << c.name << ": " << ndl_last_error();
    for (int64_t row = 0; row < c.rows; ++row)
      for (int64_t column = 0; column < 4; ++column)
        EXPECT_EQ(
            y[row * 4 + column],
            affine(
                memory[c.offset + row * c.strides[0] + column * c.strides[1]],
                column, 2))
            << c.name;
  }
}

TEST(Invoke, PacksUnalignedInputs) {
  ExecutablePtr executable = loadModel();
  std::vector<float> x = iota(9), y(8);
  auto *bytes = reinterpret_cast<uint8_t *>(x.data());
  std::vector<float> expected = iota(8);
  std::memcpy(bytes + 1, expected.data(), 32);
  Shape shape = {2, 4};
  ASSERT_EQ(invoke(executable.get(), Affine,
                   {tensor(reinterpret_cast<float *>(bytes + 1), shape)},
                   {tensor(y.data(), shape)}),
            NDL_OK)
      << ndl_last_error();
  for (int64_t i = 0; i < 8; ++i)
    EXPECT_EQ(y[i], affine(expected[i], i % 4, 2));
}

TEST(Invoke, SameInputTwiceIsFine) {
  ExecutablePtr executable = loadModel();
  std::vector<int32_t> a = {1, 2, 3}, c(3);
  Shape shape = {3};
  ASSERT_EQ(invoke(executable.get(), Add,
                   {tensor(a.data(), shape), tensor(a.data(), shape)},
                   {tensor(c.data(), shape)}),
            NDL_OK);
  EXPECT_EQ(c, (std::vector<int32_t>{2, 4, 6}));
}

TEST(Invoke, ReportsOutputShapes) {
  ExecutablePtr executable = loadModel();
  Shape shape = {7, 4};
  NdlTensor x = tensor<float>(nullptr, shape);
  int64_t dims[2] = {-1, -1};
  EXPECT_EQ(
      ndl_executable_output_shapes(executable.get(), Affine, &x, 1, dims, 2),
      NDL_OK)
      << ndl_last_error();
  EXPECT_EQ(dims[0], 7);
  EXPECT_EQ(dims[1], 4);
  EXPECT_EQ(
      ndl_executable_output_shapes(executable.get(), Affine, &x, 1, dims, 1),
      NDL_INVALID_ARGUMENT);
  EXPECT_STREQ(ndl_last_error(),
               "room for 1 dimensions, but the outputs have 2");
}

TEST(Invoke, AllocatesNothingOnceWarm) {
  // One thread, whose allocations are counted.
  ExecutablePtr executable = loadModel(1);
  std::vector<float> x = iota(400), y(400);
  Shape large = {100, 4}, small = {3, 4};
  int64_t transposed[] = {1, 100}, transposedSmall[] = {1, 3};
  std::vector<NdlTensor> in = {tensor(x.data(), large, transposed)};
  std::vector<NdlTensor> out = {tensor(y.data(), large)};
  std::vector<NdlTensor> smallIn = {tensor(x.data(), small, transposedSmall)};
  std::vector<NdlTensor> smallOut = {tensor(y.data(), small)};
  int64_t before = allocationCount();
  ASSERT_EQ(invoke(executable.get(), Affine, in, out), NDL_OK);
  EXPECT_GE(allocationCount() - before, 3) << "the count does not work";
  before = allocationCount();
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(ndl_executable_invoke(executable.get(), Affine, in.data(), 1,
                                    out.data(), 1),
              NDL_OK);
    ASSERT_EQ(ndl_executable_invoke(executable.get(), Affine, smallIn.data(), 1,
                                    smallOut.data(), 1),
              NDL_OK);
  }
  EXPECT_EQ(allocationCount() - before, 0);
  ndl_executable_release_memory(executable.get());
  before = allocationCount();
  ASSERT_EQ(invoke(executable.get(), Affine, in, out), NDL_OK);
  EXPECT_GE(allocationCount() - before, 3);
}

TEST(Invoke, ManyThreadsShareAnExecutable) {
  ExecutablePtr executable = loadModel(3);
  constexpr int threads = 8, rounds = 50;
  std::atomic<int> failures{0};
  std::vector<std::thread> callers;
  callers.reserve(threads);
  for (int caller = 0; caller < threads; ++caller)
    callers.emplace_back([&, caller] {
      for (int round = 0; round < rounds; ++round) {
        int64_t rows = 1 + (caller * 31 + round * 7) % 90;
        std::vector<float> x = iota(rows * 4), y(rows * 4);
        for (float &value : x)
          value += static_cast<float>(caller);
        Shape shape = {rows, 4};
        int64_t transposed[] = {1, rows};
        bool strided = round % 3 == 0;
        if (invoke(executable.get(), Affine,
                   {tensor(x.data(), shape, strided ? transposed : nullptr)},
                   {tensor(y.data(), shape)}) != NDL_OK)
          ++failures;
        for (int64_t i = 0; i < rows * 4; ++i) {
          int64_t from = strided ? i / 4 + i % 4 * rows : i;
          failures += y[i] != affine(x[from], i % 4, 2);
        }
        // Errors of other threads do not mix with this one's.
        std::string name = std::to_string(caller);
        size_t index;
        ndl_executable_find_entry(executable.get(), name.c_str(), &index);
        failures += std::string(ndl_last_error()).find("'" + name + "'") ==
                    std::string::npos;
      }
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(failures.load(), 0);
  NdlStepStats stats;
  ASSERT_EQ(ndl_executable_step_stats(executable.get(), Affine, 1, &stats),
            NDL_OK);
  EXPECT_EQ(stats.calls, threads * rounds);
}

TEST(Invoke, ExecutableOutlivesItsRuntime) {
  // loadModel destroys the runtime before it returns.
  ExecutablePtr executable = loadModel(3);
  std::vector<float> x = iota(4), y(4);
  Shape shape = {1, 4};
  EXPECT_EQ(invoke(executable.get(), Affine, {tensor(x.data(), shape)},
                   {tensor(y.data(), shape)}),
            NDL_OK);
}

TEST(Invoke, WorksInAForkedChild) {
  ExecutablePtr executable = loadModel(3);
  std::vector<float> x = iota(400), y(400);
  Shape shape = {100, 4};
  auto works = [&] {
    y.assign(400, 0);
    return invoke(executable.get(), Affine, {tensor(x.data(), shape)},
                  {tensor(y.data(), shape)}) == NDL_OK &&
           y[399] == affine(399, 3, 2);
  };
  ASSERT_TRUE(works());
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(60);
    _exit(works() ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(works());
}

#if defined(__x86_64__)
TEST(Invoke, HonoursDenormalsWhateverTheCallerSet) {
  // Denormals are zero, are flushed to zero, rounding is upwards.
  constexpr unsigned hostile = 0x1f80 | 0x8000 | 0x0040 | 0x4000;
  unsigned saved = _mm_getcsr();
  // The workers start now and inherit the setting.
  _mm_setcsr(hostile);
  ExecutablePtr executable = loadModel(4);
  std::vector<float> x(1000, 1e-39f), y(1000);
  // Half of the smallest denormal rounds to even: to zero.
  x[0] = std::numeric_limits<float>::denorm_min();
  Shape shape = {1000};
  NdlStatus status = NDL_OK;
  unsigned after = 0;
  for (int round = 0; round < 20 && status == NDL_OK; ++round) {
    status = invoke(executable.get(), Halve, {tensor(x.data(), shape)},
                    {tensor(y.data(), shape)});
    after |= _mm_getcsr();
  }
  _mm_setcsr(saved);
  ASSERT_EQ(status, NDL_OK) << ndl_last_error();
  EXPECT_EQ(after & ~0x3fu, hostile);
  EXPECT_EQ(y[0], 0);
  for (size_t i = 1; i < y.size(); ++i)
    EXPECT_EQ(y[i], 1e-39f / 2) << i;
}
#endif

} // namespace
} // namespace ndl::test

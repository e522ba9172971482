// Counters and times of steps.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestArtifact.h"

#include <gtest/gtest.h>

namespace ndl::test {
namespace {

class Profile : public testing::Test {
protected:
  void run(int times) {
    std::vector<float> x(400, 1), y(400);
    std::vector<int64_t> shape = {100, 4};
    for (int i = 0; i < times; ++i)
      ASSERT_EQ(invoke(executable.get(), Affine, {tensor(x.data(), shape)},
                       {tensor(y.data(), shape)}),
                NDL_OK);
  }
  NdlStepStats stats(size_t entry, size_t step) {
    NdlStepStats result;
    EXPECT_EQ(ndl_executable_step_stats(executable.get(), entry, step, &result),
              NDL_OK);
    return result;
  }
  ExecutablePtr executable = loadModel();
};

TEST_F(Profile, CountsCallsAlways) {
  run(3);
  for (size_t step : {0, 1}) {
    EXPECT_EQ(stats(Affine, step).calls, 3);
    EXPECT_EQ(stats(Affine, step).timedCalls, 0);
    EXPECT_EQ(stats(Affine, step).totalNs, 0);
    EXPECT_EQ(stats(Affine, step).minNs, 0);
  }
  EXPECT_EQ(stats(Add, 0).calls, 0);
}

TEST_F(Profile, TimesCallsWhenOn) {
  run(2);
  ndl_executable_set_profiling(executable.get(), 1);
  run(5);
  ndl_executable_set_profiling(executable.get(), 0);
  run(1);
  for (size_t step : {0, 1}) {
    NdlStepStats result = stats(Affine, step);
    EXPECT_EQ(result.calls, 8);
    EXPECT_EQ(result.timedCalls, 5);
    EXPECT_GT(result.minNs, 0);
    EXPECT_GE(result.totalNs, 5 * result.minNs);
  }
  ndl_executable_reset_stats(executable.get());
  EXPECT_EQ(stats(Affine, 0).calls, 0);
  EXPECT_EQ(stats(Affine, 0).timedCalls, 0);
  EXPECT_EQ(stats(Affine, 0).minNs, 0);
}

TEST_F(Profile, TimesALastStepThatDoesNotEndItself) {
  ndl_executable_set_profiling(executable.get(), 1);
  int32_t a[2] = {1, 2}, c[2];
  std::vector<int64_t> shape = {2};
  ASSERT_EQ(invoke(executable.get(), Add, {tensor(a, shape), tensor(a, shape)},
                   {tensor(c, shape)}),
            NDL_OK);
  EXPECT_EQ(stats(Add, 0).timedCalls, 1);
}

TEST_F(Profile, RefusesStepsThatDoNotExist) {
  NdlStepStats result;
  EXPECT_EQ(ndl_executable_step_stats(executable.get(), Affine, 2, &result),
            NDL_NOT_FOUND);
  EXPECT_STREQ(ndl_last_error(), "entry 0 has no step 2");
  EXPECT_EQ(ndl_executable_step_stats(executable.get(), 9, 0, &result),
            NDL_NOT_FOUND);
  EXPECT_EQ(ndl_executable_step_stats(executable.get(), Affine, 0, nullptr),
            NDL_INVALID_ARGUMENT);
}

} // namespace
} // namespace ndl::test

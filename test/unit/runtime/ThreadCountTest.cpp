// How many threads: request, environment, cgroups.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestArtifact.h"

#include "thread_count.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace ndl::test {
namespace {

/// A made-up directory of cgroup file systems.
class Cgroups : public testing::Test {
protected:
  void write(const std::string &path, const std::string &text) {
    std::filesystem::path file = directory.file(path);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << '\n';
  }
  std::optional<int32_t> limit(const std::string &membership) {
    return cgroupCpuLimit(membership, directory.path);
  }
  TemporaryDirectory directory;
};

TEST_F(Cgroups, ReadsVersion2) {
  write("app/cpu.max", "150000 100000");
  EXPECT_EQ(limit("0::/app\n"), 2);
  write("app/cpu.max", "100000 100000");
  EXPECT_EQ(limit("0::/app\n"), 1);
  write("app/cpu.max", "1000 100000");
  EXPECT_EQ(limit("0::/app\n"), 1);
  write("app/cpu.max", "max 100000");
  EXPECT_EQ(limit("0::/app\n"), std::nullopt);
}

TEST_F(Cgroups, TakesTheSmallestOfAllAncestors) {
  write("a/cpu.max", "400000 100000");
  write("a/b/cpu.max", "max 100000");
  write("a/b/c/cpu.max", "800000 100000");
  EXPECT_EQ(limit("0::/a/b/c\n"), 4);
  // In a container the group's own directory is often not visible.
  write("cpu.max", "300000 100000");
  EXPECT_EQ(limit("0::/not/visible\n"), 3);
  EXPECT_EQ(limit("0::/\n"), 3);
}

TEST_F(Cgroups, ReadsVersion1) {
  write("cpu,cpuacct/box/cpu.cfs_quota_us", "250000");
  write("cpu,cpuacct/box/cpu.cfs_period_us", "100000");
  EXPECT_EQ(limit("5:memory:/other\n4:cpu,cpuacct:/box\n0::/\n"), 3);
  write("cpu,cpuacct/box/cpu.cfs_quota_us", "-1");
  EXPECT_EQ(limit("4:cpu,cpuacct:/box\n"), std::nullopt);
  write("cpu/x/cpu.cfs_quota_us", "100000");
  write("cpu/x/cpu.cfs_period_us", "50000");
  EXPECT_EQ(limit("1:cpu:/x\n"), 2);
  EXPECT_EQ(limit("1:cpuset:/x\n"), std::nullopt);
}

TEST_F(Cgroups, ReadsTheHybridLayout) {
  write("unified/box/cpu.max", "200000 100000");
  EXPECT_EQ(limit("0::/box\n"), 2);
}

TEST_F(Cgroups, IgnoresWhatItCannotRead) {
  EXPECT_EQ(limit(""), std::nullopt);
  EXPECT_EQ(limit("nonsense\n:::\n0::\n"), std::nullopt);
  write("app/cpu.max", "-5 0");
  EXPECT_EQ(limit("0::/app\n"), std::nullopt);
  write("app/cpu.max", "99999999999999999999 1");
  EXPECT_EQ(limit("0::/app\n"), std::nullopt);
}

TEST(ThreadCount, PrefersTheRequest) {
  ScopedVariable variable("NEEDLE_NUM_THREADS", "3");
  int32_t threads = 0;
  EXPECT_TRUE(resolveThreadCount(5, threads).ok());
  EXPECT_EQ(threads, 5);
  EXPECT_TRUE(resolveThreadCount(0, threads).ok());
  EXPECT_EQ(threads, 3);
}

TEST(ThreadCount, FallsBackToAvailableCpus) {
  ScopedVariable variable("NEEDLE_NUM_THREADS", "");
  int32_t threads = 0;
  EXPECT_TRUE(resolveThreadCount(0, threads).ok());
  EXPECT_EQ(threads, availableCpus());
  EXPECT_GE(threads, 1);
}

TEST(ThreadCount, RefusesWhatIsNoCount) {
  int32_t threads = 0;
  EXPECT_EQ(resolveThreadCount(-1, threads).code(), NDL_INVALID_ARGUMENT);
  EXPECT_EQ(resolveThreadCount(1025, threads).message(),
            "number of threads 1025 is not 0 (automatic) or 1 … 1024");
  for (const char *text :
       {"0", "-2", "two", "2x", "1025", " 2", "1e3", "99999999999999999999"}) {
    ScopedVariable variable("NEEDLE_NUM_THREADS", text);
    Status status = resolveThreadCount(0, threads);
    EXPECT_EQ(status.code(), NDL_INVALID_ARGUMENT) << text;
    EXPECT_EQ(status.message(), "NEEDLE_NUM_THREADS is '" + std::string(text) +
                                    "', but must be a number in 1 … 1024");
  }
}

} // namespace
} // namespace ndl::test

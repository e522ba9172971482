// Files are written whole or not at all.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestArtifact.h"

#include "needle-rt/atomic_file.h"

#include <gtest/gtest.h>

#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ndl::test {
namespace {

using Names = std::vector<std::string>;
const std::vector<uint8_t> hello = {'h', 'e', 'l', 'l', 'o'};

TEST(AtomicFile, WritesAndReplaces) {
  TemporaryDirectory directory;
  std::string path = directory.file("a");
  EXPECT_EQ(writeFileAtomically(path, "old text", 8), "");
  EXPECT_EQ(writeFileAtomically(path, hello.data(), hello.size()), "");
  EXPECT_EQ(readBytes(path), hello);
  EXPECT_EQ(writeFileAtomically(path, nullptr, 0), "");
  EXPECT_TRUE(readBytes(path).empty());
  EXPECT_EQ(directory.list(), Names{"a"});
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  TemporaryDirectory directory;
  {
    AtomicFile file(directory.file("a"));
    EXPECT_EQ(file.write("text", 4), "");
    EXPECT_EQ(directory.list().size(), 1u);
  }
  EXPECT_TRUE(directory.list().empty());
}

TEST(AtomicFile, KeepsTheOldFileUntilCommit) {
  TemporaryDirectory directory;
  std::string path = directory.file("a");
  EXPECT_EQ(writeFileAtomically(path, hello.data(), hello.size()), "");
  AtomicFile file(path);
  EXPECT_EQ(file.write("new", 3), "");
  EXPECT_EQ(readBytes(path), hello);
  EXPECT_EQ(file.commit(), "");
  EXPECT_EQ(readBytes(path), (std::vector<uint8_t>{'n', 'e', 'w'}));
}

TEST(AtomicFile, NamesPathAndReason) {
  TemporaryDirectory directory;
  std::string missing = directory.file("none/a");
  EXPECT_EQ(writeFileAtomically(missing, "x", 1),
            "cannot write '" + missing + "': No such file or directory");
  EXPECT_EQ(writeFileAtomically(directory.path, "x", 1),
            "cannot write '" + directory.path +
                "': it exists and is not a regular file");
  EXPECT_EQ(writeFileAtomically("/dev/null", "x", 1),
            "cannot write '/dev/null': it exists and is not a regular file");
  EXPECT_TRUE(directory.list().empty());
}

TEST(AtomicFile, ReportsAFullDisk) {
  // /dev/full refuses every byte; the temporary file cannot be led there, so
  // the limit on file sizes stands in for a full disk.
  TemporaryDirectory directory;
  pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    rlimit limit = {4, 4};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::string error =
        writeFileAtomically(directory.file("a"), hello.data(), hello.size());
    bool right = error.find("File too large") != std::string::npos;
    _exit(right ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(directory.list().empty());
}

TEST(AtomicFile, HonoursTheUmask) {
  TemporaryDirectory directory;
  mode_t old = umask(027);
  EXPECT_EQ(writeFileAtomically(directory.file("a"), "x", 1), "");
  umask(old);
  struct stat info;
  ASSERT_EQ(stat(directory.file("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

} // namespace
} // namespace ndl::test

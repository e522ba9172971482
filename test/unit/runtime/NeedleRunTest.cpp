// The command-line tool, as a user calls it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "NpyFile.h"
#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include <sys/wait.h>

namespace ndl::test {
namespace {

using needle::run::NpyArray;

class NeedleRun : public testing::Test {
protected:
  NeedleRun() {
    std::vector<uint8_t> bytes = bytesOf(makeModel());
    EXPECT_EQ(writeFileAtomically(model, bytes.data(), bytes.size()), "");
    NpyArray x{NDL_DTYPE_F32, {2, 4}, false, {}};
    x.data.resize(32);
    writeArray("x.npy", x);
    writeArray("u8.npy", {NDL_DTYPE_U8, {5}, false, {1, 2, 3, 4, 5}});
  }

  void writeArray(const std::string &name, const NpyArray &array) {
    std::vector<uint8_t> bytes = needle::run::formatNpy(array);
    EXPECT_EQ(
        writeFileAtomically(directory.file(name), bytes.data(), bytes.size()),
        "");
  }

  /// Runs a shell command in the directory of the files; its output, with the
  /// exit code in `code`.
  std::string shell(const std::string &command) {
    std::string line = "cd '" + directory.path + "' && " + command + " 2>&1";
    FILE *pipe = popen(line.c_str(), "r");
    std::string output;
    std::array<char, 4096> buffer;
    while (size_t size = fread(buffer.data(), 1, buffer.size(), pipe))
      output.append(buffer.data(), size);
    int status = pclose(pipe);
    code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return output;
  }
  std::string run(const std::string &arguments) {
    return shell("'" NEEDLE_RUN_PATH "' " + arguments);
  }

  void expectContains(const std::string &text, const std::string &part) {
    EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in:\n"
                                                  << text;
  }

  TemporaryDirectory directory;
  std::string model = directory.file("m.ndl");
  int code = -1;
};

TEST_F(NeedleRun, RunsAndWrites) {
  std::string output = run("m.ndl --entry affine --input x=x.npy --output "
                           "y=y.npy --threads 2 --repeat 3 --profile");
  EXPECT_EQ(code, 0) << output;
  expectContains(output, "entry affine on target fast with 2 threads");
  expectContains(output, "output y: f32[2x4] -> y.npy");
  expectContains(output, "min of 3 runs");
  expectContains(output, "bias_fast (fast) needle.add model.py:4");
  NpyArray y;
  ASSERT_EQ(needle::run::readNpy(directory.file("y.npy"), y), "");
  EXPECT_EQ(y.shape, (std::vector<int64_t>{2, 4}));
  const auto *values = reinterpret_cast<const float *>(y.data.data());
  for (int64_t i = 0; i < 8; ++i)
    EXPECT_EQ(values[i], affine(0, i % 4, 2));
}

TEST_F(NeedleRun, ForcesATarget) {
  expectContains(run("m.ndl --entry affine --input 0=x.npy --isa base"),
                 "on target base");
  EXPECT_EQ(code, 0);
  expectContains(shell("NEEDLE_ISA=base '" NEEDLE_RUN_PATH
                       "' m.ndl --entry affine --input 0=x.npy"),
                 "on target base");
  EXPECT_EQ(run("m.ndl --info --isa avx9"),
            "needle-run: error: 'm.ndl': the artifact has no body for target "
            "'avx9' (asked for by the caller); it has: 'base', 'fast', "
            "'alien', 'future'\n");
  EXPECT_EQ(code, 1);
}

TEST_F(NeedleRun, ReadsFortranOrder) {
  // Rows 0 1 2 3 and 4 5 6 7, columns first.
  float columns[] = {0, 4, 1, 5, 2, 6, 3, 7};
  std::string header = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, "
                       "4), }";
  std::vector<uint8_t> bytes = {
      0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<uint8_t>(header.size()),
      0};
  bytes.insert(bytes.end(), header.begin(), header.end());
  const auto *data = reinterpret_cast<const uint8_t *>(columns);
  bytes.insert(bytes.end(), data, data + sizeof columns);
  ASSERT_EQ(
      writeFileAtomically(directory.file("f.npy"), bytes.data(), bytes.size()),
      "");
  run("m.ndl --entry affine --input x=f.npy --output y=y.npy");
  ASSERT_EQ(code, 0);
  NpyArray y;
  ASSERT_EQ(needle::run::readNpy(directory.file("y.npy"), y), "");
  const auto *values = reinterpret_cast<const float *>(y.data.data());
  for (int64_t i = 0; i < 8; ++i)
    EXPECT_EQ(values[i], affine(static_cast<float>(i), i % 4, 2));
}

TEST_F(NeedleRun, PrintsInfo) {
  std::string output = run("m.ndl --info");
  EXPECT_EQ(code, 0);
  expectContains(output, "by needle tests");
  expectContains(output, "; in use");
  expectContains(output, "needs bit 62, bit 63");
  expectContains(output, "entry affine");
  expectContains(output, "input  x: f32[?x4]");
  expectContains(output,
                 "step 1: bias_fast needle.add model.py:4 - only choice");
  expectContains(output, "kernel add_body\nkernel halves\n");
}

TEST_F(NeedleRun, DescribesWhatCannotRun) {
  ArtifactModel model = makeModel();
  model.bodies.erase(model.bodies.begin(), model.bodies.begin() + 2);
  std::vector<uint8_t> bytes = bytesOf(model);
  ASSERT_EQ(writeFileAtomically(directory.file("other.ndl"), bytes.data(),
                                bytes.size()),
            "");
  std::string output = run("other.ndl --info");
  EXPECT_EQ(code, 0);
  expectContains(output, "body alien: ");
  expectContains(output, "; needs bit 62, bit 63\n");
  expectContains(output, "\nno body in use: 'other.ndl': the artifact has no "
                         "body for this CPU (");
  expectContains(output, "entry affine\n  input  x: f32[?x4]");
  EXPECT_EQ(output.find("step 0"), std::string::npos) << output;
  expectContains(run("other.ndl --info --json"), "\"target\": null");
  EXPECT_EQ(code, 0);
  // The artifact has others that run here.
  output = run("m.ndl --info --isa future");
  EXPECT_EQ(code, 0);
  expectContains(output, "no body in use: 'm.ndl': target 'future' (asked for "
                         "by the caller) needs bit 62, bit 63, but this CPU");
  output = run("other.ndl --entry affine --input x=x.npy");
  EXPECT_EQ(code, 1);
  expectContains(output, "error: 'other.ndl': the artifact has no body for ");
}

TEST_F(NeedleRun, PrintsJson) {
  std::string output = run("m.ndl --info --json");
  EXPECT_EQ(code, 0);
  expectContains(output, "\"target\": \"fast\"");
  expectContains(output, "\"kernels\": [\n    \"add_body\",\n    \"halves\"");
  expectContains(output, "\"shape\": [\n            null,\n            4");
  output = run("m.ndl --entry affine --input x=x.npy --json --profile");
  EXPECT_EQ(code, 0);
  expectContains(output, "\"min_ns\": ");
  expectContains(output, "\"kernel\": \"double_fast\"");
  expectContains(output, "\"calls\": 1");
}

TEST_F(NeedleRun, ReportsFailuresWithCode1) {
  auto expect = [&](const std::string &arguments, const std::string &message) {
    std::string output = run(arguments);
    EXPECT_EQ(code, 1) << output;
    EXPECT_EQ(output.find("needle-run: error: "), 0u) << output;
    expectContains(output, message);
  };
  std::vector<std::string> before = directory.list();
  expect("none.ndl --info", "'none.ndl': cannot read: No such file");
  expect("x.npy --info", "'x.npy': not a needle artifact");
  expect("m.ndl", "there is no entry 'main'; the artifact has: 'affine', "
                  "'add', 'nest', 'halve', 'wrong', 'fill'; choose one with "
                  "--entry");
  expect("m.ndl --entry affine", "input 'x' of type f32[?x4] is missing; give "
                                 "it with --input x=FILE.npy");
  expect("m.ndl --entry affine --input q=x.npy",
         "there is no input 'q'; the entry has 'x'");
  expect("m.ndl --entry affine --input x=x.npy --input 0=x.npy",
         "input '0' is given twice");
  expect("m.ndl --entry affine --input x=none.npy",
         "'none.npy': cannot read: No such file");
  expect("m.ndl --entry affine --input x=m.ndl", "'m.ndl': not a .npy file");
  expect("m.ndl --entry affine --input x=.", "'.': is a directory");
  expect("m.ndl --entry affine --input x=/dev/zero",
         "'/dev/zero': is not a regular file");
  expect("m.ndl --entry affine --input x=u8.npy/x",
         "'u8.npy/x': cannot read: ");
  expect("m.ndl --entry affine --input x=u8.npy --output y=y.npy",
         "entry 'affine': input 0 'x': expected f32[?x4], got u8[5]");
  expect("m.ndl --entry affine --input x=x.npy --output z=y.npy",
         "there is no output 'z'; the entry has 'y'");
  expect("m.ndl --entry affine --input x=x.npy --output y=none/y.npy",
         "cannot write 'none/y.npy': No such file or directory");
  // The first output could be written, the second not: neither is.
  expect("m.ndl --entry nest --input x=u8.npy --output hits=h.npy --output "
         "workers=none/w.npy",
         "cannot write 'none/w.npy'");
  expect("m.ndl --entry nest --input x=u8.npy --output hits=h.npy --output "
         "workers=h.npy",
         "outputs 'hits' and 'workers' are both to be written to 'h.npy'");
  EXPECT_EQ(directory.list(), before);
}

TEST_F(NeedleRun, ReportsWrongCommandLinesWithCode2) {
  for (const char *arguments :
       {"", "m.ndl --nonsense", "m.ndl --repeat 0", "m.ndl --threads -1",
        "m.ndl --threads x", "m.ndl --input x", "m.ndl --input =x.npy",
        "m.ndl --output y=", "m.ndl extra"}) {
    std::string output = run(arguments);
    EXPECT_EQ(code, 2) << arguments << ": " << output;
    EXPECT_FALSE(output.empty());
  }
  expectContains(run("--help"), "Exit codes: 0 success");
  EXPECT_EQ(code, 0);
  EXPECT_EQ(run("--version"), std::string(ndl_version()) + "\n");
  EXPECT_EQ(code, 0);
}

TEST_F(NeedleRun, ReportsAFullOutput) {
  std::string output =
      shell("{ '" NEEDLE_RUN_PATH "' m.ndl --info > /dev/full; }");
  EXPECT_EQ(output, "needle-run: error: cannot write to the standard output\n");
  EXPECT_EQ(code, 1);
}

TEST_F(NeedleRun, DocumentedProgramRuns) {
  EXPECT_EQ(shell("'" NEEDLE_EXAMPLE_PATH "' m.ndl"),
            "fast: 4.5 5 11 1010 12.5 13 19 1018\n");
  EXPECT_EQ(code, 0);
  EXPECT_EQ(shell("'" NEEDLE_EXAMPLE_PATH "' none"),
            "cannot load: 'none': cannot read: No such file or directory\n");
  EXPECT_EQ(code, 1);
}

TEST_F(NeedleRun, NeedsNeitherLlvmNorPython) {
  std::string libraries =
      shell("ldd '" NEEDLE_RUN_PATH "' '" NEEDLE_EXAMPLE_PATH "'");
  EXPECT_EQ(code, 0);
  expectContains(libraries, "libneedle_runtime.so.0");
  expectContains(libraries, "libc.so");
  for (const char *name : {"LLVM", "MLIR", "python"})
    EXPECT_EQ(libraries.find(name), std::string::npos) << libraries;
}

} // namespace
} // namespace ndl::test

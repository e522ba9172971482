// The kernel artifact that is part of the program.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "EagerTest.h"
#include "eager/embedded_kernels.h"

#include "needle-rt/abi.h"
#include "needle-rt/cpu_features.h"

#include <algorithm>

namespace ndl::test {
namespace {

using eager::EmbeddedArtifact;
using eager::embeddedKernels;
using eager::KernelLibrary;
using eager::KernelSlot;

TEST(EmbeddedKernels, AreAnAlignedArtifact) {
  EmbeddedArtifact artifact = embeddedKernels();
  EXPECT_GT(artifact.size, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(artifact.data) % NDL_ABI_ALIGNMENT, 0u);
}

TEST(EmbeddedKernels, AreForThisCpu) {
  std::vector<std::string> targets = embeddedTargets();
#if defined(__x86_64__)
  std::vector<std::string> expected = {"x86-64", "avx2"};
#else
  std::vector<std::string> expected = {"neon"};
#endif
  for (const std::string &target : expected)
    EXPECT_EQ(std::count(targets.begin(), targets.end(), target), 1) << target;
}

class EmbeddedKernelsOf : public testing::TestWithParam<std::string> {};

TEST_P(EmbeddedKernelsOf, AreComplete) {
  ScopedVariable isa("NEEDLE_ISA", GetParam().c_str());
  std::unique_ptr<KernelLibrary> library;
  EmbeddedArtifact artifact = embeddedKernels();
  ASSERT_OK(
      KernelLibrary::load(artifact.data, artifact.size, nullptr, library));
  EXPECT_EQ(library->target(), GetParam());
  EXPECT_GE(library->threads(), 1);
  for (size_t i = 0; i < library->maps.size(); ++i)
    EXPECT_NE(library->maps[i].task, nullptr) << nameOf(eager::MapKernel(i));
  for (size_t i = 0; i < library->reductions.size(); ++i)
    EXPECT_NE(library->reductions[i].task, nullptr)
        << nameOf(eager::ReduceKernel(i));
  for (size_t i = 0; i < library->contractions.size(); ++i)
    for (const KernelSlot *slot :
         {&library->contractions[i].plan, &library->contractions[i].pack,
          &library->contractions[i].run})
      EXPECT_NE(slot->task, nullptr) << nameOf(eager::ContractionKernel(i));
}

INSTANTIATE_TEST_SUITE_P(Targets, EmbeddedKernelsOf,
                         testing::ValuesIn(embeddedTargets()),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

#if defined(__x86_64__)
TEST(EmbeddedKernels, AreTheBestWithinTheEnvironmentsTarget) {
  EmbeddedArtifact artifact = embeddedKernels();
  std::vector<std::string> targets = embeddedTargets();
  for (const char *isa : {"avx-vnni", "avx512-vnni"}) {
    // Where there is such a body the tests above load it.
    if (std::count(targets.begin(), targets.end(), isa))
      continue;
    ScopedVariable variable("NEEDLE_ISA", isa);
    std::unique_ptr<KernelLibrary> library;
    Status status =
        KernelLibrary::load(artifact.data, artifact.size, nullptr, library);
    uint64_t needed = targetCpu(isa)->features;
    if ((hostCpu().features & needed) == needed) {
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_STREQ(library->target(), "avx2");
    } else {
      expectError(status, NDL_UNSUPPORTED_CPU,
                  std::string("the kernel library: target '") + isa +
                      "' (set by NEEDLE_ISA) needs ");
    }
  }
}
#endif

TEST(EmbeddedKernels, HonourTheEnvironment) {
  EmbeddedArtifact artifact = embeddedKernels();
  std::unique_ptr<KernelLibrary> library;
  ScopedVariable isa("NEEDLE_ISA", "avx9");
  expectError(
      KernelLibrary::load(artifact.data, artifact.size, nullptr, library),
      NDL_INVALID_ARGUMENT,
      "the kernel library: the artifact has no body for target 'avx9' (set by "
      "NEEDLE_ISA)");
  EXPECT_EQ(library, nullptr);
}

TEST(EmbeddedKernels, RefuseDamage) {
  EmbeddedArtifact artifact = embeddedKernels();
  std::unique_ptr<KernelLibrary> library;
  expectError(
      KernelLibrary::load(artifact.data, artifact.size - 1, nullptr, library),
      NDL_CORRUPT_ARTIFACT, "the kernel library: truncated artifact");
}

} // namespace
} // namespace ndl::test

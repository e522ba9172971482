// Choosing a body for a CPU, with CPUs that are made up.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestArtifact.h"

#include "body_selection.h"

#include <gtest/gtest.h>

namespace ndl::test {
namespace {

constexpr uint64_t haswell = x86::SSE2 | x86::AVX | x86::AVX2 | x86::FMA;

/// An artifact with a baseline, an AVX2, an AVX-512 and an AArch64 body.
class BodySelection : public testing::Test {
protected:
  BodySelection() {
    ArtifactModel model = makeSmallModel();
    BodyModel body = model.bodies[0];
    model.bodies.clear();
    auto add = [&](const char *target, NdlArchitecture architecture,
                   uint64_t features, uint32_t rank) {
      body.target = target;
      body.architecture = architecture;
      body.features = features;
      body.rank = rank;
      model.bodies.push_back(body);
    };
    add("x86-64", NDL_ARCH_X86_64, x86::SSE2, 0);
    add("avx512", NDL_ARCH_X86_64, haswell | x86::AVX512F | x86::AVX512BW, 20);
    add("avx2", NDL_ARCH_X86_64, haswell, 10);
    add("dotprod", NDL_ARCH_AARCH64, aarch64::NEON | aarch64::DOTPROD, 30);
    bytes = bytesOf(model);
    Status status = ArtifactView::parse(bytes.data(), bytes.size(), view);
    EXPECT_TRUE(status.ok()) << status.message();
  }

  /// Target of the chosen body, or the error.
  std::string choose(const Cpu &cpu, const std::string &request = "") {
    size_t chosen = 1000;
    Status status = selectBody(view, cpu, request, "set by NEEDLE_ISA", chosen);
    code = status.code();
    return status.ok() ? view.string(view.bodies[chosen].target)
                       : status.message();
  }

  /// The same within a target.
  std::string chooseWithin(const Cpu &cpu, const std::string &request) {
    size_t chosen = 1000;
    Status status =
        selectBodyWithin(view, cpu, request, "set by NEEDLE_ISA", chosen);
    code = status.code();
    return status.ok() ? view.string(view.bodies[chosen].target)
                       : status.message();
  }

  std::vector<uint8_t> bytes;
  ArtifactView view;
  NdlStatus code = NDL_OK;
};

TEST_F(BodySelection, TakesTheHighestRankThatRuns) {
  EXPECT_EQ(choose({NDL_ARCH_X86_64, x86::SSE2}), "x86-64");
  EXPECT_EQ(choose({NDL_ARCH_X86_64, haswell}), "avx2");
  EXPECT_EQ(choose({NDL_ARCH_X86_64, haswell | x86::AVX512F}), "avx2");
  EXPECT_EQ(choose({NDL_ARCH_X86_64, ~uint64_t(0)}), "avx512");
  EXPECT_EQ(choose({NDL_ARCH_AARCH64, aarch64::NEON | aarch64::DOTPROD}),
            "dotprod");
}

TEST_F(BodySelection, ListsBodiesAndWhatTheCpuLacks) {
  EXPECT_EQ(choose({NDL_ARCH_AARCH64, aarch64::NEON}),
            "the artifact has no body for this CPU (aarch64 with neon); "
            "'x86-64' needs an x86-64 CPU; 'avx512' needs an x86-64 CPU; "
            "'avx2' needs an x86-64 CPU; 'dotprod' needs dotprod; compile "
            "the model for this CPU too");
  EXPECT_EQ(code, NDL_UNSUPPORTED_CPU);
}

TEST_F(BodySelection, HonoursARequest) {
  EXPECT_EQ(choose({NDL_ARCH_X86_64, haswell}, "x86-64"), "x86-64");
  EXPECT_EQ(choose({NDL_ARCH_X86_64, haswell}, "avx512"),
            "target 'avx512' (set by NEEDLE_ISA) needs avx512f, avx512bw, but "
            "this CPU is x86-64 with sse2, avx, avx2, fma");
  EXPECT_EQ(code, NDL_UNSUPPORTED_CPU);
  EXPECT_EQ(choose({NDL_ARCH_X86_64, haswell}, "avx1024"),
            "the artifact has no body for target 'avx1024' (set by "
            "NEEDLE_ISA); it has: 'x86-64', 'avx512', 'avx2', 'dotprod'");
  EXPECT_EQ(code, NDL_INVALID_ARGUMENT);
}

TEST_F(BodySelection, TakesTheBestWithinATarget) {
  // The body "avx2" of this artifact needs AVX too, which avx-vnni leaves out.
  Cpu all{NDL_ARCH_X86_64, ~uint64_t(0)};
  EXPECT_EQ(chooseWithin(all, "avx-vnni"), "x86-64");
  EXPECT_EQ(chooseWithin(all, "x86-64"), "x86-64");
  EXPECT_EQ(chooseWithin(all, "avx2"), "avx2");
  EXPECT_EQ(chooseWithin(all, "avx512"), "avx512");
  EXPECT_EQ(chooseWithin(all, "avx9"), choose(all, "avx9"));
  EXPECT_EQ(chooseWithin(all, ""), "avx512");
  Cpu arm{NDL_ARCH_AARCH64, ~uint64_t(0)};
  EXPECT_EQ(chooseWithin(arm, "neon-i8mm"), "dotprod");
  EXPECT_EQ(chooseWithin(arm, "neon-dotprod"), "dotprod");
  EXPECT_EQ(code, NDL_OK);
}

TEST_F(BodySelection, SaysWhatIsWrongWithALimit) {
  EXPECT_EQ(chooseWithin({NDL_ARCH_X86_64, haswell}, "avx-vnni"),
            "target 'avx-vnni' (set by NEEDLE_ISA) needs avxvnni, but this CPU "
            "is x86-64 with sse2, avx, avx2, fma");
  EXPECT_EQ(code, NDL_UNSUPPORTED_CPU);
  EXPECT_EQ(chooseWithin({NDL_ARCH_X86_64, haswell}, "neon-i8mm"),
            "target 'neon-i8mm' (set by NEEDLE_ISA) needs an aarch64 CPU, but "
            "this CPU is x86-64 with sse2, avx, avx2, fma");
  EXPECT_EQ(chooseWithin({NDL_ARCH_AARCH64, ~uint64_t(0)}, "neon"),
            "every body needs more than target 'neon' (set by NEEDLE_ISA) has; "
            "there are: 'x86-64', 'avx512', 'avx2', 'dotprod'");
  EXPECT_EQ(code, NDL_UNSUPPORTED_CPU);
}

TEST(CpuFeatures, NamesAndBitsAgree) {
  EXPECT_EQ(featureBit(NDL_ARCH_X86_64, "avx2"), x86::AVX2);
  EXPECT_EQ(featureBit(NDL_ARCH_AARCH64, "i8mm"), aarch64::I8MM);
  EXPECT_EQ(featureBit(NDL_ARCH_AARCH64, "avx2"), std::nullopt);
  EXPECT_EQ(formatFeatures(NDL_ARCH_X86_64, haswell | uint64_t(1) << 63),
            "sse2, avx, avx2, fma, bit 63");
  EXPECT_EQ(formatFeatures(NDL_ARCH_X86_64, 0), "");
  EXPECT_EQ(architectureName(12345), "unknown");
}

#if defined(__x86_64__)
TEST(CpuFeatures, HostAgreesWithTheCompilersDetection) {
  EXPECT_EQ(hostCpu().architecture, NDL_ARCH_X86_64);
  auto host = [](uint64_t feature) {
    return (hostCpu().features & feature) != 0;
  };
  EXPECT_EQ(host(x86::SSE2), __builtin_cpu_supports("sse2") != 0);
  EXPECT_EQ(host(x86::SSE42), __builtin_cpu_supports("sse4.2") != 0);
  EXPECT_EQ(host(x86::POPCNT), __builtin_cpu_supports("popcnt") != 0);
  EXPECT_EQ(host(x86::AVX), __builtin_cpu_supports("avx") != 0);
  EXPECT_EQ(host(x86::AVX2), __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(host(x86::FMA), __builtin_cpu_supports("fma") != 0);
  EXPECT_EQ(host(x86::BMI), __builtin_cpu_supports("bmi") != 0);
  EXPECT_EQ(host(x86::BMI2), __builtin_cpu_supports("bmi2") != 0);
  EXPECT_EQ(host(x86::AVX512F), __builtin_cpu_supports("avx512f") != 0);
  EXPECT_EQ(host(x86::AVX512CD), __builtin_cpu_supports("avx512cd") != 0);
  EXPECT_EQ(host(x86::AVX512BW), __builtin_cpu_supports("avx512bw") != 0);
  EXPECT_EQ(host(x86::AVX512DQ), __builtin_cpu_supports("avx512dq") != 0);
  EXPECT_EQ(host(x86::AVX512VL), __builtin_cpu_supports("avx512vl") != 0);
  EXPECT_EQ(host(x86::AVX512VNNI), __builtin_cpu_supports("avx512vnni") != 0);
}
#endif

} // namespace
} // namespace ndl::test

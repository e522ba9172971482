//===- CompilerTest.cpp - The compiler's interface ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Target/Compiler.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "needle-rt/artifact_reader.h"
#include "needle-rt/cpu_features.h"
#include "needle/InitAll.h"
#include "gtest/gtest.h"
#include <thread>

using namespace needle;

namespace {

const char *const model = R"(
func.func @main(%x: tensor<?x4x!quant.uniform<u8:f32, 0.5:3>> {needle.name = "x"})
    -> (tensor<?x2xf32> {needle.name = "y"}) {
  %w = needle.constant dense<[[1, 2], [3, 4], [5, 6], [7, 8]]> : tensor<4x2xi8>
      -> tensor<4x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %0 = needle.qmatmul %x, %w : tensor<?x4x!quant.uniform<u8:f32, 0.5:3>>,
      tensor<4x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
)";

/// A context with a parsed module, and what it had to say.
struct Parsed {
  mlir::DialectRegistry registry;
  mlir::MLIRContext context;
  std::string diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> module;

  explicit Parsed(const char *text) {
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
      diagnostics += diagnostic.str() + "\n";
    });
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  }
};

std::string print(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

TEST(Compiler, LeavesTheModuleAlone) {
  Parsed parsed(model);
  std::string before = print(*parsed.module);
  EXPECT_TRUE(mlir::succeeded(compileToArtifact(*parsed.module, {})));
  EXPECT_TRUE(mlir::succeeded(compileToAssembly(*parsed.module, "avx2")));
  EXPECT_TRUE(mlir::succeeded(printStage(*parsed.module, "llvm", "x86-64")));
  EXPECT_EQ(print(*parsed.module), before);
  EXPECT_EQ(parsed.diagnostics, "");
}

TEST(Compiler, WritesTheSignature) {
  Parsed parsed(model);
  auto result = compileToArtifact(*parsed.module, {});
  ASSERT_TRUE(mlir::succeeded(result)) << parsed.diagnostics;
  ndl::ArtifactView view;
  ndl::Status status = ndl::ArtifactView::parse(result->artifact.data(),
                                                result->artifact.size(), view);
  ASSERT_TRUE(status.ok()) << status.message();
  ndl::ArtifactModel written = ndl::toModel(view);
  ASSERT_EQ(written.entries.size(), 1u);
  const ndl::TensorModel &x = written.entries[0].inputs.at(0);
  EXPECT_EQ(x.name, "x");
  EXPECT_EQ(x.dtype, NDL_DTYPE_U8);
  EXPECT_EQ(x.dims, (std::vector<int64_t>{NDL_DYNAMIC, 4}));
  EXPECT_EQ(x.quantization.kind, NDL_QUANTIZATION_PER_TENSOR);
  EXPECT_EQ(x.quantization.scales, std::vector<float>{0.5});
  EXPECT_EQ(x.quantization.zeroPoints, std::vector<int32_t>{3});
  EXPECT_EQ(x.quantization.storageMax, 255);
  ASSERT_EQ(written.bodies.size(), 2u);
  EXPECT_EQ(written.bodies[0].target, "x86-64");
  EXPECT_EQ(written.bodies[1].target, "avx2");
  EXPECT_LT(written.bodies[0].rank, written.bodies[1].rank);
  // Both read the same packed weights.
  EXPECT_EQ(written.weights.size(), 1u);
  EXPECT_EQ(written.bodies[0].weights, written.bodies[1].weights);
  ASSERT_EQ(written.bodies[1].functions.at(0).steps.size(), 1u);
  EXPECT_EQ(written.bodies[1].functions[0].steps[0].op, "needle.qmatmul");
}

TEST(Compiler, MeasuresEachStage) {
  Parsed parsed(model);
  auto result = compileToArtifact(*parsed.module, {{"avx2"}});
  ASSERT_TRUE(mlir::succeeded(result));
  std::vector<std::string> stages;
  for (const StageTime &time : result->times) {
    EXPECT_GE(time.seconds, 0);
    stages.push_back(time.stage);
  }
  EXPECT_EQ(stages,
            (std::vector<std::string>{
                "fused", "linalg (avx2)", "buffers (avx2)", "kernels (avx2)",
                "llvm (avx2)", "translate (avx2)", "optimize (avx2)",
                "generate code (avx2)", "link (avx2)", "write"}));
}

TEST(Compiler, TargetsAreThoseThatTheRuntimeKnows) {
  for (const cpu::CPUTarget &target : cpu::getCPUTargets()) {
    std::optional<ndl::Cpu> known = ndl::targetCpu(target.name.str());
    ASSERT_TRUE(known) << target.name.str();
    ndl::Cpu plain = *ndl::targetCpu(
        known->architecture == NDL_ARCH_X86_64 ? "x86-64" : "neon");
    uint64_t required = plain.features;
    llvm::SmallVector<llvm::StringRef> names;
    llvm::StringRef(target.requiredFeatures).split(names, ',');
    for (llvm::StringRef name : names)
      required |= ndl::featureBit(known->architecture, name.str()).value_or(0);
    EXPECT_EQ(known->features, required) << target.name.str();
  }
  EXPECT_FALSE(ndl::targetCpu("host"));
}

TEST(Compiler, TheHostsTargetIsTheBestThatRuns) {
  const cpu::CPUTarget *host = cpu::lookupCPUTarget("host");
  ASSERT_NE(host, nullptr);
  ndl::Cpu here = ndl::hostCpu();
  auto runs = [&](const cpu::CPUTarget &target) {
    ndl::Cpu needed = *ndl::targetCpu(target.name.str());
    return needed.architecture == here.architecture &&
           (needed.features & ~here.features) == 0;
  };
  EXPECT_TRUE(runs(*host));
  for (const cpu::CPUTarget &target : cpu::getCPUTargets())
    if (runs(target))
      EXPECT_LE(target.preference, host->preference);
  Parsed parsed(model);
  auto first = compileToArtifact(*parsed.module, {{"host"}});
  auto second = compileToArtifact(*parsed.module, {{host->name.str()}});
  ASSERT_TRUE(mlir::succeeded(first) && mlir::succeeded(second));
  EXPECT_EQ(first->artifact, second->artifact);
}

TEST(Compiler, ReportsThroughTheContext) {
  Parsed parsed(model);
  EXPECT_TRUE(mlir::failed(compileToArtifact(*parsed.module, {{}})));
  EXPECT_TRUE(mlir::failed(compileToArtifact(*parsed.module, {{"z80"}})));
  EXPECT_TRUE(
      mlir::failed(compileToArtifact(*parsed.module, {{"avx2", "avx2"}})));
  EXPECT_TRUE(
      mlir::failed(compileToArtifact(*parsed.module, {{"neon", "host"}})));
  EXPECT_TRUE(mlir::failed(printStage(*parsed.module, "middle", "avx2")));
  std::string targets = cpu::getCPUTargetNames();
  EXPECT_EQ(
      parsed.diagnostics,
      "no CPU target is given; there are " + targets +
          "\nunknown CPU target 'z80'; there are " + targets +
          "\nthe CPU target 'avx2' is given twice"
          "\nthe CPU target 'host' stands alone; beside others, name what it "
          "stands for here: " +
          cpu::getHostCPUTarget()->name.str() +
          "\n"
          "unknown stage 'middle'; there are needle, fused, linalg, buffers, "
          "kernels, llvm, llvmir\n");
}

TEST(Compiler, WritesTheSameBytesAgain) {
  Parsed parsed(model), other(model);
  auto first = compileToArtifact(*parsed.module, {});
  auto again = compileToArtifact(*parsed.module, {});
  auto elsewhere = compileToArtifact(*other.module, {});
  ASSERT_TRUE(mlir::succeeded(first) && mlir::succeeded(again) &&
              mlir::succeeded(elsewhere));
  EXPECT_EQ(first->artifact, again->artifact);
  EXPECT_EQ(first->artifact, elsewhere->artifact);
}

TEST(Compiler, CompilesInSeveralThreads) {
  std::vector<uint8_t> artifacts[4];
  std::vector<std::thread> threads;
  for (std::vector<uint8_t> &artifact : artifacts)
    threads.emplace_back([&artifact] {
      Parsed parsed(model);
      auto result = compileToArtifact(*parsed.module, {{"x86-64"}});
      if (mlir::succeeded(result))
        artifact = result->artifact;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_FALSE(artifacts[0].empty());
  for (const std::vector<uint8_t> &artifact : artifacts)
    EXPECT_EQ(artifact, artifacts[0]);
}

} // namespace

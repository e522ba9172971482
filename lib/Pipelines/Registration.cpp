//===- Registration.cpp - Names of pipelines on the command line ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "needle/Pipelines/Pipelines.h"

using namespace mlir;
using namespace needle;

QuantizeOptions QuantizePipelineOptions::get() const {
  QuantizeOptions options;
  options.mode = mode;
  options.activationType = activationType;
  options.weightType = weightType;
  options.weightGranularity = weightGranularity;
  options.include = std::vector<std::string>(include.begin(), include.end());
  options.exclude = std::vector<std::string>(exclude.begin(), exclude.end());
  options.allowUncalibrated = allowUncalibrated;
  return options;
}

static void registerCPUPipeline() {
  registerPassPipeline(
      "needle-cpu-pipeline",
      "Lower needle operations to the LLVM dialect for one CPU target",
      [](OpPassManager &pm, StringRef text,
         function_ref<LogicalResult(const Twine &)> error) -> LogicalResult {
        CPUPipelineOptions options;
        if (failed(options.parseFromString(text)))
          return failure();
        const cpu::CPUTarget *target = cpu::lookupCPUTarget(options.target);
        if (!target)
          return error("unknown CPU target '" + options.target +
                       "'; there are " + cpu::getCPUTargetNames());
        for (const CPUStage &stage : getCPUStages())
          stage.build(pm, *target);
        return success();
      },
      [](function_ref<void(const detail::PassOptions &)> visit) {
        visit(CPUPipelineOptions());
      });
}

static void registerCUDAPipeline() {
  registerPassPipeline(
      "needle-cuda-pipeline",
      "Lower the kernels of a library to the LLVM dialect for one CUDA target",
      [](OpPassManager &pm, StringRef text,
         function_ref<LogicalResult(const Twine &)> error) -> LogicalResult {
        CUDAPipelineOptions options;
        if (failed(options.parseFromString(text)))
          return failure();
        const needle::cuda::CUDATarget *target =
            needle::cuda::lookupCUDATarget(options.target);
        if (!target)
          return error("unknown CUDA target '" + options.target +
                       "'; there are " + needle::cuda::getCUDATargetNames());
        buildCUDAPipeline(pm, *target);
        return success();
      },
      [](function_ref<void(const detail::PassOptions &)> visit) {
        visit(CUDAPipelineOptions());
      });
}

void needle::registerPipelines() {
  registerCPUPipeline();
  registerCUDAPipeline();
  PassPipelineRegistration<QuantizePipelineOptions>(
      "needle-observe-pipeline",
      "Prepare needle operations for calibration of their ranges",
      [](OpPassManager &pm, const QuantizePipelineOptions &options) {
        addObservePasses(pm, options.get());
      });
  PassPipelineRegistration<QuantizePipelineOptions>(
      "needle-quantize-pipeline",
      "Quantize needle operations and build their integer forms",
      [](OpPassManager &pm, const QuantizePipelineOptions &options) {
        addQuantizePasses(pm, options.get());
      });
}

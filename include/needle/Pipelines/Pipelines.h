//===- Pipelines.h - Named pipelines ----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ways of a module through passes: to integer operations, to CPU code.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_PIPELINES_PIPELINES_H
#define NEEDLE_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassOptions.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "needle/Codegen/GPU/TargetDescription.h"
#include "needle/Dialect/Needle/Transforms/Quantize.h"
#include "llvm/ADT/ArrayRef.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace needle {

/// Options of --needle-cpu-pipeline.
struct CPUPipelineOptions : mlir::PassPipelineOptions<CPUPipelineOptions> {
  Option<std::string> target{*this, "target", llvm::cl::init("avx2"),
                             llvm::cl::desc("Name of the CPU target")};
};

/// A part of the CPU pipeline, between two points at which a module can be
/// printed. The pass manager is anchored on a module.
struct CPUStage {
  llvm::StringLiteral name;
  llvm::StringLiteral description;
  /// Whether the result is the same for every target.
  bool isCommon;
  void (*build)(mlir::OpPassManager &pm, const cpu::CPUTarget &target);
};

/// The CPU pipeline, from needle operations to the LLVM dialect.
llvm::ArrayRef<CPUStage> getCPUStages();

/// Options of --needle-cuda-pipeline.
struct CUDAPipelineOptions : mlir::PassPipelineOptions<CUDAPipelineOptions> {
  Option<std::string> target{*this, "target", llvm::cl::init("sm_80"),
                             llvm::cl::desc("Name of the CUDA target")};
};

/// The CUDA pipeline, from the kernels of a library to the LLVM dialect.
void buildCUDAPipeline(mlir::OpPassManager &pm, const cuda::CUDATarget &target);

/// Options of --needle-observe-pipeline and --needle-quantize-pipeline; those
/// of needle-quantize.
struct QuantizePipelineOptions
    : mlir::PassPipelineOptions<QuantizePipelineOptions> {
  Option<QuantizationMode> mode{
      *this, "mode", llvm::cl::init(QuantizationMode::Static),
      llvm::cl::desc("When the parameters of activations are computed"),
      llvm::cl::values(
          clEnumValN(QuantizationMode::Static, "static",
                     "at compile time, from the ranges on needle.observe"),
          clEnumValN(QuantizationMode::Dynamic, "dynamic",
                     "at run time, from the values"))};
  Option<ActivationType> activationType{
      *this, "activation-type", llvm::cl::init(ActivationType::UInt8),
      llvm::cl::desc("Type of quantized activations"),
      llvm::cl::values(
          clEnumValN(ActivationType::UInt8, "uint8", "8 bits, asymmetric"),
          clEnumValN(ActivationType::None, "none", "stay float"))};
  Option<WeightType> weightType{
      *this, "weight-type", llvm::cl::init(WeightType::Int8),
      llvm::cl::desc("Type of quantized weights"),
      llvm::cl::values(
          clEnumValN(WeightType::Int8, "int8", "8 bits, symmetric"),
          clEnumValN(WeightType::UInt8, "uint8", "8 bits, asymmetric"),
          clEnumValN(WeightType::None, "none", "stay float"))};
  Option<WeightGranularity> weightGranularity{
      *this, "weight-granularity", llvm::cl::init(WeightGranularity::PerAxis),
      llvm::cl::desc("What shares one pair of parameters"),
      llvm::cl::values(
          clEnumValN(WeightGranularity::PerAxis, "per-axis",
                     "each output channel, where the operation allows"),
          clEnumValN(WeightGranularity::PerTensor, "per-tensor",
                     "the whole weight"))};
  ListOption<std::string> include{
      *this, "include",
      llvm::cl::desc("Quantize only operations whose name matches a pattern")};
  ListOption<std::string> exclude{
      *this, "exclude",
      llvm::cl::desc("Leave operations in float whose name matches a pattern")};
  Option<bool> allowUncalibrated{
      *this, "allow-uncalibrated", llvm::cl::init(false),
      llvm::cl::desc(
          "Leave an operation with an unmeasured activation in float "
          "instead of failing (static mode)")};

  QuantizeOptions get() const;
};

/// Registers --needle-cpu-pipeline, --needle-cuda-pipeline,
/// --needle-observe-pipeline and --needle-quantize-pipeline.
void registerPipelines();

} // namespace needle

#endif // NEEDLE_PIPELINES_PIPELINES_H

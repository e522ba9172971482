//===- Compiler.cpp - From a module to code -------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Target/Compiler.h"
#include "Artifact.h"
#include "Lowering.h"
#include "PTX.h"
#include "mlir/IR/Verifier.h"
#include "needle/Pipelines/Pipelines.h"
#include "needle/Target/FlatImage.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace needle;
using needle::cpu::CPUTarget;

static constexpr llvm::StringLiteral givenStage = "needle";
static constexpr llvm::StringLiteral irStage = "llvmir";

ArrayRef<llvm::StringLiteral> needle::getStageNames() {
  static const SmallVector<llvm::StringLiteral> names = [] {
    SmallVector<llvm::StringLiteral> names = {givenStage};
    for (const CPUStage &stage : getCPUStages())
      names.push_back(stage.name);
    names.push_back(irStage);
    return names;
  }();
  return names;
}

/// Compiles one body and adds it to the model.
static LogicalResult compileBody(ndl::ArtifactModel &model, ModuleOp common,
                                 const CPUTarget &target, StageClock &clock) {
  FailureOr<OwningModule> lowered = lowerForTarget(common, target, clock);
  if (failed(lowered))
    return failure();
  FailureOr<MachineCode> code = optimizeForTarget(**lowered, target, clock);
  if (failed(code))
    return failure();
  FailureOr<std::string> object = clock.measure("generate code", &target, [&] {
    return code->emit(llvm::CodeGenFileType::ObjectFile);
  });
  if (failed(object))
    return failure();
  llvm::Expected<FlatImage> image =
      clock.measure("link", &target, [&] { return linkFlatImage(*object); });
  if (!image)
    return common.emitError("linking for '")
           << target.name << "': " << llvm::toString(image.takeError());
  return addBody(model, **lowered, target, std::move(*image));
}

static LogicalResult compileDevices(ndl::ArtifactModel &model, ModuleOp module,
                                    ArrayRef<std::string> names,
                                    StageClock &clock) {
  for (const std::string &name : names) {
    const cuda::CUDATarget *target = cuda::lookupCUDATarget(module, name);
    if (!target)
      return failure();
    FailureOr<PTXModule> ptx =
        clock.measure("ptx (" + name + ")", nullptr,
                      [&] { return emitPTX(module, *target); });
    if (failed(ptx))
      return failure();
    model.devices.push_back({name, target->computeCapability,
                             std::move(ptx->text), std::move(ptx->kernels)});
  }
  return success();
}

FailureOr<CompileResult>
needle::compileToArtifact(ModuleOp module, const CompileOptions &options) {
  CompileResult result;
  StageClock clock(&result.times);
  FailureOr<CommonLowering> common =
      lowerCommon(module, options.targets, clock);
  if (failed(common))
    return failure();
  ndl::ArtifactModel model;
  model.producer = "needle " NEEDLE_VERSION_STRING;
  if (failed(setInterface(model, *common->module)))
    return failure();
  for (const CPUTarget *target : common->targets)
    if (failed(compileBody(model, *common->module, *target, clock)))
      return failure();
  if (failed(compileDevices(model, module, options.cudaTargets, clock)))
    return failure();
  std::string error;
  result.artifact = clock.measure(
      "write", nullptr, [&] { return ndl::serialize(model, &error); });
  if (result.artifact.empty())
    return module.emitError("cannot be written as an artifact: ") << error;
  return result;
}

/// Optimized code for one target.
static FailureOr<MachineCode> compileToCode(ModuleOp module, StringRef target) {
  StageClock clock(nullptr);
  FailureOr<CommonLowering> common = lowerCommon(module, target.str(), clock);
  if (failed(common))
    return failure();
  const CPUTarget &only = *common->targets.front();
  FailureOr<OwningModule> lowered =
      lowerForTarget(*common->module, only, clock);
  if (failed(lowered))
    return failure();
  return optimizeForTarget(**lowered, only, clock);
}

FailureOr<std::string> needle::compileToAssembly(ModuleOp module,
                                                 StringRef target) {
  FailureOr<MachineCode> code = compileToCode(module, target);
  if (failed(code))
    return failure();
  return code->emit(llvm::CodeGenFileType::AssemblyFile);
}

FailureOr<std::string> needle::compileToObject(ModuleOp module,
                                               StringRef target) {
  FailureOr<MachineCode> code = compileToCode(module, target);
  if (failed(code))
    return failure();
  return code->emit(llvm::CodeGenFileType::ObjectFile);
}

static std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  stream << "\n";
  return text;
}

FailureOr<std::string> needle::printStage(ModuleOp module, StringRef stage,
                                          StringRef targetName) {
  if (!llvm::is_contained(getStageNames(), stage))
    return module.emitError("unknown stage '")
           << stage << "'; there are " << llvm::join(getStageNames(), ", ");
  if (stage == irStage) {
    FailureOr<MachineCode> code = compileToCode(module, targetName);
    if (failed(code))
      return failure();
    return code->print();
  }
  if (stage == givenStage) {
    if (failed(lookupTargets(module, targetName.str())) ||
        failed(verify(module)))
      return failure();
    return print(module);
  }
  StageClock clock(nullptr);
  FailureOr<CommonLowering> common =
      lowerCommon(module, targetName.str(), clock);
  if (failed(common))
    return failure();
  if (llvm::any_of(getCPUStages(), [&](const CPUStage &candidate) {
        return candidate.isCommon && candidate.name == stage;
      }))
    return print(*common->module);
  FailureOr<OwningModule> lowered =
      lowerForTarget(*common->module, *common->targets.front(), clock, stage);
  if (failed(lowered))
    return failure();
  return print(**lowered);
}

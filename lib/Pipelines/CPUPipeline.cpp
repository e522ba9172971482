//===- CPUPipeline.cpp - From needle operations to the LLVM dialect -------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "needle/Codegen/CPU/Passes.h"
#include "needle/Conversion/Passes.h"
#include "needle/Dialect/Needle/Transforms/Passes.h"
#include "needle/Pipelines/Pipelines.h"

using namespace mlir;
using namespace needle;
using needle::cpu::CPUTarget;

/// Not for kernels: there is little to fold in what a builder has emitted, LLVM
/// does it faster, and constants are many.
static void cleanUp(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

/// Stage "fused": one function for each entry point, biases, activations and
/// requantization inside contractions, and all that the caller has to know of
/// shapes.
static void buildFusedStage(OpPassManager &pm, const CPUTarget &) {
  pm.addPass(createInlinerPass());
  pm.addPass(createSymbolDCEPass());
  cleanUp(pm);
  pm.addNestedPass<func::FuncOp>(createFuseEpiloguePass());
  pm.addNestedPass<func::FuncOp>(createFuseQuantizedPass());
  cleanUp(pm);
  pm.addPass(cpu::createCPUBuildPlan());
  pm.addPass(cpu::createCPUTagOrigins());
}

/// Stage "linalg": contractions on packed weights, everything else as few
/// linalg operations as possible.
static void buildLinalgStage(OpPassManager &pm, const CPUTarget &target) {
  ConvertNeedleToLinalgOptions conversion;
  conversion.panel = target.intTile.columns;
  pm.addPass(createConvertNeedleToLinalg(conversion));
  cleanUp(pm);
  pm.addNestedPass<func::FuncOp>(cpu::createCPUFuseElementwise());
  cleanUp(pm);
  pm.addPass(cpu::createCPUPackWeights());
  cpu::CPUProveByteDotsOptions dots;
  dots.target = target.name.str();
  pm.addPass(cpu::createCPUProveByteDots(dots));
  cleanUp(pm);
}

/// Stage "buffers": results written where the caller wants them, everything
/// else in one arena, weights in one section.
static void buildBuffersStage(OpPassManager &pm, const CPUTarget &target) {
  pm.addPass(cpu::createCPUProtectInputs());
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  bufferize.unknownTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  cleanUp(pm);
  pm.addPass(cpu::createCPUResultsToOutputs());
  pm.addPass(cpu::createCPUAddRuntimeArguments());
  cpu::CPUAddWorkspacesOptions workspaces;
  workspaces.target = target.name.str();
  pm.addPass(cpu::createCPUAddWorkspaces(workspaces));
  cleanUp(pm);
  pm.addPass(cpu::createCPUPlanMemory());
  cleanUp(pm);
}

/// Stage "kernels": every operation is a call of an emitted kernel or a loop.
static void buildKernelsStage(OpPassManager &pm, const CPUTarget &target) {
  pm.addPass(cpu::createCPULowerCopies());
  pm.addPass(cpu::createCPUMarkSteps());
  // On buffers, whose layouts are known; the steps are marked already. Before
  // there are kernels, which are large and have nothing for them.
  pm.addPass(createCollapseLoops());
  pm.addPass(createConvertLinalgToLoopsPass());
  cleanUp(pm);
  cpu::CPUEmitKernelsOptions kernels;
  kernels.target = target.name.str();
  pm.addPass(cpu::createCPUEmitKernels(kernels));
  cpu::CPUEmitKernelLibraryOptions library;
  library.target = target.name.str();
  pm.addPass(cpu::createCPUEmitKernelLibrary(library));
  // After the kernels and loops exist, whose bodies it expands.
  pm.addPass(createExpandMath());
  pm.addPass(createCSEPass());
}

/// Stage "llvm": the LLVM dialect, with the C functions of each entry point.
static void buildLLVMStage(OpPassManager &pm, const CPUTarget &) {
  pm.addPass(cpu::createCPULowerExpandShape());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCSEPass());
  pm.addPass(cpu::createCPUEmitEntry());
}

llvm::ArrayRef<CPUStage> needle::getCPUStages() {
  static constexpr CPUStage stages[] = {
      {{"fused"}, {"needle operations, fused"}, true, buildFusedStage},
      {{"linalg"}, {"linalg and packed contractions"}, false, buildLinalgStage},
      {{"buffers"}, {"buffers, placed"}, false, buildBuffersStage},
      {{"kernels"}, {"kernels and loops"}, false, buildKernelsStage},
      {{"llvm"}, {"LLVM dialect"}, false, buildLLVMStage},
  };
  return stages;
}

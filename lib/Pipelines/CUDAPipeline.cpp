//===- CUDAPipeline.cpp - From kernels to the LLVM dialect for GPUs -------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Conversion/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "needle/Codegen/GPU/Passes.h"
#include "needle/Conversion/Passes.h"
#include "needle/Pipelines/Pipelines.h"

using namespace mlir;
using namespace needle;

void needle::buildCUDAPipeline(OpPassManager &pm,
                               const cuda::CUDATarget &target) {
  cuda::CUDAEmitKernelLibraryOptions library;
  library.target = target.name.str();
  pm.addPass(cuda::createCUDAEmitKernelLibrary(library));
  // The math operations in the bodies of kernels: the same bits as on CPUs.
  pm.addPass(createExpandMath());
  pm.addPass(createCSEPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCSEPass());
}

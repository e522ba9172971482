//===- PTX.cpp - From the kernels of a library to PTX ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PTX.h"
#include "MachineCode.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "needle/Pipelines/Pipelines.h"
#include "needle/Target/Compiler.h"

using namespace mlir;
using namespace needle;

/// What only CPUs compute so far is said, not left out.
static LogicalResult checkHasOnlyKernels(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic())
      return function.emitError("function '")
             << function.getName()
             << "' cannot be compiled for CUDA: of this version, only kernels "
                "of a library (needle_cpu.map_kernel, reduce_kernel, "
                "contraction_kernel) can; name CPU targets only";
  return success();
}

/// The kernels of a lowered module.
static std::vector<ndl::DeviceKernelModel> getKernels(ModuleOp module) {
  std::vector<ndl::DeviceKernelModel> kernels;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (auto tile =
            function->getAttrOfType<DenseI32ArrayAttr>(cuda::blockTileAttr))
      kernels.push_back({function.getName().str(), cuda::blockThreads,
                         uint32_t(tile[0]), uint32_t(tile[1])});
  return kernels;
}

FailureOr<PTXModule> needle::emitPTX(ModuleOp module,
                                     const cuda::CUDATarget &target) {
  if (failed(verify(module)) || failed(checkHasOnlyKernels(module)))
    return failure();
  OwningOpRef<ModuleOp> lowered(module.clone());
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  buildCUDAPipeline(pm, target);
  pm.enableVerifier(false);
  if (failed(pm.run(*lowered)) || failed(verify(*lowered)))
    return failure();
  FailureOr<MachineCode> code = MachineCode::translate(*lowered, target);
  if (failed(code))
    return failure();
  code->optimize();
  FailureOr<std::string> text = code->emit(llvm::CodeGenFileType::AssemblyFile);
  if (failed(text))
    return failure();
  return PTXModule{std::move(*text), getKernels(*lowered)};
}

FailureOr<std::string> needle::compileToPTX(ModuleOp module, StringRef target) {
  const cuda::CUDATarget *found = cuda::lookupCUDATarget(module, target);
  if (!found)
    return failure();
  FailureOr<PTXModule> ptx = emitPTX(module, *found);
  if (failed(ptx))
    return failure();
  return std::move(ptx->text);
}

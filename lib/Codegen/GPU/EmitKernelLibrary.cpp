//===- EmitKernelLibrary.cpp - Functions of the kernels of a library ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Replaces each kernel operation of a module by functions for a GPU.
//
//===----------------------------------------------------------------------===//

#include "LibraryKernels.h"
#include "needle/Codegen/GPU/Passes.h"

namespace needle::cuda {
#define GEN_PASS_DEF_CUDAEMITKERNELLIBRARY
#include "needle/Codegen/GPU/Passes.h.inc"
} // namespace needle::cuda

using namespace mlir;
using namespace needle;
using namespace needle::cuda;

namespace {

struct EmitKernelLibraryPass
    : public needle::cuda::impl::CUDAEmitKernelLibraryBase<
          EmitKernelLibraryPass> {
  using CUDAEmitKernelLibraryBase::CUDAEmitKernelLibraryBase;

  void runOnOperation() override {
    const CUDATarget *description = lookupCUDATarget(getOperation(), target);
    if (!description)
      return signalPassFailure();
    for (Operation &op :
         llvm::make_early_inc_range(*getOperation().getBody())) {
      if (!isa<cpu::MapKernelOp, cpu::ReduceKernelOp, cpu::ContractionKernelOp>(
              op))
        continue;
      // The function takes over the name.
      op.remove();
      OwningOpRef<Operation *> kernel(&op);
      if (failed(emit(*kernel, *description)))
        return signalPassFailure();
      ++numKernels;
    }
  }

private:
  LogicalResult emit(Operation *op, const CUDATarget &target) {
    ModuleOp module = getOperation();
    if (auto map = dyn_cast<cpu::MapKernelOp>(op))
      emitMapKernel(module, map);
    else if (auto reduce = dyn_cast<cpu::ReduceKernelOp>(op))
      emitReduceKernels(module, reduce);
    else
      return emitContraction(cast<cpu::ContractionKernelOp>(op), target);
    return success();
  }

  LogicalResult emitContraction(cpu::ContractionKernelOp op,
                                const CUDATarget &target) {
    if (op.getLhs().isF32() && !op.getBias()) {
      emitFloatMatmul(getOperation(), op);
      return success();
    }
    if (op.getLhs().isUnsignedInteger(8) && op.getRhs().isUnsignedInteger(8)) {
      emitIntegerMatmul(getOperation(), op, target);
      return success();
    }
    return op.emitOpError("of ") << op.getLhs() << " and " << op.getRhs()
                                 << (op.getBias() ? " with bias" : "")
                                 << " has no kernel for GPUs; there are those "
                                    "of f32 without bias and "
                                    "of ui8";
  }
};

} // namespace

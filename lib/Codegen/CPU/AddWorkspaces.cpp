//===- AddWorkspaces.cpp - Scratch memory and names for kernels -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Allocates the memory in which contractions pack their left-hand side.
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "KernelSelection.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Passes.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUADDWORKSPACES
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using namespace needle::cpu;

namespace {

struct AddWorkspacesPass
    : public needle::cpu::impl::CPUAddWorkspacesBase<AddWorkspacesPass> {
  using CPUAddWorkspacesBase::CPUAddWorkspacesBase;

  void runOnOperation() override {
    const CPUTarget *description = lookupCPUTarget(target);
    if (!description) {
      getOperation().emitError() << "unknown CPU target '" << target
                                 << "'; there are " << getCPUTargetNames();
      return signalPassFailure();
    }
    getOperation().walk([&](Operation *op) {
      if (auto matmul = dyn_cast<MatmulOp>(op))
        prepare(matmul, /*integer=*/false, *description);
      else if (auto qmatmul = dyn_cast<QMatmulOp>(op))
        prepare(qmatmul, /*integer=*/true, *description);
      else if (auto pack = dyn_cast<PackRhsOp>(op))
        setKernelName(op, selectKernel(pack).getName(*description));
    });
  }

private:
  static void setKernelName(Operation *op, StringRef name) {
    op->setAttr(kernelAttr, StringAttr::get(op->getContext(), name));
  }

  /// %work = memref.alloc(threads × block rows × packed row) : memref<?xi8>
  template <typename Op>
  static void prepare(Op op, bool integer, const CPUTarget &target) {
    setKernelName(op, selectKernels(op).first().getName(target));
    KernelBuilder b(op.getLoc(), op);
    unsigned depthDim = getDepthDim(op.getTransposeLhs());
    auto extent = [&](unsigned dim) -> Value {
      Value size = memref::DimOp::create(b, op.getLhs(), dim);
      return arith::IndexCastOp::create(b, b.getI64Type(), size);
    };
    Value rows = extent(1 - depthDim), depth = extent(depthDim);
    Value blockRows =
        emitBlockRows(b, b.getLoc(), integer, target, rows, depth);
    Value stride = emitPackedRowStride(b, b.getLoc(), integer, depth);
    Value elements = b.mul(blockRows, stride);
    Value bytes = b.mul(elements, b.i64(integer ? 2 : 4));
    auto function = op->template getParentOfType<func::FuncOp>();
    Value threads = arith::IndexCastOp::create(
        b, b.getI64Type(), getRuntimeArgument(function, RuntimeArg::Threads));
    Value size =
        arith::IndexCastOp::create(b, b.getIndexType(), b.mul(bytes, threads));
    auto type = MemRefType::get({ShapedType::kDynamic}, b.getI8Type());
    op.getWorkspaceMutable().assign(
        memref::AllocOp::create(b, type, ValueRange{size}));
  }
};

} // namespace

//===- AddWorkspaces.cpp - Scratch memory and names for kernels -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Allocates the memory in which contractions pack their left-hand side.
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "KernelSelection.h"
#include "needle/Codegen/CPU/BlockwiseKernel.h"
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
    const CPUTarget *description = lookupCPUTarget(getOperation(), target);
    if (!description)
      return signalPassFailure();
    WalkResult result = getOperation().walk([&](Operation *op) {
      return failed(prepare(op, *description)) ? WalkResult::interrupt()
                                               : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  static LogicalResult prepare(Operation *op, const CPUTarget &target) {
    if (auto pack = dyn_cast<PackRhsOp>(op)) {
      setKernelName(op, needle::cpu::selectKernel(pack).getName(target));
      return verifyPanel(op, pack.getDest(), target);
    }
    if (auto matmul = dyn_cast<MatmulOp>(op))
      return prepareContraction(matmul, target);
    if (auto qmatmul = dyn_cast<QMatmulOp>(op))
      return prepareContraction(qmatmul, target);
    if (auto blockwise = dyn_cast<QMatmulBlockwiseOp>(op))
      return prepareBlockwise(blockwise, target);
    return success();
  }

  static void setKernelName(Operation *op, StringRef name) {
    op->setAttr(kernelAttr, StringAttr::get(op->getContext(), name));
  }

  /// Packing and kernels must agree on the width of panels.
  static LogicalResult verifyPanel(Operation *op, Value packed,
                                   const CPUTarget &target) {
    int64_t width = cast<ShapedType>(packed.getType()).getDimSize(2);
    if (width == target.panel())
      return success();
    return op->emitOpError() << "is packed in panels of " << width
                             << " columns, but the kernels of " << target.name
                             << " read " << target.panel();
  }

  template <typename Op>
  static LogicalResult prepareContraction(Op op, const CPUTarget &target) {
    if (op.getNumResults() != 0)
      return op.emitOpError("is on tensors; workspaces are added to buffers");
    if (failed(verifyRuntimeArguments(op)) ||
        (!op.getDepthwise() && failed(verifyPanel(op, op.getRhs(), target))))
      return failure();
    ContractionKernels kernels = selectKernels(op, target);
    if (kernels.first().depthwise.channels > 1 &&
        op.getLhs().getType().getDimSize(3) < target.panel())
      return op.emitOpError()
             << "depthwise has groups of several channels, for "
                "which the kernels of "
             << target.name << " need " << target.panel() << " columns";
    setKernelName(op, kernels.first().getName(target));
    // Behind what the choice of a form says.
    auto note = [&](const Twine &text) {
      auto before = op->template getAttrOfType<StringAttr>(kernelNoteAttr);
      std::string all = before ? before.str() + "; " : "";
      op->setAttr(kernelNoteAttr, StringAttr::get(op.getContext(), all + text));
    };
    if (kernels.narrow && kernels.wide)
      note("K > " + Twine(getMaxDepth(*kernels.narrow)) + ": " +
           kernels.wide->getName(target));
    if (kernels.oneRow)
      note("M = 1: " + kernels.oneRow->getName(target));
    // Loops over a batch are one step, known by what they repeat.
    auto function = op->template getParentOfType<func::FuncOp>();
    Operation *step = function.front().findAncestorOpInBlock(*op);
    if (step != op)
      setKernelName(step, kernels.first().getName(target));
    if (packsLhs(op))
      addWorkspace(op, step, kernels, target);
    return success();
  }

  template <typename Op>
  static Value emitBytes(KernelBuilder &b, Op op, const KernelSpec &spec,
                         const CPUTarget &target,
                         const ContractionSizes &sizes) {
    if (!op.getDepthwise())
      return emitWorkspaceBytes(b, b.getLoc(), spec, target, sizes.rows,
                                sizes.depth);
    DepthwiseRing ring = emitDepthwiseRing(
        b, b.getLoc(), Window::of(*op.getWindow()), target, sizes.resultWidth);
    return b.mul(ring.rows, ring.rowBytes);
  }

  /// %work = memref.alloc(threads, rows × packed row) : memref<?x?xi8>
  /// in front of `step`, the loops around the operation or itself.
  template <typename Op>
  static void addWorkspace(Op op, Operation *step,
                           const ContractionKernels &kernels,
                           const CPUTarget &target) {
    KernelBuilder b(op.getLoc(), step);
    SmallVector<Value> extents;
    for (int64_t dim = 0, rank = op.getLhs().getType().getRank(); dim < rank;
         ++dim) {
      // The sizes of a slice are known in front of the loop that takes it.
      Value size = b.createOrFold<memref::DimOp>(op.getLhs(), dim);
      extents.push_back(arith::IndexCastOp::create(b, b.getI64Type(), size));
    }
    ContractionSizes sizes = emitContractionSizes(
        b, b.getLoc(), extents, op.getTransposeLhs(), op.getWindow());
    Value bytes = emitBytes(b, op, kernels.largest(), target, sizes);
    if (kernels.oneRow)
      bytes = b.max(bytes, emitWorkspaceBytes(b, b.getLoc(), *kernels.oneRow,
                                              target, b.i64(1), sizes.depth));
    bytes = arith::IndexCastOp::create(b, b.getIndexType(), bytes);
    Value threads = getRuntimeArgument(
        op->template getParentOfType<func::FuncOp>(), RuntimeArg::Threads);
    auto type = MemRefType::get({ShapedType::kDynamic, ShapedType::kDynamic},
                                b.getI8Type());
    op.getWorkspaceMutable().assign(
        memref::AllocOp::create(b, type, ValueRange{threads, bytes}));
  }
};

} // namespace

//===- EmitKernelLibrary.cpp - Functions of the kernels of a library ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Replaces each kernel operation of a module by exported functions.
//
//===----------------------------------------------------------------------===//

#include "LibraryKernels.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Kernel.h"
#include "needle/Codegen/CPU/Passes.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUEMITKERNELLIBRARY
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using namespace needle::cpu;

namespace {

/// Emits the functions of one contraction kernel.
class ContractionLibrary {
public:
  ContractionLibrary(ContractionKernelOp op, const CPUTarget &target);

  /// NAME.plan
  void emitPlan(KernelBuilder &b, TaskArguments task);
  /// NAME.pack
  void emitPack(KernelBuilder &b, TaskArguments task);
  /// NAME.direct
  void emitDirect(KernelBuilder &b, TaskArguments task);
  /// NAME
  void emitMatmul(KernelBuilder &b, TaskArguments task);

private:
  static void call(KernelBuilder &b, func::FuncOp kernel, TaskArguments task) {
    func::CallOp::create(
        b, kernel, ValueRange{task.context, task.begin, task.end, task.worker});
  }

  ModuleOp module;
  const CPUTarget &target;
  KernelSpec spec;
  PackSpec packSpec;
};

} // namespace

ContractionLibrary::ContractionLibrary(ContractionKernelOp op,
                                       const CPUTarget &target)
    : module(op->getParentOfType<ModuleOp>()), target(target) {
  spec.integer = packSpec.integer = !op.getLhs().isF32();
  spec.lhsUnsigned = op.getLhs().isUnsignedInteger();
  packSpec.sourceUnsigned = op.getRhs().isUnsignedInteger();
  // The zero point is known only at run time, so it is always subtracted.
  spec.rhsBits = packSpec.destBits = 16;
  spec.hasBias = op.getBias();
}

void ContractionLibrary::emitPlan(KernelBuilder &b, TaskArguments task) {
  ContextReader reader(b, task.context);
  Value rows = reader.nextWord(), depth = reader.nextWord();
  Value columns = reader.nextWord(), threads = reader.nextWord();
  ContractionSplit split = emitContractionSplit(b, b.getLoc(), spec, target,
                                                rows, depth, columns, threads);
  int64_t panel = target.panel();
  Value packed =
      emitPackedRhsBytes(b, b.getLoc(), spec, b.roundUp(columns, panel), depth);
  Value workspace =
      emitWorkspaceBytes(b, b.getLoc(), spec, target, rows, depth);
  DirectSplit direct =
      emitDirectSplit(b, b.getLoc(), spec, rows, depth, columns, threads);
  Value results[] = {
      b.i64(panel),          packed,
      split.blockRows,       workspace,
      split.columnSplits,    b.mul(split.blocks, split.columnSplits),
      split.blockDepth,      direct.mostRows,
      direct.workspaceBytes, direct.blockColumns,
      direct.tasks};
  for (auto [i, result] : llvm::enumerate(results))
    b.store(result,
            b.advance(task.context, b.i64(4 + int64_t(i)), b.getI64Type()), 8);
}

void ContractionLibrary::emitPack(KernelBuilder &b, TaskArguments task) {
  call(b, getOrEmitPackKernel(module, packSpec, target), task);
}

void ContractionLibrary::emitDirect(KernelBuilder &b, TaskArguments task) {
  call(b, getOrEmitDirectKernel(module, spec, target), task);
}

void ContractionLibrary::emitMatmul(KernelBuilder &b, TaskArguments task) {
  static_assert(unsigned(KernelArg::Rest) == 20,
                "Contraction::run of the runtime fills the words before these");
  func::FuncOp kernel = getOrEmitContractionKernel(module, spec, target);
  if (!spec.integer)
    return call(b, kernel, task);
  KernelSpec wide = spec;
  wide.wide = true;
  Value depth = b.load(
      b.getI64Type(),
      b.advance(task.context, b.i64(int64_t(KernelArg::Depth)), b.getI64Type()),
      8);
  b.ifThenElse(
      b.less(depth, b.i64(getMaxDepth(spec) + 1)),
      [&] { call(b, kernel, task); },
      [&] { call(b, getOrEmitContractionKernel(module, wide, target), task); });
}

namespace {

struct EmitKernelLibraryPass
    : public needle::cpu::impl::CPUEmitKernelLibraryBase<
          EmitKernelLibraryPass> {
  using CPUEmitKernelLibraryBase::CPUEmitKernelLibraryBase;

  void runOnOperation() override {
    const CPUTarget *description = lookupCPUTarget(getOperation(), target);
    if (!description)
      return signalPassFailure();
    for (Operation &op :
         llvm::make_early_inc_range(*getOperation().getBody())) {
      if (!isa<MapKernelOp, ReduceKernelOp, ContractionKernelOp>(op))
        continue;
      emit(&op, *description);
      op.erase();
    }
  }

private:
  void emit(Operation *op, const CPUTarget &target) {
    if (auto map = dyn_cast<MapKernelOp>(op))
      return create(op, "", [&](KernelBuilder &b, TaskArguments task) {
        emitMapKernel(b, map, target, task);
      });
    if (auto reduce = dyn_cast<ReduceKernelOp>(op))
      return create(op, "", [&](KernelBuilder &b, TaskArguments task) {
        emitReduceKernel(b, reduce, target, task);
      });
    ContractionLibrary library(cast<ContractionKernelOp>(op), target);
    create(op, ".plan", [&](KernelBuilder &b, TaskArguments task) {
      library.emitPlan(b, task);
    });
    create(op, ".pack", [&](KernelBuilder &b, TaskArguments task) {
      library.emitPack(b, task);
    });
    create(op, ".direct", [&](KernelBuilder &b, TaskArguments task) {
      library.emitDirect(b, task);
    });
    create(op, "", [&](KernelBuilder &b, TaskArguments task) {
      library.emitMatmul(b, task);
    });
  }

  void create(Operation *op, StringRef suffix, TaskEmitter emitBody) {
    std::string name =
        (SymbolTable::getSymbolName(op).getValue() + suffix).str();
    // The function takes over the name.
    if (suffix.empty())
      SymbolTable::setSymbolName(op, name + ".kernel");
    func::FuncOp function =
        createTask(getOperation(), op->getLoc(), name, emitBody);
    function->setAttr(exportedKernelAttr, UnitAttr::get(&getContext()));
    ++numKernels;
  }
};

} // namespace

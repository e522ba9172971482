//===- ResultsToOutputs.cpp - Results in the caller's buffers -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns the results of entry points into arguments that are written.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Passes.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPURESULTSTOOUTPUTS
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using namespace needle::cpu;

namespace {

/// Where a result comes from.
struct Origin {
  /// In the body of the entry point; null if the result is something else.
  memref::AllocOp alloc;
  /// What gives it more dimensions, if anything does.
  memref::ExpandShapeOp expand;
};

/// The allocation that `result` is, but for casts and an expansion.
Origin getOrigin(Value result, func::FuncOp entry) {
  Origin origin;
  while (true) {
    if (auto cast = result.getDefiningOp<memref::CastOp>()) {
      result = cast.getSource();
      continue;
    }
    auto expand = result.getDefiningOp<memref::ExpandShapeOp>();
    if (!expand || origin.expand ||
        !expand.getResultType().getLayout().isIdentity())
      break;
    origin.expand = expand;
    result = expand.getSrc();
  }
  auto alloc = result.getDefiningOp<memref::AllocOp>();
  if (alloc && alloc->getBlock() == &entry.front() &&
      alloc.getType().getLayout().isIdentity())
    origin.alloc = alloc;
  return origin;
}

/// `output` in the shape of the allocation that it replaces.
Value shapeLike(Origin origin, Value output) {
  OpBuilder builder(origin.alloc);
  Location loc = origin.alloc.getLoc();
  auto castTo = [&](MemRefType type) {
    if (output.getType() != type)
      output = memref::CastOp::create(builder, loc, type, output);
  };
  if (origin.expand) {
    castTo(origin.expand.getResultType());
    output = memref::CollapseShapeOp::create(
        builder, loc, output, origin.expand.getReassociationIndices());
  }
  castTo(origin.alloc.getType());
  return output;
}

LogicalResult convert(func::FuncOp entry) {
  Operation *terminator = entry.front().getTerminator();
  BitVector all(entry.getNumResults(), true);
  for (unsigned i = 0, e = entry.getNumResults(); i < e; ++i) {
    auto type = dyn_cast<MemRefType>(entry.getResultTypes()[i]);
    if (!type || !type.getLayout().isIdentity())
      return entry.emitOpError("must return contiguous buffers here, but "
                               "result ")
             << i << " is " << entry.getResultTypes()[i];
    if (failed(entry.insertArgument(entry.getNumArguments(), type,
                                    entry.getResultAttrDict(i),
                                    entry.getLoc())))
      return failure();
    Value output = entry.getArguments().back();
    Value result = terminator->getOperand(i);
    if (Origin origin = getOrigin(result, entry); origin.alloc) {
      origin.alloc.replaceAllUsesWith(shapeLike(origin, output));
      origin.alloc.erase();
      continue;
    }
    OpBuilder builder(terminator);
    auto origin = FusedLoc::get(
        entry.getContext(), {terminator->getLoc()},
        builder.getStringAttr(terminator->getName().getStringRef()));
    memref::CopyOp::create(builder, origin, result, output);
  }
  terminator->eraseOperands(0, terminator->getNumOperands());
  return entry.eraseResults(all);
}

struct ResultsToOutputsPass
    : needle::cpu::impl::CPUResultsToOutputsBase<ResultsToOutputsPass> {
  void runOnOperation() override {
    for (auto entry : getOperation().getOps<func::FuncOp>())
      if (isEntryPoint(entry) && failed(convert(entry)))
        return signalPassFailure();
  }
};

} // namespace

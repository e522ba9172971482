//===- ProtectInputs.cpp - Inputs belong to the caller --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forbids bufferization to write into the inputs of entry points.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Passes.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUPROTECTINPUTS
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;

namespace {

struct ProtectInputsPass
    : needle::cpu::impl::CPUProtectInputsBase<ProtectInputsPass> {
  void runOnOperation() override {
    auto no = BoolAttr::get(&getContext(), false);
    for (auto entry : getOperation().getOps<func::FuncOp>()) {
      if (!needle::cpu::isEntryPoint(entry))
        continue;
      for (BlockArgument argument : entry.getArguments())
        if (isa<TensorType>(argument.getType()))
          entry.setArgAttr(
              argument.getArgNumber(),
              bufferization::BufferizationDialect::kWritableAttrName, no);
    }
  }
};

} // namespace

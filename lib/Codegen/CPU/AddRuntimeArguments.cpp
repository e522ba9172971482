//===- AddRuntimeArguments.cpp - What an entry point gets from the runtime ===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Appends arena, weights, number of threads and frame to each entry point.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Passes.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUADDRUNTIMEARGUMENTS
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using namespace needle::cpu;

namespace {

struct AddRuntimeArgumentsPass
    : needle::cpu::impl::CPUAddRuntimeArgumentsBase<AddRuntimeArgumentsPass> {
  void runOnOperation() override {
    Builder builder(&getContext());
    auto bytes = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
    const Type types[] = {bytes, bytes, builder.getIndexType(),
                          LLVM::LLVMPointerType::get(&getContext())};
    static_assert(std::size(types) == unsigned(RuntimeArg::Count));
    for (auto entry : getOperation().getOps<func::FuncOp>()) {
      if (!isEntryPoint(entry))
        continue;
      if (entry.getNumResults() != 0) {
        entry.emitOpError("must have no results here: an entry point returns "
                          "through buffers that its caller provides");
        return signalPassFailure();
      }
      for (Type type : types)
        if (failed(entry.insertArgument(entry.getNumArguments(), type, {},
                                        entry.getLoc())))
          return signalPassFailure();
    }
  }
};

} // namespace

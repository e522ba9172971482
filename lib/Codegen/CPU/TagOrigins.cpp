//===- TagOrigins.cpp - Locations that know their operation ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Puts the name of each needle operation into its location.
//
//===----------------------------------------------------------------------===//

#include "needle/Codegen/CPU/Passes.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUTAGORIGINS
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;

namespace {

struct TagOriginsPass : needle::cpu::impl::CPUTagOriginsBase<TagOriginsPass> {
  /// loc("a.mlir":1:2)  →  loc(fused<"needle.add">["a.mlir":1:2])
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (!isa<needle::NeedleDialect>(op->getDialect()))
        return;
      op->setLoc(FusedLoc::get(
          op->getContext(), {op->getLoc()},
          StringAttr::get(op->getContext(), op->getName().getStringRef())));
    });
  }
};

} // namespace

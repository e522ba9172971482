//===- NeedleCPUDialect.cpp - The needle_cpu dialect ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers the operations of the dialect.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

#include "needle/Dialect/NeedleCPU/IR/NeedleCPUDialect.cpp.inc"

void needle::cpu::NeedleCPUDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "needle/Dialect/NeedleCPU/IR/NeedleCPUOps.cpp.inc"
      >();
}

//===- Passes.h - Passes of CPU code generation -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CODEGEN_CPU_PASSES_H
#define NEEDLE_CODEGEN_CPU_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

namespace needle::cpu {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

#endif // NEEDLE_CODEGEN_CPU_PASSES_H

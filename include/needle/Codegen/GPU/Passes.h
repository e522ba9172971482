//===- Passes.h - Passes of GPU code generation -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CODEGEN_GPU_PASSES_H
#define NEEDLE_CODEGEN_GPU_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace needle::cuda {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "needle/Codegen/GPU/Passes.h.inc"
} // namespace needle::cuda

#endif // NEEDLE_CODEGEN_GPU_PASSES_H

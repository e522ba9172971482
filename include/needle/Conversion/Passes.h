//===- Passes.h - Conversion passes -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the passes that convert the needle dialect into others.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_CONVERSION_PASSES_H
#define NEEDLE_CONVERSION_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

namespace needle {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "needle/Conversion/Passes.h.inc"
} // namespace needle

#endif // NEEDLE_CONVERSION_PASSES_H

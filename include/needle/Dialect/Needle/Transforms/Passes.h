//===- Passes.h - Passes on the needle dialect ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the constructors, option structs and registration of the passes.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLE_TRANSFORMS_PASSES_H
#define NEEDLE_DIALECT_NEEDLE_TRANSFORMS_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "needle/Dialect/Needle/Transforms/Quantize.h"

namespace needle {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "needle/Dialect/Needle/Transforms/Passes.h.inc"

} // namespace needle

#endif // NEEDLE_DIALECT_NEEDLE_TRANSFORMS_PASSES_H

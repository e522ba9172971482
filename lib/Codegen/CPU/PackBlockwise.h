//===- PackBlockwise.h - Packs constant 4-bit weights -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_PACKBLOCKWISE_H
#define NEEDLE_LIB_CODEGEN_CPU_PACKBLOCKWISE_H

#include "mlir/IR/PatternMatch.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

namespace needle::cpu {

/// pack_blockwise(weights) → weight. An error at `op` if an operand is not
/// constant, or one of its integers does not fit 4 bits.
mlir::LogicalResult packBlockwise(PackBlockwiseOp op,
                                  mlir::RewriterBase &rewriter);

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_PACKBLOCKWISE_H

//===- DotProduct.h - Products added up in vectors --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_DOTPRODUCT_H
#define NEEDLE_LIB_CODEGEN_CPU_DOTPRODUCT_H

#include "KernelBuilder.h"
#include "needle/Codegen/CPU/TargetDescription.h"

namespace needle::cpu {

/// Adds to each i32 of `sum` the two products of a pair of i16 of `left` with
/// the pair of `right` at the same place.
mlir::Value emitPairDot(KernelBuilder &b, const CPUTarget &target,
                        mlir::Value sum, mlir::Value left, mlir::Value right);

/// sum + left · right in f32, with one rounding where the target has such an
/// instruction, else two.
mlir::Value emitMultiplyAdd(KernelBuilder &b, const CPUTarget &target,
                            mlir::Value left, mlir::Value right,
                            mlir::Value sum);

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_DOTPRODUCT_H

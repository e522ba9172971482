//===- KernelSelection.h - The kernel of a needle_cpu operation -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_KERNELSELECTION_H
#define NEEDLE_LIB_CODEGEN_CPU_KERNELSELECTION_H

#include "needle/Codegen/CPU/Kernel.h"

namespace needle::cpu {

/// The kernels of a contraction: `narrow` where sums fit i32, `wide` where they
/// do not. Only what K, if static, leaves possible is there; with a dynamic K
/// that may be either, both are.
struct ContractionKernels {
  std::optional<KernelSpec> narrow;
  std::optional<KernelSpec> wide;
  /// For a single row, where M is dynamic.
  std::optional<KernelSpec> oneRow;

  const KernelSpec &first() const { return narrow ? *narrow : *wide; }
  /// The one that packs more of lhs; a workspace is planned for it.
  const KernelSpec &largest() const {
    return narrow && (!wide || narrow->form == DotForm::Pairs) ? *narrow
                                                               : *wide;
  }
};

ContractionKernels selectKernels(MatmulOp op);
inline ContractionKernels selectKernels(MatmulOp op, const CPUTarget &) {
  return selectKernels(op);
}
ContractionKernels selectKernels(QMatmulOp op, const CPUTarget &target);
PackSpec selectKernel(PackRhsOp op);

/// Whether the kernel of this contraction may pack its lhs. Only a kernel for a
/// few rows of f32 that are known to be contiguous always reads them in place.
bool packsLhs(MatmulOp op);
bool packsLhs(QMatmulOp op);

/// An error unless the function that `op` is in has the arguments that
/// needle-cpu-add-runtime-arguments appends.
mlir::LogicalResult verifyRuntimeArguments(mlir::Operation *op);

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_KERNELSELECTION_H

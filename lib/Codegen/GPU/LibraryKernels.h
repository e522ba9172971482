//===- LibraryKernels.h - Emits the kernels of a library --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each function adds the kernels of one operation to its module. They read the
// words of the context that the operation's description fixes.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_GPU_LIBRARYKERNELS_H
#define NEEDLE_LIB_CODEGEN_GPU_LIBRARYKERNELS_H

#include "GPUBuilder.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

namespace needle::cuda {

/// NAME: a thread for each element, with the context of MapKernelOp.
void emitMapKernel(mlir::ModuleOp module, cpu::MapKernelOp op);

/// NAME: a block for each result; NAME_columns: a thread for each. The context
/// is that of ReduceKernelOp.
void emitReduceKernels(mlir::ModuleOp module, cpu::ReduceKernelOp op);

/// NAME of f32: a block for each tile of the result, in the x direction
/// columns, y rows, z products of a batch; see FloatMatmulArg.
void emitFloatMatmul(mlir::ModuleOp module, cpu::ContractionKernelOp op);

/// NAME of integers, and NAME_wide with sums of i64: likewise, see
/// IntegerMatmulArg.
void emitIntegerMatmul(mlir::ModuleOp module, cpu::ContractionKernelOp op,
                       const CUDATarget &target);

/// The words of a product of f32. Strides count elements.
enum class FloatMatmulArg {
  Lhs,
  LhsRowStride,
  LhsColStride,
  Rhs,
  RhsRowStride,
  RhsColStride,
  Dest,
  DestRowStride,
  Rows,
  Columns,
  Depth,
  Count
};
/// Tile of a block.
inline constexpr int64_t floatTileRows = 64, floatTileColumns = 64;

/// The words of a product of u8. lhs [M, K] and rhs [N, K], both with rows that
/// are contiguous, aligned to 16 bytes and a multiple of them apart; strides
/// count elements.
enum class IntegerMatmulArg {
  Lhs,
  LhsRowStride,
  LhsZeroPoint,
  Rhs,
  RhsRowStride,
  RhsZeroPoint,
  Scales, ///< f32 [N]
  Bias,   ///< f32 [N], or 0 where the kernel has none
  Dest,
  DestRowStride,
  Rows,
  Columns,
  Depth,
  Count
};

} // namespace needle::cuda

#endif // NEEDLE_LIB_CODEGEN_GPU_LIBRARYKERNELS_H

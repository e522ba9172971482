//===- BlockwiseKernel.h - Kernels for 4-bit weights ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The packed form of a 4-bit weight, and the kernels that multiply with it:
// functions with the NdlTask signature, emitted once for each BlockwiseSpec and
// target. docs/Rationale/BlockwiseWeights.md derives both.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_CODEGEN_CPU_BLOCKWISEKERNEL_H
#define NEEDLE_CODEGEN_CPU_BLOCKWISEKERNEL_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "needle/Dialect/NeedleCPU/IR/BlockwiseLayout.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <string>
#include <vector>

namespace needle::cpu {

/// Packs a row-major weight of `depth` × `columns`, one integer in a byte,
/// which fits 4 bits. Zero points are there exactly if the layout is
/// asymmetric.
std::vector<int8_t> packBlockwise(const BlockwiseLayout &layout, int64_t depth,
                                  int64_t columns,
                                  llvm::ArrayRef<int8_t> stored,
                                  llvm::ArrayRef<float> scales,
                                  llvm::ArrayRef<uint8_t> zeroPoints);

/// What distinguishes one kernel from another.
struct BlockwiseSpec {
  BlockwiseActivations activations = BlockwiseActivations::Float32;
  bool asymmetric = false;
  int64_t blockSize = 32;

  bool isInteger() const { return activations == BlockwiseActivations::Int8; }
  /// The register tile of the kernel. Of integers it has few rows: for sums of
  /// a chunk and of all blocks both, more would not fit the registers.
  RegisterTile tile(const CPUTarget &target) const {
    if (!isInteger())
      return target.floatTile;
    return {std::min(target.intTile.rows, 4U), target.intTile.columns};
  }
  BlockwiseLayout layout(const CPUTarget &target) const {
    return {blockSize, asymmetric, tile(target).columns};
  }
  /// A name such as "qmatmul_blockwise_s8i4_b32.avx2.6x16", unique per spec.
  std::string getName(const CPUTarget &target) const;
};

BlockwiseSpec getSpec(QMatmulBlockwiseOp op);

/// The words of a kernel's context, in order.
enum class BlockwiseArg : unsigned {
  Lhs,            ///< pointer
  LhsRowStride,   ///< elements
  LhsColStride,   ///< elements
  Rhs,            ///< pointer to the packed weight
  Dest,           ///< pointer
  DestRowStride,  ///< elements
  Rows,           ///< M
  Depth,          ///< K
  Columns,        ///< N
  Workspace,      ///< pointer
  WorkspaceBytes, ///< for each worker
  BlockRows,      ///< rows of lhs in one task
  ColumnSplits,   ///< tasks along N for each block of rows
  Count
};

/// How a product is divided into tasks, and what each worker needs. All values
/// are i64.
struct BlockwiseSplit {
  mlir::Value blockRows;
  mlir::Value columnSplits;
  mlir::Value tasks;
  mlir::Value isInline; ///< i1: too little work to wake other threads
};
BlockwiseSplit emitBlockwiseSplit(mlir::OpBuilder &builder, mlir::Location loc,
                                  const BlockwiseSpec &spec,
                                  const CPUTarget &target, mlir::Value rows,
                                  mlir::Value depth, mlir::Value columns,
                                  mlir::Value threads);
mlir::Value emitBlockwiseWorkspaceBytes(mlir::OpBuilder &builder,
                                        mlir::Location loc,
                                        const BlockwiseSpec &spec,
                                        const CPUTarget &target,
                                        mlir::Value rows, mlir::Value depth);

/// Names the kernel of `op` and gives it a workspace, on buffers.
mlir::LogicalResult prepareBlockwise(QMatmulBlockwiseOp op,
                                     const CPUTarget &target);

/// Returns the kernel function for `spec`, emitting it at the end of `module`
/// if it is not there yet.
mlir::func::FuncOp getOrEmitBlockwiseKernel(mlir::ModuleOp module,
                                            const BlockwiseSpec &spec,
                                            const CPUTarget &target);

} // namespace needle::cpu

#endif // NEEDLE_CODEGEN_CPU_BLOCKWISEKERNEL_H

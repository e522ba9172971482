//===- TargetDescription.h - CUDA targets as data ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A CUDA target is a row of a table: the oldest GPU that its PTX runs on, the
// version of PTX, the instruction that multiplies integers, and how products
// are tiled for it.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_CODEGEN_GPU_TARGETDESCRIPTION_H
#define NEEDLE_CODEGEN_GPU_TARGETDESCRIPTION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace mlir {
class Operation;
} // namespace mlir

namespace needle::cuda {

/// Threads of a warp, and of every block that needle launches.
inline constexpr unsigned warpThreads = 32, blockThreads = 256;

/// What a block of threads computes of a result.
struct BlockTile {
  unsigned rows, columns;
};

/// On a kernel: its BlockTile, as array<i32: rows, columns>.
inline constexpr llvm::StringLiteral blockTileAttr = "needle.block_tile";

/// A matrix instruction: D += A·B with A [rows, depth] and B [depth, columns],
/// u8, i32 sums.
struct MatrixInstruction {
  /// Intrinsic by the types of A and B, e.g. "llvm.nvvm.mma.m16n8k32.row.col".
  llvm::StringLiteral intrinsic;
  unsigned rows, columns, depth;

  /// 32-bit registers of a thread that hold a fragment of D.
  unsigned sumRegisters() const { return rows * columns / warpThreads; }
};

/// How the result of an integer product is divided.
struct IntegerTile {
  /// Of a block of threads; depth in bytes, a multiple of the instruction's.
  unsigned rows, columns, depth;
  /// Of a warp.
  unsigned warpRows, warpColumns;
  /// Parts of K in shared memory at once.
  unsigned stages;

  constexpr unsigned sharedBytes() const {
    return stages * (rows + columns) * depth;
  }
};

/// One CUDA target. docs/Rationale/CUDAKernels.md derives the tiles.
struct CUDATarget {
  /// The name that options and artifacts use; LLVM's and ptxas' as well.
  llvm::StringLiteral name;
  /// LLVM feature string: the version of PTX.
  llvm::StringLiteral features;
  /// Major version times ten plus the minor one.
  unsigned computeCapability;
  MatrixInstruction integerDot;
  /// Whether global memory is copied to shared memory behind the threads' backs
  /// (cp.async).
  bool copiesAsynchronously;
  IntegerTile integerTile;
  /// Of products with sums of i64.
  IntegerTile wideTile;
};

/// All targets, oldest first.
llvm::ArrayRef<CUDATarget> getCUDATargets();

/// The target of that name; null if there is none.
const CUDATarget *lookupCUDATarget(llvm::StringRef name);

/// The names of all targets, comma separated, for error messages.
std::string getCUDATargetNames();

/// The target of that name, or null after an error at `op`.
const CUDATarget *lookupCUDATarget(mlir::Operation *op, llvm::StringRef name);

} // namespace needle::cuda

#endif // NEEDLE_CODEGEN_GPU_TARGETDESCRIPTION_H

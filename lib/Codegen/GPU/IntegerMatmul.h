//===- IntegerMatmul.h - Products of u8 by matrix instructions --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block computes a tile of the result, each warp a part of it. Parts of 64
// bytes of K wait in shared memory, several of them, while the next ones are
// copied. Matrix instructions add up products of u8; zero points come in
// afterwards: Σ(a−za)(b−zb) = Σab − zb·Σa − za·Σb + K·za·zb, where everything
// may wrap, since the final sum fits i32 (N4).
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_GPU_INTEGERMATMUL_H
#define NEEDLE_LIB_CODEGEN_GPU_INTEGERMATMUL_H

#include "LibraryKernels.h"

namespace needle::cuda {

class IntegerMatmul {
public:
  IntegerMatmul(GPUBuilder &b, mlir::ModuleOp module, llvm::StringRef name,
                const CUDATarget &target, const IntegerTile &tile, bool hasBias,
                mlir::Value context);

  void emit(bool wide);

private:
  using Values = llvm::SmallVector<mlir::Value>;

  /// One operand: a matrix of rows along K, of which a block reads some.
  struct Operand {
    mlir::Value global;   ///< the first row of the block
    mlir::Value rowsLeft; ///< from there on, i64
    mlir::Value stride;
    unsigned rows;
    int64_t sharedOffset; ///< within a stage
  };

  mlir::Value arg(IntegerMatmulArg which) { return args[unsigned(which)]; }
  unsigned rowTiles() const { return tile.warpRows / 8; }
  unsigned columnTiles() const { return tile.warpColumns / 8; }
  unsigned numSums() const { return rowTiles() * columnTiles() * 2; }

  void emitPlaces();
  Operand makeOperand(IntegerMatmulArg pointer, mlir::Value firstRow,
                      mlir::Value numRows, unsigned rows, int64_t sharedOffset);

  // From global to shared memory.
  mlir::Value stageOf(mlir::Value part);
  mlir::Value swizzled(mlir::Value row, mlir::Value chunk);
  /// Calls `emit` for each chunk that this thread copies of `operand`. Where
  /// threads are more than chunks, it is inside of a condition if `guarded`,
  /// else with chunks of no bytes.
  void
  forEachChunk(const Operand &operand, mlir::Value first, mlir::Value last,
               bool guarded,
               llvm::function_ref<void(mlir::Value from, mlir::Value offset,
                                       mlir::Value bytes)>
                   emit);
  void emitCopyAsynchronously(mlir::Value part, mlir::Value first,
                              mlir::Value last);
  Values emitLoad(mlir::Value part, mlir::Value first, mlir::Value last);
  void emitStore(llvm::ArrayRef<mlir::Value> chunks, mlir::Value part);
  Values emitMasked(mlir::Value words, mlir::Value bytes);

  // From shared memory to sums.
  Values emitMatrices(mlir::Value stage, int64_t offset, mlir::Value warpFirst,
                      unsigned firstRow, unsigned slab, bool rowsFirst);
  Values emitPart(mlir::Value stage, mlir::ValueRange carried);
  void emitDots(llvm::ArrayRef<mlir::Value> lhs,
                llvm::ArrayRef<mlir::Value> rhs, Values &sums);
  mlir::Value emitByteSum(mlir::Value bytes, mlir::Value sum);

  /// The sums of the terms [first, last), zero points subtracted.
  Values emitSums(mlir::Value first, mlir::Value last);
  Values emitLoopAsynchronous(mlir::Value first, mlir::Value last, Values sums);
  Values emitLoopSynchronous(mlir::Value first, mlir::Value last, Values sums);
  Values emitCorrected(llvm::ArrayRef<mlir::Value> carried, mlir::Value terms);
  Values emitWideSums();
  void emitResults(llvm::ArrayRef<mlir::Value> sums);

  GPUBuilder &b;
  const CUDATarget &target;
  const IntegerTile &tile;
  bool hasBias;
  Values args;
  mlir::Type i8, i32, i64, f32;
  mlir::Value memory;
  mlir::Value lane, group, inGroup; ///< i64: lane / 4 and lane % 4
  mlir::Value warpRow, warpColumn;  ///< i64: of this warp within the tile
  mlir::Value firstRow, firstColumn;
  Operand operands[2];
};

} // namespace needle::cuda

#endif // NEEDLE_LIB_CODEGEN_GPU_INTEGERMATMUL_H

//===- BlockwiseKernel.h - Emits one kernel for 4-bit weights ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of a kernel, from the outside in:
//
//   task     a block of rows × a range of panels, handed out by parallelFor
//   lhs      rows quantized by blocks (or copied), with what goes with each
//   panel    NR columns; unpacked once where many rows read it
//   tile     rows × NR accumulators, over all blocks along K
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_CPU_BLOCKWISEKERNEL_H
#define NEEDLE_LIB_CODEGEN_CPU_BLOCKWISEKERNEL_H

#include "KernelBuilder.h"
#include "needle/Codegen/CPU/BlockwiseKernel.h"

namespace needle::cpu {

/// The instruction that multiplies bytes in pairs, of which the first operand
/// is unsigned, and adds neighbours to i16, without loss for halves of bytes;
/// empty where the target has none and integers are widened to i16.
llvm::StringRef getByteDotIntrinsic(const CPUTarget &target);

/// Bytes of one quantized activation: 2 where integers are widened.
int64_t getActivationBytes(const CPUTarget &target);
/// What precedes each block of quantized activations: an f32 scale and an i32
/// correction.
inline constexpr int64_t activationHeaderBytes = 8;

/// Bytes of f32 that hold a row up to whole chunks, in whole cache lines.
mlir::Value emitFloatRowBytes(KernelBuilder &builder,
                              const BlockwiseLayout &layout, mlir::Value depth);
/// Bytes between prepared rows of lhs: whole cache lines, and one more, so that
/// rows do not fall into the same cache set.
mlir::Value emitPreparedRowStride(KernelBuilder &builder,
                                  const BlockwiseSpec &spec,
                                  const CPUTarget &target, mlir::Value depth);

class BlockwiseKernel {
public:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;

  BlockwiseKernel(KernelBuilder &builder, const BlockwiseSpec &spec,
                  const CPUTarget &target);

  /// Emits the body of a function with the NdlTask signature.
  void emit(Value context, Value begin, Value end, Value worker);

private:
  /// Prepared rows of lhs.
  struct Rows {
    Value base;
    Value stride; ///< bytes
  };
  /// The panel that tiles read.
  struct Panel {
    Value headers; ///< of the first block, where it was packed
    Value weights; ///< the integers of the first block, or what they became
    bool unpacked; ///< weights are bytes (f32), not halves of bytes
    Value dest;    ///< of row 0 of the block, first column of the panel
    Value columns; ///< valid columns
    Value ragged;  ///< i1: the panel has fewer than NR columns
  };

  // BlockwiseKernel.cpp: task, panel, store.
  void emitTask(Value task, Value worker);
  void emitPanel(Value index, Value firstRow, Value rowCount, Rows lhs,
                 Value unpacked);
  void emitTileAndStore(unsigned rows, const Panel &panel, Rows lhs, Value row);
  void emitStore(unsigned rows, mlir::ValueRange sums, const Panel &panel,
                 Value row);
  /// Pointers to every third row: with one for each of six rows the loop runs
  /// out of scalar registers.
  Values rowPointers(unsigned rows, Rows lhs);
  Value rowElement(mlir::ValueRange pointers, Rows lhs, unsigned row,
                   int64_t offset);

  // BlockwiseLhs.cpp
  Rows emitRows(Value firstRow, Value rowCount, Value scratch);
  void emitCopyRow(Value source, Value dest);
  void emitQuantizeRow(Value source, Value dest);
  Value emitBlockScale(Value source, Value count);
  Value emitQuantizeBlock(Value source, Value count, Value scale, Value dest);

  // BlockwiseInteger.cpp
  Values emitIntegerTile(unsigned rows, Rows lhs, const Panel &panel);
  Values emitChunk(unsigned rows, Rows lhs, mlir::ValueRange pointers,
                   int64_t offset, Value weights, bool unpacked,
                   mlir::ValueRange sums);
  Values emitNibbles(Value weights, bool unpacked, unsigned step);
  Value emitProducts(Value weights, Value element);
  Value emitWiden(Value sums);
  Values emitCorrections(unsigned rows, Rows lhs, mlir::ValueRange pointers,
                         Value header);
  void emitUnpackIntegers(Value packed, Value dest);
  /// Bytes of a quantized activation.
  int64_t elementBytes() const { return getActivationBytes(target); }

  // BlockwiseFloat.cpp
  Values emitFloatTile(unsigned rows, Rows lhs, const Panel &panel);
  Values emitUnpackedFloatTile(unsigned rows, Rows lhs, Value weights);
  Values emitPackedFloatTile(unsigned rows, Rows lhs, const Panel &panel);
  Values emitBiases(Value header);
  /// Calls `use(k, weights)` for the eight k of one group, with the centered
  /// integers of NR columns as f32.
  void forEachWeight(Value group, mlir::ValueRange biases,
                     llvm::function_ref<void(unsigned, mlir::ValueRange)> use);
  void emitUnpackFloats(Value packed, Value dest);

  // What the parts share.
  using ChunkEmitter = llvm::function_ref<Values(mlir::ValueRange)>;
  /// Emits `emitChunk` for each chunk of a block; it takes what it carries to
  /// what the next chunk takes.
  Values forEachChunk(Value block, mlir::ValueRange carried,
                      ChunkEmitter emitChunk);
  Value chunksOf(Value block);
  Value loadScales(Value header, unsigned v);
  Value loadZeroPoints(Value header, unsigned v);

  Value arg(BlockwiseArg which) { return args[unsigned(which)]; }
  unsigned vectors() const { return tile.columns / lanes; }
  mlir::VectorType f32s() { return b.vec(lanes, f32); }
  mlir::VectorType i32s() { return b.vec(lanes, i32); }

  KernelBuilder &b;
  const BlockwiseSpec &spec;
  const CPUTarget &target;
  RegisterTile tile;
  BlockwiseLayout layout;
  llvm::StringRef byteDot; ///< getByteDotIntrinsic
  unsigned lanes;
  mlir::Type i8, i16, i32, i64, f32;
  Values args;
  Value chunks, blocks; ///< of the whole depth
  Value raggedDest;     ///< a tile on the stack
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_BLOCKWISEKERNEL_H

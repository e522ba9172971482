//===- ContractionKernel.h - Emits one contraction kernel -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of a contraction kernel, from the outside in:
//
//   task      blocks of rows × ranges of panels, handed out by parallelFor
//   block     rows of lhs as tiles read them, packed where they must be
//   panel     NR columns of packed rhs; a ragged last one goes through scratch
//   tile      MR × NR accumulators in registers over all of K, and an epilogue
//
// The loops are the same for all kernels. FloatKernel and IntegerKernel say how
// rows are packed, what a tile does, and what becomes of its sums. Rows that
// are windows of images are gathered first, and are a matrix from then on.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_CPU_CONTRACTIONKERNEL_H
#define NEEDLE_LIB_CODEGEN_CPU_CONTRACTIONKERNEL_H

#include "KernelBuilder.h"
#include "LibraryKernels.h"
#include "needle/Codegen/CPU/Kernel.h"

namespace needle::cpu {

class ContractionKernel {
public:
  using Value = mlir::Value;

  virtual ~ContractionKernel() = default;

  /// Emits the body of a function with the NdlTask signature.
  void emit(TaskArguments task);

protected:
  ContractionKernel(KernelBuilder &builder, const KernelSpec &spec,
                    const CPUTarget &target, RegisterTile tile);

  /// Rows of lhs that tiles read.
  struct Rows {
    Value base;   ///< pointer to the first row
    Value stride; ///< bytes between rows
  };
  /// The part of the result that a task computes.
  struct Block {
    Value firstRow, rowCount;
    Value firstPanel, lastPanel; ///< [first, last)
    Value firstTerm, terms;      ///< along K; all of them, or a part at a time
    Value worker;
  };
  /// Where a tile's epilogue reads and writes; NR columns are always valid.
  struct Panel {
    Value index;
    Value rhs;
    unsigned rhsBits; ///< of integers: as packed, or widened for this block
    Value scales;
    Value bias;
    Value dest;       ///< of row 0 of the block, first column of the panel
    Value destStride; ///< bytes between rows
    Value ragged;     ///< i1: the panel has fewer than NR columns
    Value columns;    ///< valid columns
    Value destActual; ///< where the valid columns of a ragged panel belong;
                      ///< for emitFinishedTile, the first row of the tile
    Value destActualStride;
    Value row; ///< for emitFinishedTile, of the tile in its block
  };

  /// Emits what lies before the loop over tasks. The stack can be taken here.
  virtual void emitPrologue();
  virtual void emitBlock(const Block &block);
  /// The rows of a block as tiles read them, from its first term on.
  virtual Rows emitLhsRows(const Block &block) = 0;
  virtual void emitPanels(const Block &block, Rows lhs);
  /// The sums of `rows` rows, by rows, a vector of columns each.
  virtual llvm::SmallVector<Value> emitTile(unsigned rows, Rows lhs,
                                            const Panel &panel) = 0;
  /// A tile with its epilogue, stored at `dest`.
  virtual void emitFinishedTile(unsigned rows, const Panel &panel, Rows lhs,
                                Value dest);
  /// i1: whether a tile has now been stored; null where it always has.
  virtual Value getStores() const { return {}; }
  /// What is stored for `sum`, of which `scale` and `bias` may be null: f32
  /// bias, activation and N1. Vectors or scalars.
  virtual Value emitFinish(Value sum, Value scale, Value bias);

  // ContractionKernel.cpp: block and panel.
  Value emitSelectGroup(Value index, llvm::ArrayRef<Value> all);
  /// With `whole`, a panel that is known to have all its columns.
  Panel emitPanel(Value index, Value firstRow, bool whole = false);
  /// Tiles of all rows; the rows that are left over in one tile, or in tiles of
  /// a power of two.
  void emitRowsOfPanel(const Panel &panel, Rows lhs, Value rowCount,
                       unsigned tileRows, bool leftInOneTile);
  /// The first row of a block, with the strides of lhs: of a matrix, or
  /// gathered from images.
  Value emitSource(const Block &block);
  void emitTileAndStore(unsigned rows, const Panel &panel, Rows lhs, Value row);
  /// Copies the valid columns of a tile of a ragged panel to where they belong,
  /// or from there.
  void emitCopyRagged(unsigned rows, const Panel &panel, bool back = false);
  /// The scratch memory of a worker.
  Value emitWorkspace(Value worker);

  // Microkernel.cpp
  /// Emits the next sums from the pointers to rhs columns and to one lhs
  /// element (or group) of each row.
  using StepEmitter = llvm::function_ref<llvm::SmallVector<Value>(
      Value columns, llvm::ArrayRef<Value> elements, mlir::ValueRange sums)>;
  /// Memory to bring into the L2 cache along the way.
  struct Prefetch {
    Value pointer;   ///< null for none
    Value stepBytes; ///< how far each step advances
  };
  /// `count` steps, `unroll` in each round of the loop, and what is left of
  /// them one by one. A round prefetches one line.
  llvm::SmallVector<Value>
  emitSteps(unsigned rows, Rows lhs, unsigned lhsStepBytes, Value rhs,
            unsigned rhsStepBytes, Value count, mlir::ValueRange inits,
            StepEmitter emitStep, unsigned unroll = 1, Prefetch prefetch = {});

  // Epilogue.cpp
  void emitEpilogue(unsigned rows, llvm::ArrayRef<Value> sums,
                    const Panel &panel, Value dest);
  /// Each `count` neighbours of vectors as one vector.
  llvm::SmallVector<Value> emitJoin(llvm::ArrayRef<Value> parts,
                                    unsigned count);
  /// Calls `visit` with the number and the address of each vector of a tile.
  void forEachVector(unsigned rows, Value dest, Value stride,
                     llvm::function_ref<void(unsigned, Value)> visit);

  Value arg(KernelArg which) { return args[unsigned(which)]; }
  unsigned vectors() const { return tile.columns / lanes; }
  mlir::Type destType() const;
  unsigned destBytes() const { return spec.dest == DestKind::Q8 ? 1 : 4; }
  mlir::Type biasType() const { return spec.integerBias ? i32 : f32; }
  bool hasScales() const { return spec.integer && spec.dest != DestKind::I32; }

  KernelBuilder &b;
  const KernelSpec &spec;
  const CPUTarget &target;
  RegisterTile tile;
  unsigned lanes;
  mlir::Type i8, i16, i32, i64, f32;

private:
  llvm::SmallVector<Value> args;
  Value destScale, destZeroPoint;
  // Scratch on the stack.
  Value raggedScales, raggedBias, raggedDest;
};

/// Emits the body of a kernel that reads rhs where it lies (see DirectArg).
void emitDirectKernel(KernelBuilder &builder, const KernelSpec &spec,
                      const CPUTarget &target, TaskArguments task);

/// Emits the body of a packing kernel (see PackArg).
void emitPackRhs(KernelBuilder &builder, const PackSpec &spec,
                 const CPUTarget &target, mlir::Value context,
                 mlir::Value begin, mlir::Value end);

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_CONTRACTIONKERNEL_H

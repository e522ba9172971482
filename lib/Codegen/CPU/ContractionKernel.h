//===- ContractionKernel.h - Emits one contraction kernel -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of a contraction kernel, from the outside in:
//
//   task      blocks of rows × ranges of panels, handed out by parallelFor
//   block     lhs rows packed (integers: widened, zero point subtracted)
//   panel     NR columns of packed rhs; a ragged last one goes through scratch
//   tile      MR × NR accumulators in registers over all of K, then the
//   epilogue
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_CPU_CONTRACTIONKERNEL_H
#define NEEDLE_LIB_CODEGEN_CPU_CONTRACTIONKERNEL_H

#include "KernelBuilder.h"
#include "needle/Codegen/CPU/Kernel.h"

namespace needle::cpu {

class ContractionKernel {
public:
  using Value = mlir::Value;

  ContractionKernel(KernelBuilder &builder, const KernelSpec &spec,
                    const CPUTarget &target);

  /// Emits the body of a function with the NdlTask signature.
  void emit(Value context, Value begin, Value end, Value worker);

private:
  /// Packed rows of lhs that a tile reads.
  struct Rows {
    Value base;   ///< pointer to the first row
    Value stride; ///< bytes between rows
  };
  /// Where a tile's epilogue reads and writes; NR columns are always valid.
  struct Panel {
    Value rhs;
    unsigned rhsBits; ///< of integers: as packed, or widened for this block
    Value scales;
    Value bias;
    Value dest;       ///< of row 0 of the block, first column of the panel
    Value destStride; ///< bytes between rows
    Value ragged;     ///< i1: the panel has fewer than NR columns
    Value columns;    ///< valid columns
    Value destActual; ///< where the valid columns of a ragged panel belong
    Value destActualStride;
  };

  // ContractionKernel.cpp: task, block, panel.
  void emitTask(Value task, Value worker);
  Panel emitPanel(Value index, Value firstRow);
  /// Tiles of all rows; the rows that are left over in one tile, or in tiles of
  /// a power of two.
  void emitRowsOfPanel(const Panel &panel, Rows lhs, Value rowCount,
                       bool leftInOneTile);
  Value emitWidenedPanel(Value rhs, Value scratch);
  void emitTileAndStore(unsigned rows, const Panel &panel, Rows lhs, Value row);
  void emitCopyRagged(unsigned rows, const Panel &panel, Value row);

  // PackLhs.cpp
  Rows emitLhsRows(Value firstRow, Value rowCount, Value worker);
  void emitPackIntegerRows(Value source, Value dest, Value rowCount,
                           Value destStride);
  void emitPackFloatRows(Value source, Value dest, Value rowCount,
                         Value destStride);
  void emitPackFloatSquare(Value source, Value dest, Value row, Value k,
                           Value destStride);

  // Microkernel.cpp
  llvm::SmallVector<Value> emitFloatTile(unsigned rows, Rows lhs, Value rhs);
  llvm::SmallVector<Value> emitIntegerTile(unsigned rows, Rows lhs,
                                           const Panel &panel, Value firstPair,
                                           Value lastPair);
  /// Emits the next sums from the pointers to rhs columns and to one lhs
  /// element (or pair) of each row.
  using StepEmitter = llvm::function_ref<llvm::SmallVector<Value>(
      Value columns, llvm::ArrayRef<Value> elements, mlir::ValueRange sums)>;
  llvm::SmallVector<Value> emitSteps(unsigned rows, Rows lhs,
                                     unsigned lhsStepBytes, Value rhs,
                                     unsigned rhsStepBytes, Value count,
                                     mlir::Type sumType, StepEmitter emitStep);
  Value emitPairs(Value pointer, unsigned rhsBits);

  // Epilogue.cpp
  void emitEpilogue(unsigned rows, llvm::ArrayRef<Value> sums,
                    const Panel &panel, Value dest);
  void emitWideTile(unsigned rows, const Panel &panel, Rows lhs, Value dest);
  Value emitFinish(Value sum, Value scale, Value bias);

  Value arg(KernelArg which) { return args[unsigned(which)]; }
  unsigned vectors() const { return tile.columns / lanes; }
  mlir::Type destType() const;
  unsigned destBytes() const { return spec.dest == DestKind::Q8 ? 1 : 4; }
  bool hasScales() const { return spec.integer && spec.dest != DestKind::I32; }

  KernelBuilder &b;
  const KernelSpec &spec;
  const CPUTarget &target;
  RegisterTile tile;
  unsigned lanes;
  mlir::Type i8, i16, i32, i64, f32;
  llvm::SmallVector<Value> args;
  Value lhsZeroPoint; ///< i32
  Value destScale, destZeroPoint;
  // Scratch on the stack.
  Value raggedScales, raggedBias, raggedDest, wideSums, wideTile;
};

/// Emits the body of a packing kernel (see PackArg).
void emitPackRhs(KernelBuilder &builder, const PackSpec &spec,
                 const CPUTarget &target, mlir::Value context,
                 mlir::Value begin, mlir::Value end);

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_CONTRACTIONKERNEL_H

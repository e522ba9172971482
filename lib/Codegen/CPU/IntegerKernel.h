//===- IntegerKernel.h - 8-bit contraction kernels --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_INTEGERKERNEL_H
#define NEEDLE_LIB_CODEGEN_CPU_INTEGERKERNEL_H

#include "ContractionKernel.h"
#include "QuadInstruction.h"

namespace needle::cpu {

class IntegerKernel : public ContractionKernel {
public:
  IntegerKernel(KernelBuilder &builder, const KernelSpec &spec,
                const CPUTarget &target)
      : ContractionKernel(builder, spec, target, spec.getTile(target)) {}

protected:
  void emitPrologue() override;
  /// Pairs: rows widened to i16 with the zero point subtracted. Nibbles: halves
  /// of u8. Other forms: rows of u8, in place where that is possible.
  Rows emitLhsRows(const Block &block) override;
  /// Pairs: where many tiles read a panel of i8, it is widened once.
  void emitPanels(const Block &block, Rows lhs) override;
  llvm::SmallVector<Value> emitTile(unsigned rows, Rows lhs,
                                    const Panel &panel) override;
  /// Through sums of i64 in memory where they exceed i32 (N4).
  void emitFinishedTile(unsigned rows, const Panel &panel, Rows lhs,
                        Value dest) override;
  /// All parts but the last leave sums in memory.
  Value getStores() const override { return part ? part->isLast : Value(); }
  /// Rescales before all the rest (N5).
  Value emitFinish(Value sum, Value scale, Value bias) override;

private:
  // IntegerKernel.cpp
  void emitPackRows(Value source, Value dest, Value rowCount, Value destStride);
  /// A stored element of lhs, or a vector of them, as tiles read it.
  Value emitConvert(Value narrow);
  void emitWideSums(unsigned rows, const Panel &panel, Rows lhs);

  /// Panels of which a part along K at a time is widened to `scratch`.
  void emitWidenedPanels(const Block &block, Rows lhs, Value scratch);
  void emitPrefetchOfNext(const Panel &panel);
  /// Adds the present part to the sums of a tile in memory; the last part
  /// finishes them.
  void emitPartOfTile(unsigned rows, const Panel &panel, Rows lhs, Value dest);

  // IntegerDots.cpp
  /// Adds to each sum the products of one pair of its row and its columns.
  void emitPairDots(llvm::ArrayRef<Value> elements, unsigned pair,
                    llvm::ArrayRef<Value> columns,
                    llvm::MutableArrayRef<Value> sums);
  /// Of quads of i8: the pairs of their even elements and of their odd ones,
  /// i16. By shifts where the multiplier is what the loop is short of.
  std::array<Value, 2> emitHalves(Value quads, bool multiplierIsFree);
  void emitWiden(Value rhs, Value scratch, Value groups);
  /// Adds the groups [first, last) of four along K to sums; to zeros where
  /// there are none.
  llvm::SmallVector<Value> emitPairs(unsigned rows, Rows lhs, Value rhs,
                                     Value first, Value last,
                                     llvm::SmallVector<Value> sums = {});
  llvm::SmallVector<Value> emitPairsOfQuads(unsigned rows, Rows lhs, Value rhs,
                                            Value first, Value last);
  llvm::SmallVector<Value> emitBytes(unsigned rows, Rows lhs,
                                     const Panel &panel);
  /// `groups` groups of bytes, as many at once as may be summed in 16 bits.
  llvm::SmallVector<Value> emitByteDots(unsigned groups, unsigned perWindow,
                                        Value columns,
                                        llvm::ArrayRef<Value> elements,
                                        mlir::ValueRange sums);
  /// Adds what is left of split weights.
  llvm::SmallVector<Value> emitRest(unsigned rows, Rows lhs, const Panel &panel,
                                    mlir::ValueRange sums);
  llvm::SmallVector<Value> emitQuads(unsigned rows, Rows lhs, Value rhs);
  /// One element of 32 bits for each of `count` groups of a row, in all lanes.
  llvm::SmallVector<Value> loadElements(Value pointer, unsigned count,
                                        mlir::VectorType type);
  /// All groups, `step` at once, and those that are left one by one; `lhsBytes`
  /// is what a group takes of a row.
  llvm::SmallVector<Value>
  emitGroups(unsigned rows, Rows lhs, unsigned lhsBytes, Value rhs,
             unsigned step, mlir::ValueRange sums,
             llvm::function_ref<llvm::SmallVector<Value>(
                 unsigned step, Value columns, llvm::ArrayRef<Value> elements,
                 mlir::ValueRange sums)>
                 emitStep);
  /// What sums of stored lhs start with, so that they end as those of lhs minus
  /// its zero point: a vector for each of columns.
  llvm::SmallVector<Value> emitZeroPointTerms(Value rhs);
  Value emitCall(llvm::StringRef intrinsic, mlir::Type type,
                 mlir::ValueRange operands);
  /// Quads of i8 of one vector of columns.
  Value loadQuads(Value columns, unsigned group, unsigned vector);
  /// `bits` at `pointer + index·bits/8`, in all lanes, as `type`.
  Value loadElement(Value pointer, unsigned index, mlir::Type word,
                    mlir::VectorType type);

  // NibbleDots.cpp
  /// Rows of quads: the low halves of each before the high ones.
  void emitPackNibbles(Value source, Value dest, Value rowCount,
                       Value destStride);
  Value emitSplitNibbles(Value bytes);
  llvm::SmallVector<Value> emitNibbles(unsigned rows, Rows lhs, Value rhs);
  /// `groups` groups of a window.
  llvm::SmallVector<Value> emitNibbleDots(unsigned groups, Value columns,
                                          llvm::ArrayRef<Value> elements,
                                          mlir::ValueRange sums);

  // WideningDots.cpp
  /// As emitPairs, from panels of i16 or of i8.
  llvm::SmallVector<Value> emitWidening(unsigned rows, Rows lhs, Value rhs,
                                        unsigned rhsBits, Value first,
                                        Value last,
                                        llvm::SmallVector<Value> sums);
  llvm::SmallVector<Value> loadPlaces(Value base, unsigned vector,
                                      unsigned rhsBits);

  // MatrixDots.cpp
  llvm::SmallVector<Value> emitMatrices(unsigned rows, Rows lhs, Value rhs);
  llvm::SmallVector<Value> emitMatrixDots(unsigned groups, Value columns,
                                          llvm::ArrayRef<Value> elements,
                                          mlir::ValueRange sums);

  /// Whether tiles read lhs as u8 where it is stored as i8, or the reverse.
  bool changesSign() const {
    bool readsSigned = spec.form == DotForm::Quads && quads.isSigned;
    return spec.form != DotForm::Pairs && spec.lhsUnsigned == readsSigned;
  }
  /// Whether a row of lhs has the even elements of each quad before the odd
  /// ones, as emitHalves has them.
  bool splitsQuads() const {
    return spec.form == DotForm::Pairs && spec.rhsBits == 8;
  }
  /// Where element `k` of such a row is.
  static constexpr int64_t splitPlace(int64_t k) {
    return k / 4 * 4 + k % 2 * 2 + k / 2 % 2;
  }
  Value numGroups() { return b.ceilDiv(arg(KernelArg::Depth), 4); }
  unsigned groupBytes() const { return 4 * tile.columns; }
  /// Rows of a tile that widens quads in registers: half as many as of floats,
  /// as there are two halves of each column beside the sums.
  unsigned rowsOfQuads() const {
    return std::max(1U, target.floatTile.rows / 2);
  }

  /// Of a panel that is widened: a part along K.
  struct Part {
    Value groups, isFirst, isLast;
    Value next;          ///< the part that follows, not widened
    Value prefetchLines; ///< how much of it each tile prefetches
  };
  std::optional<Part> part;
  Value partSums; ///< of the rows of a block, [rows][NR] of i32, on the stack

  const QuadInstruction quads = getQuadInstruction(target.quadDotIntrinsic);
  Value lhsZeroPoint;       ///< of lhs as tiles read it, i32
  Value wideSums, wideTile; ///< scratch on the stack
  Value splitQuad;          ///< of nibbles: a quad that is not whole, likewise
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_INTEGERKERNEL_H

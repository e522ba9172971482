//===- IntegerKernel.h - 8-bit contraction kernels --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_INTEGERKERNEL_H
#define NEEDLE_LIB_CODEGEN_CPU_INTEGERKERNEL_H

#include "ContractionKernel.h"

namespace needle::cpu {

class IntegerKernel : public ContractionKernel {
public:
  IntegerKernel(KernelBuilder &builder, const KernelSpec &spec,
                const CPUTarget &target)
      : ContractionKernel(builder, spec, target, target.intTile) {}

protected:
  void emitPrologue() override;
  /// Rows are widened to i16 with the zero point subtracted.
  Rows emitLhsRows(const Block &block) override;
  /// Where many tiles read a panel of i8, it is widened once.
  void emitPanels(const Block &block, Rows lhs) override;
  llvm::SmallVector<Value> emitTile(unsigned rows, Rows lhs,
                                    const Panel &panel) override;
  /// Through sums of i64 in memory where they exceed i32 (N4).
  void emitFinishedTile(unsigned rows, const Panel &panel, Rows lhs,
                        Value dest) override;
  /// Rescales before all the rest (N5).
  Value emitFinish(Value sum, Value scale, Value bias) override;

private:
  void emitPackRows(Value source, Value dest, Value rowCount, Value destStride);
  Value emitWidenedPanel(Value rhs, Value scratch);
  llvm::SmallVector<Value> emitPairs(unsigned rows, Rows lhs,
                                     const Panel &panel, Value firstPair,
                                     Value lastPair);
  Value emitLoadPairs(Value pointer, unsigned rhsBits);
  Value numPairs() { return b.ceilDiv(arg(KernelArg::Depth), 2); }

  Value lhsZeroPoint;       ///< i16
  Value wideSums, wideTile; ///< scratch on the stack
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_INTEGERKERNEL_H

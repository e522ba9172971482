//===- FloatKernel.h - f32 contraction kernels ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_FLOATKERNEL_H
#define NEEDLE_LIB_CODEGEN_CPU_FLOATKERNEL_H

#include "ContractionKernel.h"

namespace needle::cpu {

class FloatKernel : public ContractionKernel {
public:
  FloatKernel(KernelBuilder &builder, const KernelSpec &spec,
              const CPUTarget &target)
      : ContractionKernel(builder, spec, target, target.floatTile) {}

protected:
  /// Rows that are contiguous are read in place, others are packed.
  Rows emitLhsRows(const Block &block) override;
  llvm::SmallVector<Value> emitTile(unsigned rows, Rows lhs,
                                    const Panel &panel) override;

private:
  void emitPackRows(Value source, Value dest, Value rowCount, Value destStride);
  void emitPackSquare(Value source, Value dest, Value row, Value k,
                      Value destStride);
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_FLOATKERNEL_H

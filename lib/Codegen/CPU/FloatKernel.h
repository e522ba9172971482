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
  /// Takes K in parts that the first caches hold. Sums wait in dest for their
  /// next terms, so that their order is that of K whatever the parts.
  void emitBlock(const Block &block) override;
  void emitPanels(const Block &block, Rows lhs) override;
  /// Rows that are contiguous are read in place where few panels read them,
  /// others are packed.
  Rows emitLhsRows(const Block &block) override;
  llvm::SmallVector<Value> emitTile(unsigned rows, Rows lhs,
                                    const Panel &panel) override;
  void emitFinishedTile(unsigned rows, const Panel &panel, Rows lhs,
                        Value dest) override;

  /// How many terms a packed row has room for.
  virtual Value packedTerms() { return arg(KernelArg::BlockDepth); }

  // The part of K that code is being emitted for.
  Value terms, isFirst, isLast;

private:
  llvm::SmallVector<Value> emitFirstSums(unsigned rows, const Panel &panel,
                                         Value dest);
  llvm::SmallVector<Value> emitTerms(unsigned rows, Rows lhs,
                                     const Panel &panel,
                                     mlir::ValueRange inits);
  void emitCopyRows(const Block &block, Value source, Value dest,
                    Value destStride);
  void emitPackRows(const Block &block, Value source, Value dest,
                    Value destStride);
  void emitPackSquare(Value source, Value dest, Value row, Value k,
                      Value destStride);

  Value patches;      ///< gathered rows of the block
  Value nextRhs;      ///< the panel after the present one
  Value prefetchStep; ///< bytes of it to prefetch in each step of a tile
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_FLOATKERNEL_H

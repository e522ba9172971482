//===- FewRowsKernel.h - f32 contractions of one or two rows ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_FEWROWSKERNEL_H
#define NEEDLE_LIB_CODEGEN_CPU_FEWROWSKERNEL_H

#include "FloatKernel.h"

namespace needle::cpu {

/// Reads rhs once, several panels side by side, and takes all of K at once.
class FewRowsKernel : public FloatKernel {
public:
  using FloatKernel::FloatKernel;

protected:
  void emitBlock(const Block &block) override;
  void emitPanels(const Block &block, Rows lhs) override;
  Value packedTerms() override { return arg(KernelArg::Depth); }

private:
  void emitGroup(unsigned panels, Value first, const Block &block, Rows lhs);
  llvm::SmallVector<Value> emitGroupSums(unsigned panels, Value rhs, Rows lhs);
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_FEWROWSKERNEL_H

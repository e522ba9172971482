//===- TransposeLanes.h - Transposes a square of vectors --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_TRANSPOSELANES_H
#define NEEDLE_LIB_CODEGEN_CPU_TRANSPOSELANES_H

#include "KernelBuilder.h"

namespace needle::cpu {

/// Lane j of result i is lane i of vector j. There are as many vectors as
/// lanes, a power of two.
///
/// Exchanges blocks of 1, 2, 4, … lanes between vectors that are as many apart,
/// which takes n·log2(n) two-operand shuffles.
inline llvm::SmallVector<mlir::Value>
transposeLanes(KernelBuilder &b, llvm::SmallVector<mlir::Value> vectors) {
  int64_t lanes = vectors.size();
  for (int64_t block = 1; block < lanes; block *= 2) {
    llvm::SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      bool even = lane / block % 2 == 0;
      low.push_back(even ? lane : lanes + lane - block);
      high.push_back(even ? lane + block : lanes + lane);
    }
    for (int64_t i = 0; i < lanes; ++i) {
      if (i / block % 2 != 0)
        continue;
      mlir::Value first = vectors[i], second = vectors[i + block];
      vectors[i] = mlir::vector::ShuffleOp::create(b, first, second, low);
      vectors[i + block] =
          mlir::vector::ShuffleOp::create(b, first, second, high);
    }
  }
  return vectors;
}

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_TRANSPOSELANES_H

//===- Packing.h - Packs constant weights -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layouts of needle_cpu.pack_rhs, on host memory.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_CODEGEN_CPU_PACKING_H
#define NEEDLE_CODEGEN_CPU_PACKING_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/MathExtras.h"
#include <cstdint>
#include <vector>

namespace needle::cpu {

/// A matrix K×N in memory, N×K when `transposed`.
struct RhsShape {
  int64_t depth;   ///< K
  int64_t columns; ///< N
  bool transposed;
  /// Whose columns have panels of their own.
  int64_t groups = 1;

  int64_t groupColumns() const { return columns / groups; }
  int64_t groupPanels(int64_t panel) const {
    return llvm::divideCeil(groupColumns(), panel);
  }
  int64_t index(int64_t k, int64_t n) const {
    return transposed ? n * depth + k : k * columns + n;
  }
};

/// Packs f32 to [ceil(N/panel)][K][panel], zero-padded; here and below the
/// panels of each group behind those of the one before.
std::vector<float> packFloatRhs(llvm::ArrayRef<float> source, RhsShape shape,
                                int64_t panel);

/// Packs i8 whose zero point is 0 to [ceil(N/panel)][ceil(K/4) + 1][panel][4],
/// the last group of each column being its sum, an i32 in little-endian order.
std::vector<int8_t> packIntegerRhs(llvm::ArrayRef<int8_t> source,
                                   RhsShape shape, int64_t panel);

/// Packs integers (read as u8 when `isUnsigned`), widened to i16 with the zero
/// point subtracted; `zeroPoints` has one element, or one per column.
std::vector<int16_t> packWideRhs(llvm::ArrayRef<int8_t> source, bool isUnsigned,
                                 llvm::ArrayRef<int32_t> zeroPoints,
                                 RhsShape shape, int64_t panel);

} // namespace needle::cpu

#endif // NEEDLE_CODEGEN_CPU_PACKING_H

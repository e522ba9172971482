// What the matrix operations have in common.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_MATRIX_H
#define NEEDLE_CUDASIM_EXEC_MATRIX_H

#include "exec/warp.h"

namespace ndl::cudasim {

/// Options of mma.
enum : uint32_t {
  mmaSaturates = 1,
  mmaHalfD = 2,
  mmaHalfC = 4,
  mmaKindShift = 3, // one of the kinds
  mmaRowsShift = 8,
  mmaDepthShift = 16,

  mmaF16 = 0,
  mmaBF16 = 1,
  mmaTF32 = 2
};

/// False with a fault unless all 32 lanes have met.
bool isWholeWarp(Warp &warp, const Instr &instr, uint32_t met);

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_MATRIX_H

//===- Frame.h - The invocation frame in generated code ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NdlFrame of needle-rt/abi.h as generated code addresses it.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_CPU_FRAME_H
#define NEEDLE_LIB_CODEGEN_CPU_FRAME_H

#include "needle-rt/abi.h"
#include <cstddef>

namespace needle::cpu {

/// Indices of the frame's fields, counted in 8-byte words.
enum class FrameWord : unsigned {
  Inputs = offsetof(NdlFrame, inputs) / 8,
  Outputs = offsetof(NdlFrame, outputs) / 8,
  Dims = offsetof(NdlFrame, dims) / 8,
  Weights = offsetof(NdlFrame, weights) / 8,
  Arena = offsetof(NdlFrame, arena) / 8,
  Threads = offsetof(NdlFrame, threads) / 8,
  ParallelFor = offsetof(NdlFrame, parallelFor) / 8,
  MarkStep = offsetof(NdlFrame, markStep) / 8,
  Runtime = offsetof(NdlFrame, runtime) / 8,
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_FRAME_H

//===- GatherPatches.h - Windows of images as rows --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_GATHERPATCHES_H
#define NEEDLE_LIB_CODEGEN_CPU_GATHERPATCHES_H

#include "KernelBuilder.h"
#include "needle/Codegen/CPU/TargetDescription.h"

namespace needle::cpu {

/// Images whose windows are gathered.
struct PatchImages {
  mlir::Value patchArgs; ///< pointer to the words of PatchArg
  mlir::Value images;    ///< pointer to the first pixel
  mlir::Value fill;      ///< i8, every byte of padding
};

/// The windows that are wanted, and where they go.
struct PatchRows {
  mlir::Value dest;     ///< pointer
  mlir::Value rowBytes; ///< from row to row
  mlir::Value first;    ///< index of the first window
  mlir::Value count;
};

/// Emits a loop that copies windows of images to rows, whatever the type of the
/// elements: neighbouring pixels of a row of the kernel in one piece where they
/// are neighbours in memory.
void emitGatherPatches(KernelBuilder &b, const CPUTarget &target,
                       const PatchImages &images, const PatchRows &rows);

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_GATHERPATCHES_H

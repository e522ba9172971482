//===- TargetDescription.cpp - CUDA targets as data -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Codegen/GPU/TargetDescription.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace needle::cuda;

static constexpr CUDATarget targets[] = {
    {/*name=*/{"sm_75"},
     /*features=*/{"+ptx65"},
     /*computeCapability=*/75,
     /*integerDot=*/{{"llvm.nvvm.mma.m8n8k16.row.col"}, 8, 8, 16},
     /*copiesAsynchronously=*/false,
     /*integerTile=*/{128, 64, 64, 32, 32, 2},
     /*wideTile=*/{64, 32, 64, 16, 16, 2}},
    {/*name=*/{"sm_80"},
     /*features=*/{"+ptx70"},
     /*computeCapability=*/80,
     /*integerDot=*/{{"llvm.nvvm.mma.m16n8k32.row.col"}, 16, 8, 32},
     /*copiesAsynchronously=*/true,
     /*integerTile=*/{128, 128, 64, 64, 32, 3},
     /*wideTile=*/{64, 64, 64, 32, 16, 3}},
    {/*name=*/{"sm_90"},
     /*features=*/{"+ptx78"},
     /*computeCapability=*/90,
     /*integerDot=*/{{"llvm.nvvm.mma.m16n8k32.row.col"}, 16, 8, 32},
     /*copiesAsynchronously=*/true,
     /*integerTile=*/{128, 128, 64, 64, 32, 3},
     /*wideTile=*/{64, 64, 64, 32, 16, 3}},
};

/// What the emitter takes for granted of a tile.
static constexpr bool fits(const CUDATarget &target, const IntegerTile &tile) {
  const MatrixInstruction &dot = target.integerDot;
  unsigned warps = blockThreads / warpThreads;
  return (tile.rows / tile.warpRows) * (tile.columns / tile.warpColumns) ==
             warps &&
         tile.warpRows % dot.rows == 0 &&
         // Fragments of B are read in pairs of columns or of depth.
         tile.warpColumns % 16 == 0 && tile.depth == 64 &&
         tile.sharedBytes() <= 48 * 1024;
}

static constexpr bool allFit() {
  for (const CUDATarget &target : targets)
    if (!fits(target, target.integerTile) || !fits(target, target.wideTile))
      return false;
  return true;
}
static_assert(allFit());

llvm::ArrayRef<CUDATarget> needle::cuda::getCUDATargets() { return targets; }

const CUDATarget *needle::cuda::lookupCUDATarget(llvm::StringRef name) {
  const auto *found = llvm::find_if(
      targets, [&](const CUDATarget &target) { return target.name == name; });
  return found == std::end(targets) ? nullptr : found;
}

std::string needle::cuda::getCUDATargetNames() {
  return llvm::join(
      llvm::map_range(targets,
                      [](const CUDATarget &target) { return target.name; }),
      ", ");
}

const CUDATarget *needle::cuda::lookupCUDATarget(mlir::Operation *op,
                                                 llvm::StringRef name) {
  const CUDATarget *target = lookupCUDATarget(name);
  if (!target)
    op->emitError("unknown CUDA target '")
        << name << "'; there are " << getCUDATargetNames();
  return target;
}

//===- TargetDescription.cpp - CPU targets as data ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Codegen/CPU/TargetDescription.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/Host.h"

using namespace needle::cpu;

static constexpr CPUTarget targets[] = {
    {/*name=*/{"x86-64"},
     /*triple=*/{"x86_64-unknown-linux-gnu"},
     /*cpu=*/{"x86-64"},
     /*features=*/{""},
     /*requiredFeatures=*/{"sse2"},
     /*preference=*/0,
     /*vectorBits=*/128,
     /*fusedMultiplyAdd=*/false,
     /*floatTile=*/{2, 16},
     /*intTile=*/{2, 16},
     /*pairDotIntrinsic=*/{"llvm.x86.sse2.pmadd.wd"},
     /*blockRows=*/96},
    {/*name=*/{"avx2"},
     /*triple=*/{"x86_64-unknown-linux-gnu"},
     /*cpu=*/{"x86-64"},
     /*features=*/{"+avx2,+fma"},
     /*requiredFeatures=*/{"avx2,fma"},
     /*preference=*/1,
     /*vectorBits=*/256,
     /*fusedMultiplyAdd=*/true,
     /*floatTile=*/{6, 16},
     /*intTile=*/{6, 16},
     /*pairDotIntrinsic=*/{"llvm.x86.avx2.pmadd.wd"},
     /*blockRows=*/96},
    {/*name=*/{"neon"},
     /*triple=*/{"aarch64-unknown-linux-gnu"},
     /*cpu=*/{"generic"},
     /*features=*/{"+neon"},
     /*requiredFeatures=*/{"neon"},
     /*preference=*/0,
     /*vectorBits=*/128,
     /*fusedMultiplyAdd=*/true,
     /*floatTile=*/{6, 16},
     /*intTile=*/{4, 16},
     /*pairDotIntrinsic=*/{""},
     /*blockRows=*/96},
};

/// Packing happens before it is known whether integers or floats are packed
/// for, so a target has one panel width.
static constexpr bool haveOnePanelWidth() {
  for (const CPUTarget &target : targets)
    if (target.floatTile.columns != target.intTile.columns)
      return false;
  return true;
}
static_assert(haveOnePanelWidth());

llvm::ArrayRef<CPUTarget> needle::cpu::getCPUTargets() { return targets; }

llvm::Triple::ArchType needle::cpu::getHostArchitecture() {
  return llvm::Triple(llvm::sys::getProcessTriple()).getArch();
}

llvm::SmallVector<std::string> needle::cpu::getDefaultCPUTargets() {
  llvm::SmallVector<std::string> names;
  for (const CPUTarget &target : targets)
    if (target.architecture() == getHostArchitecture())
      names.push_back(target.name.str());
  return names;
}

const CPUTarget *needle::cpu::lookupCPUTarget(llvm::StringRef name) {
  for (const CPUTarget &target : targets)
    if (target.name == name)
      return &target;
  return nullptr;
}

std::string needle::cpu::getCPUTargetNames() {
  return llvm::join(
      llvm::map_range(
          targets, [](const CPUTarget &target) { return target.name.str(); }),
      ", ");
}

const CPUTarget *needle::cpu::lookupCPUTarget(mlir::Operation *op,
                                              llvm::StringRef name) {
  const CPUTarget *target = lookupCPUTarget(name);
  if (!target)
    op->emitError() << "unknown CPU target '" << name << "'; there are "
                    << getCPUTargetNames();
  return target;
}

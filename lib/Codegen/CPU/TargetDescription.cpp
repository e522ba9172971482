//===- TargetDescription.cpp - CPU targets as data ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Codegen/CPU/TargetDescription.h"
#include "mlir/IR/Operation.h"
#include "needle-rt/cpu_features.h"
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
     /*byDefault=*/true,
     /*vectorBits=*/128,
     /*fusedMultiplyAdd=*/false,
     /*floatTile=*/{2, 16},
     /*intTile=*/{2, 16},
     /*byteTile=*/{0, 16},
     /*quadTile=*/{0, 16},
     /*pairDotIntrinsic=*/{"llvm.x86.sse2.pmadd.wd"},
     /*byteDotIntrinsic=*/{""},
     /*quadDotIntrinsic=*/{""},
     /*blockRows=*/96},
    {/*name=*/{"avx2"},
     /*triple=*/{"x86_64-unknown-linux-gnu"},
     /*cpu=*/{"x86-64"},
     /*features=*/{"+avx2,+fma"},
     /*requiredFeatures=*/{"avx2,fma"},
     /*preference=*/1,
     /*byDefault=*/true,
     /*vectorBits=*/256,
     /*fusedMultiplyAdd=*/true,
     /*floatTile=*/{6, 16},
     /*intTile=*/{6, 16},
     /*byteTile=*/{4, 16},
     /*quadTile=*/{0, 16},
     /*pairDotIntrinsic=*/{"llvm.x86.avx2.pmadd.wd"},
     /*byteDotIntrinsic=*/{"llvm.x86.avx2.pmadd.ub.sw"},
     /*quadDotIntrinsic=*/{""},
     /*blockRows=*/192},
    {/*name=*/{"avx-vnni"},
     /*triple=*/{"x86_64-unknown-linux-gnu"},
     /*cpu=*/{"x86-64"},
     /*features=*/{"+avx2,+fma,+avxvnni"},
     /*requiredFeatures=*/{"avx2,fma,avxvnni"},
     /*preference=*/2,
     /*byDefault=*/false,
     /*vectorBits=*/256,
     /*fusedMultiplyAdd=*/true,
     /*floatTile=*/{6, 16},
     /*intTile=*/{6, 16},
     /*byteTile=*/{4, 16},
     /*quadTile=*/{6, 16},
     /*pairDotIntrinsic=*/{"llvm.x86.avx2.pmadd.wd"},
     /*byteDotIntrinsic=*/{"llvm.x86.avx2.pmadd.ub.sw"},
     /*quadDotIntrinsic=*/{"llvm.x86.avx512.vpdpbusd.256"},
     /*blockRows=*/192},
    {/*name=*/{"avx512-vnni"},
     /*triple=*/{"x86_64-unknown-linux-gnu"},
     /*cpu=*/{"x86-64"},
     /*features=*/
     {"+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512vnni"},
     /*requiredFeatures=*/
     {"avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"},
     /*preference=*/3,
     /*byDefault=*/false,
     /*vectorBits=*/512,
     /*fusedMultiplyAdd=*/true,
     /*floatTile=*/{12, 32},
     /*intTile=*/{12, 32},
     /*byteTile=*/{12, 32},
     /*quadTile=*/{12, 32},
     /*pairDotIntrinsic=*/{"llvm.x86.avx512.pmaddw.d.512"},
     /*byteDotIntrinsic=*/{"llvm.x86.avx512.pmaddubs.w.512"},
     /*quadDotIntrinsic=*/{"llvm.x86.avx512.vpdpbusd.512"},
     /*blockRows=*/96},
    {/*name=*/{"neon"},
     /*triple=*/{"aarch64-unknown-linux-gnu"},
     /*cpu=*/{"generic"},
     /*features=*/{"+neon"},
     /*requiredFeatures=*/{"neon"},
     /*preference=*/0,
     /*byDefault=*/true,
     /*vectorBits=*/128,
     /*fusedMultiplyAdd=*/true,
     /*floatTile=*/{6, 16},
     /*intTile=*/{3, 16},
     /*byteTile=*/{0, 16},
     /*quadTile=*/{0, 16},
     /*pairDotIntrinsic=*/{""},
     /*byteDotIntrinsic=*/{""},
     /*quadDotIntrinsic=*/{""},
     /*blockRows=*/96},
    {/*name=*/{"neon-dotprod"},
     /*triple=*/{"aarch64-unknown-linux-gnu"},
     /*cpu=*/{"generic"},
     /*features=*/{"+neon,+dotprod"},
     /*requiredFeatures=*/{"neon,dotprod"},
     /*preference=*/1,
     /*byDefault=*/true,
     /*vectorBits=*/128,
     /*fusedMultiplyAdd=*/true,
     /*floatTile=*/{6, 16},
     /*intTile=*/{3, 16},
     /*byteTile=*/{0, 16},
     /*quadTile=*/{4, 16},
     /*pairDotIntrinsic=*/{""},
     /*byteDotIntrinsic=*/{""},
     /*quadDotIntrinsic=*/{"llvm.aarch64.neon.sdot"},
     /*blockRows=*/96},
    {/*name=*/{"neon-i8mm"},
     /*triple=*/{"aarch64-unknown-linux-gnu"},
     /*cpu=*/{"generic"},
     /*features=*/{"+neon,+dotprod,+i8mm"},
     /*requiredFeatures=*/{"neon,dotprod,i8mm"},
     /*preference=*/2,
     /*byDefault=*/true,
     /*vectorBits=*/128,
     /*fusedMultiplyAdd=*/true,
     /*floatTile=*/{6, 16},
     /*intTile=*/{3, 16},
     /*byteTile=*/{0, 16},
     /*quadTile=*/{4, 16},
     /*pairDotIntrinsic=*/{""},
     /*byteDotIntrinsic=*/{""},
     /*quadDotIntrinsic=*/{"llvm.aarch64.neon.usmmla"},
     /*blockRows=*/96},
};

/// Packing happens before it is known which form reads the panels, so a target
/// has one panel width; and blocks consist of whole tiles.
static constexpr bool haveTilesThatFit() {
  for (const CPUTarget &target : targets)
    for (RegisterTile tile :
         {target.floatTile, target.intTile, target.byteTile, target.quadTile})
      if (tile.columns != target.intTile.columns ||
          (tile.rows != 0 && target.blockRows % tile.rows != 0))
        return false;
  return true;
}
static_assert(haveTilesThatFit());

llvm::ArrayRef<CPUTarget> needle::cpu::getCPUTargets() { return targets; }

llvm::Triple::ArchType needle::cpu::getHostArchitecture() {
  return llvm::Triple(llvm::sys::getProcessTriple()).getArch();
}

llvm::SmallVector<std::string> needle::cpu::getDefaultCPUTargets() {
  llvm::SmallVector<std::string> names;
  for (const CPUTarget &target : targets)
    if (target.byDefault && target.architecture() == getHostArchitecture())
      names.push_back(target.name.str());
  return names;
}

/// Whether the CPU that this code runs on has all that the target requires.
static bool runsHere(const CPUTarget &target) {
  if (target.architecture() != getHostArchitecture())
    return false;
  ndl::Cpu cpu = ndl::hostCpu();
  llvm::SmallVector<llvm::StringRef> required;
  llvm::StringRef(target.requiredFeatures).split(required, ',');
  return llvm::all_of(required, [&](llvm::StringRef name) {
    std::optional<uint64_t> bit = ndl::featureBit(
        cpu.architecture, std::string_view(name.data(), name.size()));
    return bit && (cpu.features & *bit);
  });
}

const CPUTarget *needle::cpu::getHostCPUTarget() {
  // Those of one architecture come in order of preference.
  for (const CPUTarget &target : llvm::reverse(targets))
    if (runsHere(target))
      return &target;
  return nullptr;
}

const CPUTarget *needle::cpu::lookupCPUTarget(llvm::StringRef name) {
  if (name == kHostTarget)
    return getHostCPUTarget();
  for (const CPUTarget &target : targets)
    if (target.name == name)
      return &target;
  return nullptr;
}

std::string needle::cpu::getCPUTargetNames() {
  return llvm::join(llvm::map_range(targets,
                                    [](const CPUTarget &target) {
                                      return target.name.str();
                                    }),
                    ", ") +
         ", " + kHostTarget.str();
}

std::string needle::cpu::explainCPUTargets(llvm::ArrayRef<std::string> names) {
  if (names.empty())
    return "no CPU target is given; there are " + getCPUTargetNames();
  for (auto [i, name] : llvm::enumerate(names)) {
    const CPUTarget *target = lookupCPUTarget(name);
    if (!target)
      return "unknown CPU target '" + name + "'; there are " +
             getCPUTargetNames();
    if (name == kHostTarget && names.size() > 1)
      return "the CPU target 'host' stands alone; beside others, name what it "
             "stands for here: " +
             target->name.str();
    if (llvm::is_contained(names.take_front(i), name))
      return "the CPU target '" + name + "' is given twice";
  }
  return "";
}

const CPUTarget *needle::cpu::lookupCPUTarget(mlir::Operation *op,
                                              llvm::StringRef name) {
  const CPUTarget *target = lookupCPUTarget(name);
  if (!target)
    op->emitError() << "unknown CPU target '" << name << "'; there are "
                    << getCPUTargetNames();
  return target;
}

//===- TargetDescription.h - CPU targets as data ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A CPU target is a row of a table: how LLVM is to be configured, what a
// machine must have to run the code, and how contractions are tiled and packed
// for it.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_CODEGEN_CPU_TARGETDESCRIPTION_H
#define NEEDLE_CODEGEN_CPU_TARGETDESCRIPTION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/TargetParser/Triple.h"
#include <string>

namespace mlir {
class Operation;
} // namespace mlir

namespace needle::cpu {

/// Register tile of a microkernel: `rows` × `columns` accumulators.
struct RegisterTile {
  unsigned rows;
  unsigned columns;
};

/// One CPU target. docs/Rationale/CPUKernels.md derives the tiles.
struct CPUTarget {
  /// The name that options, artifacts and NEEDLE_ISA use.
  llvm::StringLiteral name;
  llvm::StringLiteral triple;
  llvm::StringLiteral cpu;
  /// LLVM feature string, e.g. "+avx2,+fma".
  llvm::StringLiteral features;
  /// Names of the CPU features that the runtime checks, comma separated.
  llvm::StringLiteral requiredFeatures;
  /// Of several bodies that a CPU can run, the highest preference is taken; the
  /// targets of another architecture count for themselves.
  unsigned preference;
  /// Width of the vectors that kernels are written with.
  unsigned vectorBits;
  /// Whether f32 contractions use a fused multiply-add (else mul, then add).
  bool fusedMultiplyAdd;
  RegisterTile floatTile;
  RegisterTile intTile;
  /// Intrinsic that multiplies pairs of i16 and adds neighbours to i32; without
  /// one, the first of all pairs and the second are multiplied and added.
  llvm::StringLiteral pairDotIntrinsic;
  /// Rows of the left-hand side that are packed at once, a multiple of both
  /// tiles' rows: their packed form stays in the L2 cache.
  unsigned blockRows;

  unsigned lanes() const { return vectorBits / 32; }
  llvm::Triple::ArchType architecture() const {
    return llvm::Triple(triple).getArch();
  }
};

/// All targets: those of one architecture together, in order of preference,
/// least first.
llvm::ArrayRef<CPUTarget> getCPUTargets();

/// The architecture of the machine that this code runs on.
llvm::Triple::ArchType getHostArchitecture();

/// The targets to compile for when none is named: those of this machine's
/// architecture, so that the result runs on every such machine.
llvm::SmallVector<std::string> getDefaultCPUTargets();

/// The target of that name, or null.
const CPUTarget *lookupCPUTarget(llvm::StringRef name);

/// The names of all targets, comma separated, for error messages.
std::string getCPUTargetNames();

/// The target of that name, or null after an error at `op`.
const CPUTarget *lookupCPUTarget(mlir::Operation *op, llvm::StringRef name);

} // namespace needle::cpu

#endif // NEEDLE_CODEGEN_CPU_TARGETDESCRIPTION_H

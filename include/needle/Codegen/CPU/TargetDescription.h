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
#include "llvm/Support/ErrorHandling.h"
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

/// How an integer contraction multiplies a group of neighbours along K.
/// docs/Rationale/CPUKernels.md compares them.
enum class DotForm {
  /// Pairs of i16, exact: both operands are widened.
  Pairs,
  /// Pairs of u8 and i8 summed in saturating i16, then widened. Exact only for
  /// weights that the saturation proof has been through, see ByteDots.h.
  Bytes,
  /// Quads of u8 and i8 summed in i32, exact.
  Quads,
  /// Pairs of u8 and i8, the u8 in halves of four bits, of which 16 bits hold
  /// the sums of eight groups: exact. For one row.
  Nibbles
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
  /// Whether code is made for it when no target is named.
  bool byDefault;
  /// Width of the vectors that kernels are written with.
  unsigned vectorBits;
  /// Whether f32 contractions use a fused multiply-add (else mul, then add).
  bool fusedMultiplyAdd;
  RegisterTile floatTile;
  /// Tiles of integer contractions, by form. All tiles have one width.
  RegisterTile intTile;
  RegisterTile byteTile;
  RegisterTile quadTile;
  /// Intrinsic that multiplies pairs of i16 and adds neighbours to i32; without
  /// one, the first of all pairs and the second are multiplied and added.
  llvm::StringLiteral pairDotIntrinsic;
  /// Intrinsic that multiplies pairs of u8 and i8 and adds neighbours to i16,
  /// saturating; empty where there is none.
  llvm::StringLiteral byteDotIntrinsic;
  /// Intrinsic that adds the products of quads of u8 and i8 to i32; empty where
  /// there is none.
  llvm::StringLiteral quadDotIntrinsic;
  /// Rows of the left-hand side that are packed at once, a multiple of all
  /// tiles' rows: their packed form stays in the L2 cache.
  unsigned blockRows;

  unsigned lanes() const { return vectorBits / 32; }
  /// Columns of a panel.
  unsigned panel() const { return intTile.columns; }
  bool has(DotForm form) const {
    return form == DotForm::Pairs ||
           !(form == DotForm::Quads ? quadDotIntrinsic : byteDotIntrinsic)
                .empty();
  }
  RegisterTile getTile(DotForm form) const {
    switch (form) {
    case DotForm::Pairs:
      return intTile;
    case DotForm::Bytes:
      return byteTile;
    case DotForm::Quads:
      return quadTile;
    case DotForm::Nibbles:
      return {1, panel()};
    }
    llvm_unreachable("not a form");
  }
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
/// architecture, so that the result runs on every such machine, without the
/// ones that only few machines have.
llvm::SmallVector<std::string> getDefaultCPUTargets();

/// Stands for the best target of this CPU wherever one is named.
inline constexpr llvm::StringLiteral kHostTarget = "host";

/// The best target that the CPU this code runs on can run; null if there is
/// none.
const CPUTarget *getHostCPUTarget();

/// The target of that name or `host`; null if there is none.
const CPUTarget *lookupCPUTarget(llvm::StringRef name);

/// The names of all targets and `host`, comma separated, for error messages.
std::string getCPUTargetNames();

/// Why `names` are not the targets of one compilation, e.g. "unknown CPU target
/// 'z80'; …"; empty if they are.
std::string explainCPUTargets(llvm::ArrayRef<std::string> names);

/// The target of that name, or null after an error at `op`.
const CPUTarget *lookupCPUTarget(mlir::Operation *op, llvm::StringRef name);

} // namespace needle::cpu

#endif // NEEDLE_CODEGEN_CPU_TARGETDESCRIPTION_H

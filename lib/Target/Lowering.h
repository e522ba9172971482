//===- Lowering.h - Runs the stages of the CPU pipeline ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_TARGET_LOWERING_H
#define NEEDLE_LIB_TARGET_LOWERING_H

#include "MachineCode.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "needle/Target/Compiler.h"

namespace needle {

using OwningModule = mlir::OwningOpRef<mlir::ModuleOp>;

/// Looks targets up by their names; unknown, repeated or no names are errors at
/// the module.
mlir::FailureOr<llvm::SmallVector<const cpu::CPUTarget *>>
lookupTargets(mlir::ModuleOp module, llvm::ArrayRef<std::string> names);

/// Measures the parts of a compilation.
class StageClock {
public:
  explicit StageClock(std::vector<StageTime> *times) : times(times) {}

  /// Runs `part` and records its time under `name`, followed by the target's
  /// name if there is one.
  template <typename Part>
  auto measure(llvm::StringRef name, const cpu::CPUTarget *target, Part part) {
    double begin = now();
    auto result = part();
    record(name, target, now() - begin);
    return result;
  }

private:
  static double now();
  void record(llvm::StringRef name, const cpu::CPUTarget *target,
              double seconds);

  std::vector<StageTime> *times;
};

/// What the compilation for each target starts from.
struct CommonLowering {
  llvm::SmallVector<const cpu::CPUTarget *> targets;
  /// A copy of the module after the stages that all targets share.
  OwningModule module;
};

/// Looks the targets up, verifies the module and lowers a copy of it.
mlir::FailureOr<CommonLowering> lowerCommon(mlir::ModuleOp module,
                                            llvm::ArrayRef<std::string> names,
                                            StageClock &clock);

/// A copy of such a module after the other stages, up to and including `last`.
mlir::FailureOr<OwningModule> lowerForTarget(mlir::ModuleOp common,
                                             const cpu::CPUTarget &target,
                                             StageClock &clock,
                                             llvm::StringRef last = "llvm");

/// Optimized machine code of a module after the stage "llvm".
mlir::FailureOr<MachineCode> optimizeForTarget(mlir::ModuleOp lowered,
                                               const cpu::CPUTarget &target,
                                               StageClock &clock);

} // namespace needle

#endif // NEEDLE_LIB_TARGET_LOWERING_H

//===- Compiler.h - From a module to code -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The whole way of a module of needle operations to an artifact, to assembly,
// to an object, or to its text at any stage in between.
//
// Every function works on a copy of the module, reports what is wrong through
// the diagnostics of the module's context, and names targets as
// TargetDescription.h does. The module's context must have been made with the
// registry of InitAll.h. Calls on different contexts may run at the same time.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_TARGET_COMPILER_H
#define NEEDLE_TARGET_COMPILER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "needle/Codegen/GPU/TargetDescription.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>
#include <vector>

namespace needle {

struct CompileOptions {
  CompileOptions() = default;
  CompileOptions(llvm::SmallVector<std::string> targets,
                 llvm::SmallVector<std::string> cudaTargets = {})
      : targets(std::move(targets)), cudaTargets(std::move(cudaTargets)) {}

  /// One body for each of these; a CPU runs the best body that it supports.
  llvm::SmallVector<std::string> targets = cpu::getDefaultCPUTargets();
  /// PTX for each of these, beside the bodies; a device runs the newest that it
  /// can.
  llvm::SmallVector<std::string> cudaTargets;
};

/// Wall-clock time of one part of a compilation, in order of execution. The
/// parts that are done for each target carry its name, e.g. "optimize (avx2)".
struct StageTime {
  std::string stage;
  double seconds;
};

struct CompileResult {
  /// The bytes of an artifact file, see needle-rt/artifact_format.h.
  std::vector<uint8_t> artifact;
  std::vector<StageTime> times;
};

/// The names that `printStage` knows, in order of execution.
llvm::ArrayRef<llvm::StringLiteral> getStageNames();

/// Compiles every public function of the module to an entry point.
mlir::FailureOr<CompileResult> compileToArtifact(mlir::ModuleOp module,
                                                 const CompileOptions &options);

/// The assembly of the code for one target.
mlir::FailureOr<std::string> compileToAssembly(mlir::ModuleOp module,
                                               llvm::StringRef target);

/// PTX for one CUDA target: the kernels of a library, see
/// needle-cuda-emit-kernel-library. Entry points are an error so far.
mlir::FailureOr<std::string> compileToPTX(mlir::ModuleOp module,
                                          llvm::StringRef target);

/// A relocatable ELF object with the code for one target. For each function F
/// it defines `F.plan` and `F.run`, see NdlPlanFn and NdlRunFn; the weights are
/// not part of it.
mlir::FailureOr<std::string> compileToObject(mlir::ModuleOp module,
                                             llvm::StringRef target);

/// The text of the module after a stage: "needle" (as given), "fused",
/// "linalg", "buffers", "kernels", "llvm" (the LLVM dialect) or "llvmir"
/// (optimized LLVM IR).
mlir::FailureOr<std::string> printStage(mlir::ModuleOp module,
                                        llvm::StringRef stage,
                                        llvm::StringRef target);

/// A shared library and the C header that declares its functions.
struct SharedLibrary {
  /// An ELF shared object without dependencies but the C library.
  std::string library;
  /// C11 or C++; documents every function.
  std::string header;
};

/// Links one body for each target, the weights and a C interface into a shared
/// library for the architecture of this machine. `name` prefixes every exported
/// function and must be a C identifier.
/// Needs a linker on PATH: `ld.lld`, `ld` or `cc`.
mlir::FailureOr<SharedLibrary>
compileToSharedLibrary(mlir::ModuleOp module, const CompileOptions &options,
                       llvm::StringRef name);

} // namespace needle

#endif // NEEDLE_TARGET_COMPILER_H

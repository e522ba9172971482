//===- MachineCode.h - LLVM's optimizer and code generator ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_TARGET_MACHINECODE_H
#define NEEDLE_LIB_TARGET_MACHINECODE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "needle/Codegen/GPU/TargetDescription.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>
#include <string>

namespace needle {

/// What LLVM is told of a target.
struct CodeTarget {
  llvm::StringRef name, triple, cpu, features;

  CodeTarget(const cpu::CPUTarget &target) // NOLINT: is one
      : name(target.name), triple(target.triple), cpu(target.cpu),
        features(target.features) {}
  CodeTarget(const cuda::CUDATarget &target) // NOLINT: is one
      : name(target.name), triple("nvptx64-nvidia-cuda"), cpu(target.name),
        features(target.features) {}
};

/// A module of LLVM IR on its way to machine code for one target. Everything
/// keeps IEEE semantics: no contraction, no reassociation, no approximation.
class MachineCode {
public:
  /// Sets up an empty module for a target; errors are reported at `location`.
  static mlir::FailureOr<MachineCode> create(mlir::Location location,
                                             const CodeTarget &target);
  /// Translates a module of the LLVM dialect.
  static mlir::FailureOr<MachineCode> translate(mlir::ModuleOp module,
                                                const CodeTarget &target);

  llvm::Module &getModule() { return *module; }

  void optimize();
  std::string print() const;
  /// The module as ELF object or as assembly, which is PTX for GPUs. The module
  /// is spent afterwards.
  mlir::FailureOr<std::string> emit(llvm::CodeGenFileType type);

private:
  explicit MachineCode(mlir::Location location) : location(location) {}

  void prepare(const CodeTarget &target);

  mlir::Location location;
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
};

} // namespace needle

#endif // NEEDLE_LIB_TARGET_MACHINECODE_H

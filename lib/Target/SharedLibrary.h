//===- SharedLibrary.h - The interface of a compiled library ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_TARGET_SHAREDLIBRARY_H
#define NEEDLE_LIB_TARGET_SHAREDLIBRARY_H

#include "mlir/Support/LLVM.h"
#include "needle-rt/artifact_writer.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace needle {

/// A parameter of a library's C function.
struct LibraryParameter {
  /// Unique among the function's parameters, a C identifier.
  std::string name;
  const ndl::TensorModel *tensor;
  /// Names of the parameters for the dynamic dimensions; empty for static ones.
  /// Outputs have none.
  std::vector<std::string> dims;
};

/// The C function of one entry point.
struct LibraryFunction {
  std::string name;
  const ndl::EntryModel *entry;
  std::vector<LibraryParameter> inputs;
  std::vector<LibraryParameter> outputs;
};

/// Names the C functions and their parameters after the model's. `prefix` is a
/// C identifier.
std::vector<LibraryFunction> nameFunctions(const ndl::ArtifactModel &model,
                                           llvm::StringRef prefix);

/// The C header that declares the functions.
std::string writeHeader(const std::vector<LibraryFunction> &functions,
                        llvm::StringRef prefix);

/// The symbol of a function of one body inside the library.
std::string getBodySymbol(const ndl::BodyModel &body, llvm::StringRef function);

/// Fills a module with the tables of SharedLibrarySupport.h, the weights and
/// the typed functions. The bodies are in order of preference, best first.
void emitLibrary(llvm::Module &module, const ndl::ArtifactModel &model,
                 const std::vector<LibraryFunction> &functions,
                 llvm::StringRef prefix);

/// Links ELF objects to a shared library with the linker found on PATH.
llvm::Expected<std::string>
linkSharedLibrary(llvm::ArrayRef<std::string> objects);

/// The functions of SharedLibrarySupport.h as an ELF object.
llvm::StringRef getSupportObject();

} // namespace needle

#endif // NEEDLE_LIB_TARGET_SHAREDLIBRARY_H

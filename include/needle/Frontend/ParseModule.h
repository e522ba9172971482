//===- ParseModule.h - Reading MLIR text from users -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MLIR's parser, guarded against text that would overflow its stack.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_FRONTEND_PARSEMODULE_H
#define NEEDLE_FRONTEND_PARSEMODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <optional>

namespace needle {

/// Brackets may be nested this deep. MLIR's parser, verifier and printer call
/// themselves for each level.
inline constexpr unsigned kMaxNesting = 400;

/// The offset of the first bracket in MLIR text that is nested too deep.
std::optional<size_t> findExcessiveNesting(llvm::StringRef text);

/// Parses and verifies MLIR text or bytecode; null after errors were reported.
/// `name` stands for the text in locations.
mlir::OwningOpRef<mlir::ModuleOp> parseModule(llvm::StringRef text,
                                              llvm::StringRef name,
                                              mlir::MLIRContext *context);

} // namespace needle

#endif // NEEDLE_FRONTEND_PARSEMODULE_H

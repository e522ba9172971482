//===- SourceLocation.h - Where a user wrote something ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The form that source locations have in the graphs of all frontends:
// NameLoc(operation name, FileLineColLoc(file, line, column)).
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_FRONTEND_SOURCELOCATION_H
#define NEEDLE_FRONTEND_SOURCELOCATION_H

#include "mlir/IR/Location.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace needle {

/// A place in the user's program or model, and the name of what stands there.
/// `file` and `name` may be empty, `line` and `column` 0 (unknown).
struct SourceLocation {
  llvm::StringRef file;
  unsigned line = 0;
  unsigned column = 0;
  llvm::StringRef name;
};

/// The location attribute for `source`; unknown if all of it is empty.
mlir::Location makeLocation(mlir::MLIRContext *context,
                            const SourceLocation &source);

/// `location` as it stands at the beginning of a message: "model.py:12",
/// "model.mlir:3:7", "node 'fc1'"; the first of the places when several were
/// fused, the callee of a call; empty if unknown.
std::string formatLocation(mlir::Location location);

} // namespace needle

#endif // NEEDLE_FRONTEND_SOURCELOCATION_H

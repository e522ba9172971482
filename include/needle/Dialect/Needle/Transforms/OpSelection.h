//===- OpSelection.h - Choosing operations by name --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The names of operations, and lists of patterns that include or exclude them.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLE_TRANSFORMS_OPSELECTION_H
#define NEEDLE_DIALECT_NEEDLE_TRANSFORMS_OPSELECTION_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/GlobPattern.h"
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace needle {

/// The name of an operation: its attribute `needle.op_name`, else the first
/// `loc("name")` in its location, else empty.
llvm::StringRef getOpName(mlir::Operation *op);

/// The operations that include and exclude patterns choose: those with a name
/// that matches an include pattern (all, without such patterns) and no exclude
/// pattern.
class OpSelection {
public:
  /// Parses the patterns (llvm::GlobPattern, `{a,b}` allowed) and checks that
  /// each matches a quantizable operation below `root`; an error at `root` says
  /// which does not and lists the names there are.
  static mlir::FailureOr<OpSelection>
  create(mlir::Operation *root, llvm::ArrayRef<std::string> include,
         llvm::ArrayRef<std::string> exclude);

  /// Why the operation is not chosen; nothing if it is.
  std::optional<std::string> reasonAgainst(mlir::Operation *op) const;

private:
  struct Pattern {
    std::string text;
    llvm::GlobPattern glob;
  };

  // A deque never moves its elements: `glob` refers to `text`.
  std::deque<Pattern> includes;
  std::deque<Pattern> excludes;

  static mlir::LogicalResult parse(mlir::Operation *root,
                                   llvm::StringRef option,
                                   llvm::ArrayRef<std::string> texts,
                                   std::deque<Pattern> &patterns);
};

} // namespace needle

#endif // NEEDLE_DIALECT_NEEDLE_TRANSFORMS_OPSELECTION_H

//===- InferTypes.h - Result types of an operation to be made ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the text parser does for an operation, for one that is built by name.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_FRONTEND_INFERTYPES_H
#define NEEDLE_LIB_FRONTEND_INFERTYPES_H

#include "mlir/IR/OperationSupport.h"

namespace needle {

/// An error diagnostic if an attribute of `state` is none of the operation's;
/// those of a dialect, whose names have a dot, belong to any operation.
mlir::LogicalResult checkAttributeNames(mlir::RegisteredOperationName name,
                                        const mlir::OperationState &state);

/// Completes `state` by which optional operands are given, if its operands are
/// the required ones or all, and nothing else says so; an error otherwise.
mlir::LogicalResult completeSegments(mlir::RegisteredOperationName name,
                                     mlir::OperationState &state);

/// Whether the attributes of `state` fit the properties of the operation; an
/// error diagnostic if not (creating the operation would abort).
mlir::LogicalResult checkProperties(mlir::RegisteredOperationName name,
                                    mlir::OperationState &state);

/// Appends the inferred result types to `state`. An error diagnostic if the
/// operation cannot infer them or the operands do not fit.
mlir::LogicalResult inferResultTypes(mlir::RegisteredOperationName name,
                                     mlir::OperationState &state);

} // namespace needle

#endif // NEEDLE_LIB_FRONTEND_INFERTYPES_H

//===- ShapeRules.h - The shape rules of all operations ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Needle operations state theirs, see ShapeRuleOpInterface; these are for the
// other operations on tensors in an entry point.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_CPU_SHAPERULES_H
#define NEEDLE_LIB_CODEGEN_CPU_SHAPERULES_H

#include "mlir/IR/Operation.h"
#include "needle/Dialect/Needle/IR/ShapeRule.h"

namespace needle::cpu {

/// The rule of an operation with ranked tensors of dynamic shape. Fails if the
/// operation is not known, without a diagnostic.
mlir::FailureOr<ShapeRule> getShapeRule(mlir::Operation *op);

/// Whether an operation on tensors needs no rule: all its shapes are static, so
/// that its own verifier has compared them, and its regions compute on scalars
/// alone. Fails with a diagnostic otherwise: what it claims of a dynamic shape
/// would go unchecked.
mlir::LogicalResult verifyWithoutShapeRule(mlir::Operation *op);

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_SHAPERULES_H

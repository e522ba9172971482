//===- ShapeRules.cpp - The shape rules of all operations -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ShapeRules.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace mlir;
using namespace needle;
using namespace needle::cpu;

FailureOr<ShapeRule> needle::cpu::getShapeRule(Operation *op) {
  if (auto shaped = dyn_cast<ShapeRuleOpInterface>(op))
    return shaped.getShapeRule();
  auto cast = dyn_cast<tensor::CastOp>(op);
  if (cast && isa<RankedTensorType>(cast.getSource().getType()) &&
      isa<RankedTensorType>(cast.getType()))
    return ShapeRule::sameShape(cast.getSource(), cast.getResult());
  return failure();
}

static bool isStatic(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape();
}

static bool isScalar(Type type) { return type.isIntOrIndexOrFloat(); }

/// Whether an operation inside a region cannot reach beyond the end of a
/// tensor.
static bool computesOnScalars(Operation *nested) {
  return (nested->hasTrait<OpTrait::IsTerminator>() ||
          isMemoryEffectFree(nested)) &&
         llvm::all_of(nested->getOperandTypes(), isScalar) &&
         llvm::all_of(nested->getResultTypes(), isScalar);
}

LogicalResult needle::cpu::verifyWithoutShapeRule(Operation *op) {
  StringRef reason;
  if (!llvm::all_of(op->getResultTypes(), isStatic))
    reason = "no rule tells the shape of its result at run time";
  else if (!llvm::all_of(op->getOperandTypes(), isStatic))
    reason = "no rule tells which shapes its operands must have at run time";
  else if (op->walk([&](Operation *nested) {
               return nested == op || computesOnScalars(nested)
                          ? WalkResult::advance()
                          : WalkResult::interrupt();
             }).wasInterrupted())
    reason = "its region does more than compute on scalars";
  else
    return success();
  return op->emitOpError("is not supported in an entry point: ") << reason;
}

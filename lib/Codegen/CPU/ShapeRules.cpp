//===- ShapeRules.cpp - Which dimensions must agree -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ShapeRules.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace needle;
using namespace needle::cpu;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Dimension i of `operand` equals dimension i of `result`.
static ShapeRule sameShape(Value operand, Value result) {
  ShapeRule rule;
  for (unsigned i = 0; i < typeOf(result).getRank(); ++i)
    rule.equal.push_back({{operand, i, "operand"}, {result, i, "result"}});
  return rule;
}

/// NumPy's rules, where only a dimension that is statically 1 stretches.
static ShapeRule broadcast(Value lhs, Value rhs, Value result) {
  ShapeRule rule;
  unsigned rank = typeOf(result).getRank();
  for (unsigned i = 0; i < rank; ++i) {
    EqualDimensions equal;
    auto add = [&](Value operand, StringRef role) {
      unsigned missing = rank - typeOf(operand).getRank();
      if (i >= missing && typeOf(operand).getDimSize(i - missing) != 1)
        equal.push_back({operand, i - missing, role});
    };
    add(lhs, "lhs");
    add(rhs, "rhs");
    equal.push_back({result, i, "result"});
    rule.equal.push_back(std::move(equal));
  }
  return rule;
}

template <typename MatmulOp>
static ShapeRule matmul(MatmulOp op) {
  unsigned lhsDepth = op.getTransposeLhs() ? 0 : 1;
  unsigned rhsDepth = op.getTransposeRhs() ? 1 : 0;
  ShapeRule rule;
  rule.equal.push_back(
      {{op.getLhs(), lhsDepth, "lhs"}, {op.getRhs(), rhsDepth, "rhs"}});
  rule.equal.push_back(
      {{op.getLhs(), 1 - lhsDepth, "lhs"}, {op.getResult(), 0, "result"}});
  EqualDimensions columns = {{op.getRhs(), 1 - rhsDepth, "rhs"}};
  if (op.getBias())
    columns.push_back({op.getBias(), 0, "bias"});
  columns.push_back({op.getResult(), 1, "result"});
  rule.equal.push_back(std::move(columns));
  return rule;
}

static ShapeRule transpose(TransposeOp op) {
  ShapeRule rule;
  for (auto [i, source] : llvm::enumerate(op.getPermutation()))
    rule.equal.push_back({{op.getOperand(), unsigned(source), "operand"},
                          {op.getResult(), unsigned(i), "result"}});
  return rule;
}

FailureOr<ShapeRule> needle::cpu::getShapeRule(Operation *op) {
  using Result = FailureOr<ShapeRule>;
  return TypeSwitch<Operation *, Result>(op)
      .Case<MatmulOp, QMatmulOp>([](auto op) { return matmul(op); })
      .Case<AddOp, SubOp, MulOp, DivOp, MaximumOp, MinimumOp>([](auto op) {
        return broadcast(op.getLhs(), op.getRhs(), op.getResult());
      })
      .Case<ReluOp, NegOp, AbsOp, SqrtOp, QuantizeOp, DequantizeOp,
            QuantizeDynamicOp, RequantizeOp, FakeQuantizeOp, ObserveOp>(
          [](auto op) { return sameShape(op.getOperand(), op.getResult()); })
      .Case([](tensor::CastOp op) -> Result {
        if (!isa<RankedTensorType>(op.getSource().getType()) ||
            !isa<RankedTensorType>(op.getType()))
          return failure();
        return sameShape(op.getSource(), op.getResult());
      })
      .Case([](TransposeOp op) { return transpose(op); })
      .Case([](ReshapeOp op) {
        ShapeRule rule;
        rule.sameElementCount = true;
        return rule;
      })
      .Default([](Operation *) { return failure(); });
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

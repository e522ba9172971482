//===- ShapesFunction.cpp - Output shapes and shape checks ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derives, from the dimensions of an entry point's inputs, the dimensions of
// its outputs and the shape equalities that only a run can decide.
//
//===----------------------------------------------------------------------===//

#include "ShapesFunction.h"
#include "ShapeRules.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace needle::cpu;
using needle::ComputedDimension;
using needle::DimensionRef;
using needle::EqualDimensions;
using needle::LeastDimension;

namespace {

/// Emits `@F.shapes` of one entry point.
class ShapesEmitter {
public:
  ShapesEmitter(func::FuncOp entry, SmallVectorImpl<Attribute> &messages)
      : entry(entry), messages(messages),
        builder(entry.getLoc(), entry.getContext()) {}

  LogicalResult emit() {
    declare();
    for (Operation &op : entry.front().without_terminator())
      if (failed(visit(&op)))
        return failure();
    finish();
    return success();
  }

private:
  void declare();
  void finish();
  LogicalResult visit(Operation *op);
  void visitEqual(Operation *op, const EqualDimensions &equal);
  void visitComputed(Operation *op, const ComputedDimension &computed);
  void visitLeast(Operation *op, const LeastDimension &least);
  void visitElementCount(Operation *op);

  /// The extents of a static shape; dynamic ones are left null.
  static SmallVector<OpFoldResult> staticDims(Value value);
  OpFoldResult dim(const DimensionRef &ref) {
    return dims[ref.value][ref.index];
  }
  Value materialize(OpFoldResult dim) {
    return getValueOrCreateConstantIndexOp(builder, builder.getLoc(), dim);
  }
  Value product(ArrayRef<OpFoldResult> extents);
  /// The role of a value in a message, with its name if it is an input.
  std::string describe(Value value, StringRef role);
  void check(Operation *op, Value mustBe, Value is, const Twine &text);
  void addCheck(Operation *op, Value violated, const Twine &text);

  func::FuncOp entry;
  SmallVectorImpl<Attribute> &messages;
  ImplicitLocOpBuilder builder;
  DenseMap<Value, SmallVector<OpFoldResult>> dims;
  /// Each check: whether it is violated, and the index of its message.
  SmallVector<std::pair<Value, int64_t>> checks;
};

} // namespace

SmallVector<OpFoldResult> ShapesEmitter::staticDims(Value value) {
  Builder builder(value.getContext());
  SmallVector<OpFoldResult> result;
  for (int64_t extent : cast<RankedTensorType>(value.getType()).getShape())
    result.push_back(ShapedType::isDynamic(extent)
                         ? OpFoldResult()
                         : OpFoldResult(builder.getIndexAttr(extent)));
  return result;
}

void ShapesEmitter::declare() {
  SmallVector<Type> inputs;
  for (Type type : entry.getArgumentTypes())
    inputs.append(cast<RankedTensorType>(type).getNumDynamicDims(),
                  builder.getIndexType());
  SmallVector<Type> outputs = {builder.getI64Type()};
  for (Type type : entry.getResultTypes())
    outputs.append(cast<RankedTensorType>(type).getRank(),
                   builder.getIndexType());
  builder.setInsertionPoint(entry);
  auto function =
      func::FuncOp::create(builder, (entry.getName() + shapesSuffix).str(),
                           builder.getFunctionType(inputs, outputs));
  function.setPrivate();
  builder.setInsertionPointToStart(function.addEntryBlock());
  unsigned next = 0;
  for (BlockArgument argument : entry.getArguments()) {
    SmallVector<OpFoldResult> &extents = dims[argument] = staticDims(argument);
    for (OpFoldResult &extent : extents)
      if (!extent)
        extent = function.getArgument(next++);
  }
}

/// An operation without a shape rule.
static LogicalResult verifyUnknown(Operation *op) {
  if (failed(verifyWithoutShapeRule(op)))
    return failure();
  if (isa_and_nonnull<needle::NeedleDialect>(op->getDialect()) ||
      isa<bufferization::BufferizableOpInterface>(op))
    return success();
  return op->emitOpError("is not supported in an entry point: operations on "
                         "tensors must be of the dialects needle, linalg or "
                         "tensor, or arith.constant");
}

LogicalResult ShapesEmitter::visit(Operation *op) {
  for (Value result : op->getResults()) {
    if (!isa<RankedTensorType>(result.getType()))
      return op->emitOpError("is not supported in an entry point: its result "
                             "is not a ranked tensor");
    dims[result] = staticDims(result);
  }
  builder.setLoc(op->getLoc());
  if (isa<func::CallOp>(op))
    return op->emitOpError("is not supported in an entry point: the callee "
                           "cannot be inlined");
  FailureOr<needle::ShapeRule> rule = getShapeRule(op);
  if (failed(rule))
    return verifyUnknown(op);
  for (const EqualDimensions &equal : rule->equal)
    visitEqual(op, equal);
  for (const LeastDimension &least : rule->least)
    visitLeast(op, least);
  for (const ComputedDimension &computed : rule->computed)
    visitComputed(op, computed);
  if (rule->sameElementCount)
    visitElementCount(op);
  return success();
}

void ShapesEmitter::visitEqual(Operation *op, const EqualDimensions &equal) {
  // A result's dynamic dimension is what the others say, a static one a claim.
  auto known = [&](const DimensionRef &ref) { return bool(dim(ref)); };
  auto isStatic = [&](const DimensionRef &ref) {
    return isa_and_nonnull<Attribute>(dim(ref));
  };
  const DimensionRef *reference = llvm::find_if(equal, isStatic);
  if (reference == equal.end())
    reference = llvm::find_if(equal, known);
  if (reference == equal.end()) {
    // Every operand stretches along this dimension.
    for (const DimensionRef &ref : equal)
      dims[ref.value][ref.index] = builder.getIndexAttr(1);
    return;
  }
  for (const DimensionRef &ref : equal) {
    if (!known(ref)) {
      dims[ref.value][ref.index] = dim(*reference);
      continue;
    }
    if (&ref == reference || isStatic(ref))
      continue;
    std::string text = llvm::formatv(
        "{0}: dimension {1} of {2} must equal dimension {3} of {4}",
        op->getName().getStringRef(), ref.index, describe(ref.value, ref.role),
        reference->index, describe(reference->value, reference->role));
    if (std::optional<int64_t> extent = getConstantIntValue(dim(*reference)))
      text += llvm::formatv(", which is {0}", *extent).str();
    check(op, materialize(dim(*reference)), materialize(dim(ref)), text);
  }
}

void ShapesEmitter::visitComputed(Operation *op,
                                  const ComputedDimension &computed) {
  SmallVector<Value> extents;
  for (const DimensionRef &ref : computed.operands)
    extents.push_back(materialize(dim(ref)));
  Value extent = affine::expandAffineExpr(builder, builder.getLoc(),
                                          computed.extent, extents, {});
  const DimensionRef &result = computed.result;
  if (!dim(result)) {
    dims[result.value][result.index] = extent;
    return;
  }
  check(op, materialize(dim(result)), extent,
        llvm::formatv("{0}: dimension {1} of {2} must be {3}",
                      op->getName().getStringRef(), result.index,
                      describe(result.value, result.role),
                      *getConstantIntValue(dim(result)))
            .str());
}

void ShapesEmitter::visitLeast(Operation *op, const LeastDimension &least) {
  auto type = cast<RankedTensorType>(least.ref.value.getType());
  if (!type.isDynamicDim(least.ref.index))
    return;
  Value violated = arith::CmpIOp::create(
      builder, arith::CmpIPredicate::slt, materialize(dim(least.ref)),
      arith::ConstantIndexOp::create(builder, least.least));
  addCheck(op, violated,
           llvm::formatv("{0}: dimension {1} of {2} must be at least {3}",
                         op->getName().getStringRef(), least.ref.index,
                         describe(least.ref.value, least.ref.role), least.least)
               .str());
}

void ShapesEmitter::visitElementCount(Operation *op) {
  Value operand = op->getOperand(0), result = op->getResult(0);
  auto type = cast<RankedTensorType>(result.getType());
  if (type.hasStaticShape() &&
      cast<RankedTensorType>(operand.getType()).hasStaticShape())
    return;
  Value total = product(dims[operand]);
  SmallVector<OpFoldResult> known;
  llvm::copy_if(dims[result], std::back_inserter(known),
                [](OpFoldResult extent) { return bool(extent); });
  Value filled = product(known);
  if (known.size() < dims[result].size()) {
    // Where a static dimension is 0 the others hold no element: the unknown one
    // is taken as 0, and any element of the operand is one too many.
    Value zero = arith::ConstantIndexOp::create(builder, 0);
    Value one = arith::ConstantIndexOp::create(builder, 1);
    Value divisor = arith::MaxSIOp::create(builder, filled, one);
    Value quotient = arith::DivUIOp::create(builder, total, divisor);
    Value empty =
        arith::CmpIOp::create(builder, arith::CmpIPredicate::eq, filled, zero);
    quotient = arith::SelectOp::create(builder, empty, zero, quotient);
    for (OpFoldResult &extent : dims[result])
      if (!extent)
        extent = quotient;
    filled = arith::MulIOp::create(builder, filled, quotient);
  }
  std::string shape;
  llvm::raw_string_ostream stream(shape);
  llvm::interleave(
      type.getShape(), stream,
      [&](int64_t extent) {
        if (ShapedType::isDynamic(extent))
          stream << "?";
        else
          stream << extent;
      },
      "x");
  check(op, filled, total,
        llvm::formatv("{0}: the number of elements of {1} does not fit the "
                      "shape [{2}] of the result",
                      op->getName().getStringRef(),
                      describe(operand, "operand"), shape)
            .str());
}

Value ShapesEmitter::product(ArrayRef<OpFoldResult> extents) {
  Value result = arith::ConstantIndexOp::create(builder, 1);
  for (OpFoldResult extent : extents)
    result = builder.createOrFold<arith::MulIOp>(result, materialize(extent));
  return result;
}

std::string ShapesEmitter::describe(Value value, StringRef role) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return role.str();
  auto name =
      entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), nameAttr);
  if (name)
    return llvm::formatv("{0} (input '{1}')", role, name.getValue());
  return llvm::formatv("{0} (input {1})", role, argument.getArgNumber());
}

void ShapesEmitter::check(Operation *op, Value mustBe, Value is,
                          const Twine &text) {
  if (mustBe == is)
    return;
  addCheck(op,
           arith::CmpIOp::create(builder, arith::CmpIPredicate::ne, is, mustBe),
           text);
}

void ShapesEmitter::addCheck(Operation *op, Value violated, const Twine &text) {
  checks.push_back({violated, int64_t(messages.size())});
  messages.push_back(builder.getDictionaryAttr(
      {builder.getNamedAttr("text", builder.getStringAttr(text)),
       builder.getNamedAttr(
           "location", builder.getStringAttr(formatLocation(op->getLoc())))}));
}

void ShapesEmitter::finish() {
  builder.setLoc(entry.getLoc());
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(builder, builder.getI64Type(), value);
  };
  SmallVector<Value> results = {constant(0)};
  // The first violated check decides.
  for (auto [violated, message] : llvm::reverse(checks))
    results.front() = arith::SelectOp::create(
        builder, violated, constant(message + 1), results.front());
  for (Value output : entry.front().getTerminator()->getOperands())
    for (OpFoldResult extent : dims[output])
      results.push_back(materialize(extent));
  func::ReturnOp::create(builder, results);
}

LogicalResult
needle::cpu::emitShapesFunction(func::FuncOp entry,
                                SmallVectorImpl<Attribute> &messages) {
  return ShapesEmitter(entry, messages).emit();
}

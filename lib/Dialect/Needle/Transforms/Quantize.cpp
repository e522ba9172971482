//===- Quantize.cpp - Quantize the operands of operations -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounds the activations and constants of quantizable operations to integers.
// First it decides, changing nothing, for each operation whether and how; then
// it rewrites.
//
//===----------------------------------------------------------------------===//

#include "ConstantQuantization.h"
#include "Observe.h"
#include "needle/Dialect/Needle/IR/NeedleTraits.h"
#include "needle/Dialect/Needle/Transforms/OpSelection.h"
#include "needle/Dialect/Needle/Transforms/Passes.h"
#include "needle/Dialect/Needle/Transforms/QuantizationAttributes.h"
#include "needle/Quantization/QuantTypes.h"
#include "llvm/ADT/SetVector.h"

namespace needle {
#define GEN_PASS_DEF_QUANTIZEPASS
#include "needle/Dialect/Needle/Transforms/Passes.h.inc"
} // namespace needle

using namespace needle;
using namespace mlir;

namespace {

/// What happens to one operand.
struct OperandPlan {
  enum class Kind {
    /// Is float by configuration, or quantized already.
    Keep,
    /// A constant: quantized at compile time.
    Constant,
    /// Observed, range known: quantized with static parameters.
    Static,
    /// Quantized with parameters computed at run time.
    Dynamic,
  };
  Kind kind;
  QuantizableOperand operand;
};

/// What happens to one operation: `operands`, or nothing for the reason given.
struct OpPlan {
  QuantizableOpInterface op;
  llvm::SmallVector<OperandPlan> operands;
  std::string reason;
};

struct QuantizePass : needle::impl::QuantizePassBase<QuantizePass> {
  using QuantizePassBase::QuantizePassBase;

  void runOnOperation() override;

private:
  // State of one run; reset by runOnOperation.
  ConstantQuantizer constants;
  llvm::SetVector<ConstantOp> quantizedConstants;
  llvm::DenseMap<Value, Value> dequantized;
  llvm::DenseSet<Operation *> reported;

  FailureOr<OpPlan> planOp(QuantizableOpInterface op,
                           const OpSelection &selection);
  FailureOr<OperandPlan::Kind> planOperand(QuantizableOpInterface op,
                                           const QuantizableOperand &operand,
                                           std::string &reason);
  FailureOr<OperandPlan::Kind> planActivation(QuantizableOpInterface op,
                                              const QuantizableOperand &operand,
                                              std::string &reason);
  LogicalResult failUncalibrated(QuantizableOpInterface op,
                                 const QuantizableOperand &operand,
                                 std::string &reason);
  void apply(const OpPlan &plan);
  void skip(Operation *op, StringRef reason);
  Value getConstant(ConstantOp constant, const QuantizableOperand &operand);
  Value getStatic(ObserveOp observe);
  Value getDynamic(Value value);
  void cleanUp();
};

} // namespace

//===----------------------------------------------------------------------===//
// Deciding
//===----------------------------------------------------------------------===//

/// The range of an activation is not known: an error, or a reason.
LogicalResult QuantizePass::failUncalibrated(QuantizableOpInterface op,
                                             const QuantizableOperand &operand,
                                             std::string &reason) {
  auto observe = op->getOperand(operand.index).getDefiningOp<ObserveOp>();
  if (allowUncalibrated) {
    llvm::raw_string_ostream os(reason);
    os << "operand '" << operand.name << "' ";
    if (observe)
      os << "has no range: observe " << observe.getId()
         << " was not calibrated";
    else
      os << "is not observed";
    return success();
  }
  if (!observe)
    return op.emitError()
           << "operand '" << operand.name
           << "' is not observed: run needle-insert-observers and calibrate, "
              "or "
              "exclude the operation, or quantize in dynamic mode";
  // One error for an observe, however many users it has.
  if (!reported.insert(observe).second)
    return failure();
  StringRef name = needle::getOpName(op);
  return observe.emitError()
         << "observe " << observe.getId() << " has no range (min and max): no "
         << "calibration data but empty or NaN reached operand '"
         << operand.name << "' of '"
         << (name.empty() ? op->getName().getStringRef() : name)
         << "': give data that does, or exclude the operation";
}

FailureOr<OperandPlan::Kind>
QuantizePass::planActivation(QuantizableOpInterface op,
                             const QuantizableOperand &operand,
                             std::string &reason) {
  Value value = op->getOperand(operand.index);
  Operation *source = lookThroughObserves(value).getDefiningOp();
  if (activationType == ActivationType::None ||
      llvm::isa_and_nonnull<DequantizeOp>(source))
    return OperandPlan::Kind::Keep;
  if (llvm::isa_and_nonnull<ConstantOp>(source))
    return OperandPlan::Kind::Constant;
  if (mode == QuantizationMode::Dynamic)
    return OperandPlan::Kind::Dynamic;
  auto observe = value.getDefiningOp<ObserveOp>();
  if (observe && observe.getMin() && observe.getMax())
    return OperandPlan::Kind::Static;
  if (failed(failUncalibrated(op, operand, reason)))
    return failure();
  return OperandPlan::Kind::Keep;
}

/// Decides on one operand. Sets `reason` if its operation has to stay float;
/// fails, with an error emitted, if the pass has to.
FailureOr<OperandPlan::Kind>
QuantizePass::planOperand(QuantizableOpInterface op,
                          const QuantizableOperand &operand,
                          std::string &reason) {
  if (operand.role == QuantizableRole::Activation)
    return planActivation(op, operand, reason);
  Operation *source =
      lookThroughObserves(op->getOperand(operand.index)).getDefiningOp();
  if (weightType == WeightType::None ||
      llvm::isa_and_nonnull<DequantizeOp>(source))
    return OperandPlan::Kind::Keep;
  if (llvm::isa_and_nonnull<ConstantOp>(source))
    return OperandPlan::Kind::Constant;
  reason = "operand '" + operand.name.str() + "' is not a constant";
  return OperandPlan::Kind::Keep;
}

FailureOr<OpPlan> QuantizePass::planOp(QuantizableOpInterface op,
                                       const OpSelection &selection) {
  OpPlan plan{op, {}, {}};
  if (std::optional<std::string> against = selection.reasonAgainst(op)) {
    plan.reason = *against;
    return plan;
  }
  // Weights first: an operation that stays float needs no calibration.
  bool anyFailed = false;
  llvm::SmallVector<QuantizableOperand> operands = op.getQuantizableOperands();
  for (QuantizableRole role :
       {QuantizableRole::Weight, QuantizableRole::Activation})
    for (const QuantizableOperand &operand : operands) {
      if (operand.role != role)
        continue;
      FailureOr<OperandPlan::Kind> kind = planOperand(op, operand, plan.reason);
      if (!plan.reason.empty())
        return plan;
      if (failed(kind))
        anyFailed = true;
      else
        plan.operands.push_back({*kind, operand});
    }
  if (anyFailed)
    return failure();
  return plan;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// %c  →  dequantize(quantized %c)
Value QuantizePass::getConstant(ConstantOp constant,
                                const QuantizableOperand &operand) {
  quantizedConstants.insert(constant);
  if (operand.role == QuantizableRole::Activation)
    return constants.getDequantized(constant, kUInt8Asymmetric, std::nullopt);
  bool perAxis = weightGranularity == WeightGranularity::PerAxis;
  return constants.getDequantized(
      constant,
      weightType == WeightType::Int8 ? kInt8Symmetric : kUInt8Asymmetric,
      perAxis ? operand.axis : std::nullopt);
}

/// observe %x {min, max}  →  dequantize(quantize %x)
Value QuantizePass::getStatic(ObserveOp observe) {
  Value &result = dequantized[observe];
  if (result)
    return result;
  QuantParams params = chooseParams({observe.getMin()->convertToDouble(),
                                     observe.getMax()->convertToDouble()},
                                    kUInt8Asymmetric);
  OpBuilder builder(observe);
  auto type = cast<RankedTensorType>(observe.getOperand().getType())
                  .clone(getQuantizedType(builder.getContext(), params,
                                          kUInt8Asymmetric));
  Value quantized =
      QuantizeOp::create(builder, observe.getLoc(), type, observe.getOperand());
  result = DequantizeOp::create(builder, observe.getLoc(), observe.getType(),
                                quantized, /*scale=*/Value(),
                                /*zero_point=*/Value());
  return result;
}

/// %x  →  dequantize(quantize_dynamic %x)
Value QuantizePass::getDynamic(Value value) {
  Value &result = dequantized[value];
  if (result)
    return result;
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  auto quantized = QuantizeDynamicOp::create(builder, value.getLoc(), value);
  result = DequantizeOp::create(builder, value.getLoc(), value.getType(),
                                quantized.getResult(), quantized.getScale(),
                                quantized.getZeroPoint());
  return result;
}

/// Says on `op` why it stays float.
void QuantizePass::skip(Operation *op, StringRef reason) {
  op->setAttr(kNotQuantizedAttr, StringAttr::get(op->getContext(), reason));
  ++numSkipped;
}

void QuantizePass::apply(const OpPlan &plan) {
  Operation *op = plan.op;
  op->removeAttr(kNotQuantizedAttr);
  if (!plan.reason.empty())
    return skip(op, plan.reason);
  bool changed = false;
  for (const OperandPlan &planned : plan.operands) {
    unsigned index = planned.operand.index;
    Value value = op->getOperand(index);
    Value source = lookThroughObserves(value);
    switch (planned.kind) {
    case OperandPlan::Kind::Keep:
      continue;
    case OperandPlan::Kind::Constant:
      value = getConstant(source.getDefiningOp<ConstantOp>(), planned.operand);
      break;
    case OperandPlan::Kind::Static:
      value = getStatic(value.getDefiningOp<ObserveOp>());
      break;
    case OperandPlan::Kind::Dynamic:
      value = getDynamic(source);
      break;
    }
    op->setOperand(index, value);
    changed = true;
  }
  numQuantized += changed;
}

/// Erases all observes, and the float constants that have lost their last user.
void QuantizePass::cleanUp() {
  getOperation().walk([](ObserveOp observe) { removeObserve(observe); });
  for (ConstantOp constant : quantizedConstants)
    if (constant.use_empty())
      constant.erase();
}

void QuantizePass::runOnOperation() {
  ModuleOp module = getOperation();
  constants = ConstantQuantizer();
  quantizedConstants.clear();
  dequantized.clear();
  reported.clear();
  FailureOr<OpSelection> selection =
      OpSelection::create(module, include, exclude);
  if (failed(selection))
    return signalPassFailure();

  llvm::SmallVector<OpPlan> plans;
  bool anyFailed = false;
  module.walk([&](QuantizableOpInterface op) {
    FailureOr<OpPlan> plan = planOp(op, *selection);
    if (failed(plan))
      anyFailed = true;
    else
      plans.push_back(std::move(*plan));
  });
  if (anyFailed)
    return signalPassFailure();
  for (const OpPlan &plan : plans)
    apply(plan);
  module.walk([&](Operation *op) {
    if (op->hasTrait<NoIntegerForm>())
      skip(op, (op->getName().getStringRef() + " has no integer form").str());
  });
  cleanUp();
  numConstants += constants.getNumCreated();
}

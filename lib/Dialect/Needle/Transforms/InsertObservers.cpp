//===- InsertObservers.cpp - Mark values for calibration ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Puts a needle.observe behind every activation operand of a quantizable
// operation.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/Needle/Transforms/OpSelection.h"
#include "needle/Dialect/Needle/Transforms/Passes.h"
#include <set>

namespace needle {
#define GEN_PASS_DEF_INSERTOBSERVERSPASS
#include "needle/Dialect/Needle/Transforms/Passes.h.inc"
} // namespace needle

using namespace needle;
using namespace mlir;

namespace {

/// The observes of a module: one for each observed value.
class Observers {
public:
  explicit Observers(ModuleOp module) {
    module.walk([&](ObserveOp observe) {
      usedIds.insert(observe.getId());
      byValue.try_emplace(observe.getOperand(), observe);
    });
  }

  /// The observe of a value, behind it and before all users but other observes.
  /// Makes one where there is none.
  ObserveOp getOrCreate(Value value) {
    auto [entry, isNew] = byValue.try_emplace(value);
    ObserveOp &observe = entry->second;
    OpBuilder builder(value.getContext());
    builder.setInsertionPointAfterValue(value);
    // Behind the observes of other values, so that ids count up in the text.
    Block::iterator position = builder.getInsertionPoint();
    for (; isa<ObserveOp>(*position); ++position)
      if (&*position == observe.getOperation())
        return observe;
    builder.setInsertionPoint(builder.getInsertionBlock(), position);
    if (isNew) {
      observe = ObserveOp::create(builder, value.getLoc(), value.getType(),
                                  value, takeId(), /*min=*/nullptr,
                                  /*max=*/nullptr);
      ++numCreated;
    } else {
      observe->moveBefore(builder.getInsertionBlock(), position);
    }
    return observe;
  }

  unsigned getNumCreated() const { return numCreated; }

private:
  llvm::DenseMap<Value, ObserveOp> byValue;
  // Ids are the user's: a DenseSet reserves two of them.
  std::set<int64_t> usedIds;
  int64_t nextId = 0;
  unsigned numCreated = 0;

  int64_t takeId() {
    while (usedIds.count(nextId))
      ++nextId;
    return nextId++;
  }
};

struct InsertObserversPass
    : needle::impl::InsertObserversPassBase<InsertObserversPass> {
  using InsertObserversPassBase::InsertObserversPassBase;

  void runOnOperation() override;
};

} // namespace

/// Whether the range of a value is learned by calibration: that of a constant
/// is known, a dequantized value needs none, an observed one has its observe.
static bool needsObserver(Value value) {
  return !llvm::isa_and_nonnull<ConstantOp, DequantizeOp, ObserveOp>(
      value.getDefiningOp());
}

void InsertObserversPass::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<OpSelection> selection =
      OpSelection::create(module, include, exclude);
  if (failed(selection))
    return signalPassFailure();

  Observers observers(module);
  module.walk([&](QuantizableOpInterface op) {
    if (selection->reasonAgainst(op))
      return;
    for (const QuantizableOperand &operand : op.getQuantizableOperands()) {
      Value value = op->getOperand(operand.index);
      if (operand.role == QuantizableRole::Activation && needsObserver(value))
        op->setOperand(operand.index, observers.getOrCreate(value));
    }
  });
  numObservers += observers.getNumCreated();
}

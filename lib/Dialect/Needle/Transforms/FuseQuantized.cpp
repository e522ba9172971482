//===- FuseQuantized.cpp - Build integer forms ----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dequantize → operation → quantize becomes the operation's integer form.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/Needle/Transforms/Passes.h"
#include "needle/Dialect/Needle/Transforms/QuantizationAttributes.h"
#include "llvm/ADT/SetVector.h"

namespace needle {
#define GEN_PASS_DEF_FUSEQUANTIZEDPASS
#include "needle/Dialect/Needle/Transforms/Passes.h.inc"
} // namespace needle

using namespace needle;
using namespace mlir;

namespace {

struct FuseQuantizedPass
    : needle::impl::FuseQuantizedPassBase<FuseQuantizedPass> {
  void runOnOperation() override;

private:
  LogicalResult fuse(QuantizableOpInterface op, std::string &reason);
};

} // namespace

/// Erases the operations behind `values` that nobody needs any more, and what
/// only these needed.
static void eraseDead(llvm::ArrayRef<Value> values) {
  llvm::SetVector<Operation *> worklist;
  auto enqueue = [&](ValueRange range) {
    for (Value value : range)
      if (Operation *op = value.getDefiningOp())
        worklist.insert(op);
  };
  enqueue(values);
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val();
    if (!isOpTriviallyDead(op))
      continue;
    enqueue(op->getOperands());
    op->erase();
  }
}

//===----------------------------------------------------------------------===//
// dequantize → operation → (quantize)
//===----------------------------------------------------------------------===//

/// The quantized sources of all quantizable operands; fails with a reason.
static FailureOr<llvm::SmallVector<QuantizedOperand>>
getQuantizedOperands(QuantizableOpInterface op, std::string &reason) {
  llvm::SmallVector<QuantizedOperand> quantized;
  for (const QuantizableOperand &operand : op.getQuantizableOperands()) {
    auto dequantize =
        op->getOperand(operand.index).getDefiningOp<DequantizeOp>();
    if (!dequantize) {
      reason = "operand '" + operand.name.str() +
               "' is float: it is not the result of needle.dequantize";
      return failure();
    }
    quantized.push_back({dequantize.getOperand(), dequantize.getScale(),
                         dequantize.getZeroPoint()});
  }
  return quantized;
}

/// The quantize that alone uses the result; null if there is none.
static QuantizeOp getRequantization(Operation *op) {
  if (op->getNumResults() != 1 || !op->hasOneUse())
    return {};
  auto quantize = dyn_cast<QuantizeOp>(*op->user_begin());
  return quantize && quantize->getBlock() == op->getBlock() ? quantize
                                                            : QuantizeOp();
}

/// Puts `integerForm` in the place of `op`, and `replaced` is the value that
/// its result replaces.
static void replace(Operation *op, Operation *integerForm, Value replaced) {
  integerForm->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  integerForm->removeDiscardableAttr(kNotFusedAttr);
  replaced.replaceAllUsesWith(integerForm->getResult(0));
  if (Operation *requantization = replaced.getDefiningOp();
      requantization != op)
    requantization->erase();
  llvm::SmallVector<Value> operands(op->getOperands());
  op->erase();
  eraseDead(operands);
}

/// Fails, with a reason and nothing changed, if there is no integer form.
LogicalResult FuseQuantizedPass::fuse(QuantizableOpInterface op,
                                      std::string &reason) {
  FailureOr<llvm::SmallVector<QuantizedOperand>> quantized =
      getQuantizedOperands(op, reason);
  if (failed(quantized))
    return failure();
  OpBuilder builder(op);
  QuantizeOp requantization = getRequantization(op);
  std::string requantizationReason;
  if (requantization) {
    FailureOr<Operation *> integerForm = op.buildIntegerForm(
        builder, *quantized, requantization.getType(), requantizationReason);
    if (succeeded(integerForm)) {
      replace(op, *integerForm, requantization.getResult());
      ++numRequantized;
      return success();
    }
  }
  FailureOr<Operation *> integerForm = op.buildIntegerForm(
      builder, *quantized, op->getResult(0).getType(), reason);
  if (failed(integerForm))
    return failure();
  if (requantization)
    requantization->setAttr(kNotFusedAttr,
                            builder.getStringAttr(requantizationReason));
  replace(op, *integerForm, op->getResult(0));
  return success();
}

//===----------------------------------------------------------------------===//
// dequantize → quantize
//===----------------------------------------------------------------------===//

/// quantize(dequantize(%q))  →  requantize %q, for static parameters per
/// tensor.
static void fuseRequantize(QuantizeOp quantize) {
  auto dequantize = quantize.getOperand().getDefiningOp<DequantizeOp>();
  auto isPerTensor = [](Value value) {
    return isa<quant::UniformQuantizedType>(getElementTypeOrSelf(value));
  };
  if (!dequantize || !isPerTensor(dequantize.getOperand()) ||
      !isPerTensor(quantize))
    return;
  OpBuilder builder(quantize);
  Value requantized = RequantizeOp::create(
      builder, quantize.getLoc(), quantize.getType(), dequantize.getOperand());
  quantize.getResult().replaceAllUsesWith(requantized);
  quantize.erase();
  eraseDead(dequantize.getResult());
}

void FuseQuantizedPass::runOnOperation() {
  llvm::SmallVector<QuantizableOpInterface> ops;
  getOperation()->walk([&](QuantizableOpInterface op) { ops.push_back(op); });
  for (QuantizableOpInterface op : ops) {
    std::string reason;
    if (succeeded(fuse(op, reason))) {
      ++numFused;
      continue;
    }
    ++numNotFused;
    // A reason from needle-quantize not to quantize at all says more.
    if (!op->hasAttr(kNotQuantizedAttr))
      op->setAttr(kNotFusedAttr, StringAttr::get(op.getContext(), reason));
  }
  llvm::SmallVector<QuantizeOp> quantizes;
  getOperation()->walk([&](QuantizeOp op) { quantizes.push_back(op); });
  for (QuantizeOp quantize : quantizes)
    fuseRequantize(quantize);
}

//===- Observe.cpp - Removing observes ------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the passes that consume needle.observe share.
//
//===----------------------------------------------------------------------===//

#include "Observe.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace needle;
using namespace mlir;

Value needle::lookThroughObserves(Value value) {
  while (auto observe = value.getDefiningOp<ObserveOp>())
    value = observe.getOperand();
  return value;
}

void needle::removeObserve(ObserveOp observe) {
  Value value = observe.getOperand();
  // The result may be typed with other dynamic dimensions than the operand, and
  // users such as a return insist on it.
  if (value.getType() != observe.getType()) {
    OpBuilder builder(observe);
    value = tensor::CastOp::create(builder, observe.getLoc(), observe.getType(),
                                   value);
  }
  observe.getResult().replaceAllUsesWith(value);
  observe.erase();
}

//===- KernelBody.cpp - What kernels compute, on values of any shape ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBody.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace needle::codegen;

SmallVector<Value> needle::codegen::emitElements(KernelBuilder &b, Block &body,
                                                 ArrayRef<Value> arguments,
                                                 Type element) {
  IRMapping mapping;
  mapping.map(body.getArguments(), arguments);
  for (Operation &op : body.without_terminator()) {
    VectorType shape;
    for (Value operand : op.getOperands())
      if (auto type = dyn_cast<VectorType>(mapping.lookup(operand).getType()))
        shape = type;
    SmallVector<Value> operands;
    for (Value operand : op.getOperands()) {
      Value value = mapping.lookup(operand);
      bool splat = shape && !isa<VectorType>(value.getType());
      operands.push_back(
          splat ? b.broadcast(value, shape.clone(value.getType())) : value);
    }
    SmallVector<Type> types;
    for (Type type : op.getResultTypes()) {
      if (element && type.isF32())
        type = element;
      types.push_back(shape ? Type(shape.clone(type)) : type);
    }
    Operation *clone = b.create(op.getLoc(), op.getName().getIdentifier(),
                                operands, types, op.getAttrs());
    mapping.map(op.getResults(), clone->getResults());
  }
  SmallVector<Value> results;
  for (Value value : body.getTerminator()->getOperands())
    results.push_back(mapping.lookup(value));
  return results;
}

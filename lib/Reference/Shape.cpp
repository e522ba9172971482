//===- Shape.cpp - Evaluates operations that move elements ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// transpose, reshape and observe: bytes are copied, never computed with.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "mlir/IR/BuiltinTypes.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include <cstring>

using namespace needle;
using namespace mlir;

static FailureOr<Tensor> evaluateTranspose(TransposeOp op,
                                           const Environment &env) {
  const Tensor &operand = env[op.getOperand()];
  ArrayRef<int64_t> permutation = op.getPermutation();
  int64_t rank = operand.getRank();
  SmallVector<int64_t> operandStrides(rank, 1), shape, strides;
  for (int64_t i = rank - 1; i > 0; --i)
    operandStrides[i - 1] = operandStrides[i] * operand.getShape()[i];
  for (int64_t source : permutation) {
    shape.push_back(operand.getShape()[source]);
    strides.push_back(operandStrides[source]);
  }
  FailureOr<Tensor> result = allocate(op, operand.getKind(), shape);
  if (failed(result))
    return failure();
  size_t size = getElementSize(operand.getKind());
  for (int64_t index = 0; index != result->getNumElements(); ++index) {
    int64_t source = 0, rest = index;
    for (int64_t i = rank - 1; i >= 0; --i) {
      source += rest % shape[i] * strides[i];
      rest /= shape[i];
    }
    std::memcpy(result->getMutableBytes().data() + index * size,
                operand.getBytes().data() + source * size, size);
  }
  return result;
}

static FailureOr<Tensor> evaluateReshape(ReshapeOp op, const Environment &env) {
  const Tensor &operand = env[op.getOperand()];
  auto type = cast<RankedTensorType>(op.getType());
  int64_t staticElements = 1;
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size))
      staticElements *= size;
  int64_t numElements = operand.getNumElements();
  SmallVector<int64_t> shape(type.getShape());
  bool fits = type.hasStaticShape()
                  ? staticElements == numElements
                  : staticElements != 0 && numElements % staticElements == 0;
  if (!fits)
    return op.emitOpError()
           << "cannot reshape [" << operand.getShape() << "] with "
           << numElements << " elements to " << type;
  for (int64_t &size : shape)
    if (ShapedType::isDynamic(size))
      size = numElements / staticElements;
  return Tensor(operand).reshaped(shape);
}

static FailureOr<Tensor> evaluateObserve(ObserveOp op, const Environment &env) {
  return env[op.getOperand()];
}

void needle::registerShapeEvaluators(EvaluatorRegistry &registry) {
  registry.add(evaluateTranspose);
  registry.add(evaluateReshape);
  registry.add(evaluateObserve);
}

//===- Moving.cpp - Evaluates broadcast_to, reverse, slice, pad, concat ---===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each element of the result is found in the operand, or is zero.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "mlir/IR/BuiltinTypes.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "llvm/Support/MathExtras.h"

using namespace needle;
using namespace mlir;

using Indices = SmallVector<int64_t>;

/// Builds a result element by element: `find` turns the indices of an element
/// into those of the operand and returns whether there is one; otherwise it is
/// zero.
static FailureOr<Tensor> gather(Operation *op, const Tensor &operand,
                                ArrayRef<int64_t> shape,
                                llvm::function_ref<bool(Indices &)> find) {
  FailureOr<Tensor> result = allocate(op, ElementKind::F32, shape);
  if (failed(result))
    return failure();
  ArrayRef<float> elements = operand.getValues<float>();
  MutableArrayRef<float> values = result->getMutableValues<float>();
  for (int64_t index = 0; index != result->getNumElements(); ++index) {
    Indices indices(shape.size());
    int64_t rest = index;
    for (int64_t i = shape.size() - 1; i >= 0; --i) {
      indices[i] = rest % shape[i];
      rest /= shape[i];
    }
    if (!find(indices))
      continue;
    int64_t position = 0;
    for (auto [i, size] : llvm::zip_equal(indices, operand.getShape()))
      position = position * size + i;
    values[index] = elements[position];
  }
  return result;
}

static FailureOr<Tensor> evaluateBroadcastTo(BroadcastToOp op,
                                             const Environment &env) {
  const Tensor &operand = env[op.getOperand()];
  RankedTensorType type = op.getOperand().getType(), resultType = op.getType();
  int64_t missing = resultType.getRank() - type.getRank();
  auto stretches = [&](int64_t i) {
    return i < missing || type.getDimSize(i - missing) == 1;
  };
  Indices shape;
  for (int64_t i = 0; i < resultType.getRank(); ++i)
    shape.push_back(stretches(i) ? resultType.getDimSize(i)
                                 : operand.getShape()[i - missing]);
  return gather(op, operand, shape, [&](Indices &indices) {
    for (int64_t i = 0; i < resultType.getRank(); ++i)
      if (stretches(i))
        indices[i] = 0;
    indices.erase(indices.begin(), indices.begin() + missing);
    return true;
  });
}

static FailureOr<Tensor> evaluateReverse(ReverseOp op, const Environment &env) {
  const Tensor &operand = env[op.getOperand()];
  return gather(op, operand, operand.getShape(), [&](Indices &indices) {
    for (int64_t axis : op.getAxes())
      indices[axis] = operand.getShape()[axis] - 1 - indices[axis];
    return true;
  });
}

static FailureOr<Tensor> evaluateSlice(SliceOp op, const Environment &env) {
  const Tensor &operand = env[op.getOperand()];
  Indices shape;
  for (auto [size, start, limit, step] : llvm::zip_equal(
           operand.getShape(), op.getStarts(), op.getLimits(), op.getSteps()))
    shape.push_back(
        llvm::divideCeil((limit == -1 ? size : limit) - start, step));
  return gather(op, operand, shape, [&](Indices &indices) {
    for (auto [index, start, step] :
         llvm::zip_equal(indices, op.getStarts(), op.getSteps()))
      index = start + index * step;
    return true;
  });
}

static FailureOr<Tensor> evaluatePad(PadOp op, const Environment &env) {
  const Tensor &operand = env[op.getOperand()];
  Indices shape;
  for (auto [size, low, high, interior] : llvm::zip_equal(
           operand.getShape(), op.getLow(), op.getHigh(), op.getInterior()))
    shape.push_back(low + size + std::max<int64_t>(size - 1, 0) * interior +
                    high);
  return gather(op, operand, shape, [&](Indices &indices) {
    bool isElement = true;
    for (auto [index, size, low, interior] : llvm::zip_equal(
             indices, operand.getShape(), op.getLow(), op.getInterior())) {
      int64_t distance = index - low, step = interior + 1;
      isElement &=
          distance >= 0 && distance % step == 0 && distance / step < size;
      index = distance / step;
    }
    return isElement;
  });
}

static FailureOr<Tensor> evaluateConcat(ConcatOp op, const Environment &env) {
  int64_t axis = op.getAxis();
  Indices shape(env[op.getOperand(0)].getShape());
  shape[axis] = 0;
  for (auto [number, value] : llvm::enumerate(op.getOperands())) {
    Indices own(env[value].getShape());
    shape[axis] += own[axis];
    own[axis] = shape[axis];
    if (own != shape)
      return op.emitOpError()
             << "operand #" << number << " of shape [" << env[value].getShape()
             << "] differs from shape [" << env[op.getOperand(0)].getShape()
             << "] in another dimension than " << axis;
  }
  FailureOr<Tensor> result = allocate(op, ElementKind::F32, shape);
  if (failed(result))
    return failure();
  int64_t outer = 1, inner = 1;
  for (int64_t i = 0; i < axis; ++i)
    outer *= shape[i];
  for (int64_t i = axis + 1; i < static_cast<int64_t>(shape.size()); ++i)
    inner *= shape[i];
  float *values = result->getMutableValues<float>().data();
  for (int64_t i = 0; i < outer; ++i)
    for (Value value : op.getOperands()) {
      const Tensor &operand = env[value];
      int64_t length = operand.getShape()[axis] * inner;
      values = llvm::copy(operand.getValues<float>().slice(i * length, length),
                          values);
    }
  return result;
}

void needle::registerMovingEvaluators(EvaluatorRegistry &registry) {
  registry.add(evaluateBroadcastTo);
  registry.add(evaluateConcat);
  registry.add(evaluatePad);
  registry.add(evaluateReverse);
  registry.add(evaluateSlice);
}

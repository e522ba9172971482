//===- Quantization.cpp - Evaluates operations between float and integer --===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// quantize, dequantize, quantize_dynamic, requantize, fake_quantize: N1 to N3.
//
//===----------------------------------------------------------------------===//

#include "QuantParamsOf.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace needle;
using namespace mlir;

/// Calls `function(index, params)` for each element of a tensor.
template <typename FunctionT>
static void forEachElement(ArrayRef<int64_t> shape, const QuantTypeInfo &info,
                           FunctionT function) {
  AxisView view;
  if (info.axis)
    view = AxisView::of(shape, *info.axis);
  else
    for (int64_t size : shape)
      view.inner *= size;
  for (int64_t index = 0, e = view.numElements(); index != e; ++index)
    function(index, info.params[index / view.inner % view.size]);
}

static FailureOr<Tensor> evaluateQuantize(QuantizeOp op,
                                          const Environment &env) {
  const Tensor &operand = env[op.getOperand()];
  Type elementType = getElementTypeOrSelf(op.getType());
  FailureOr<QuantTypeInfo> info =
      getQuantParams(op, elementType, operand.getShape());
  if (failed(info))
    return failure();
  FailureOr<Tensor> result =
      allocate(op, *getElementKind(elementType), operand.getShape());
  if (failed(result))
    return failure();
  ArrayRef<float> values = operand.getValues<float>();
  forEachElement(operand.getShape(), *info, [&](int64_t i, QuantParams params) {
    result->setStoredInteger(i, quantize(values[i], params, info->range));
  });
  return result;
}

static FailureOr<Tensor> evaluateDequantize(DequantizeOp op,
                                            const Environment &env) {
  const Tensor &operand = env[op.getOperand()];
  FailureOr<QuantTypeInfo> info = getQuantParams(
      op, {"operand", op.getOperand(), op.getScale(), op.getZeroPoint()}, env);
  FailureOr<Tensor> result = allocate(op, ElementKind::F32, operand.getShape());
  if (failed(info) || failed(result))
    return failure();
  MutableArrayRef<float> values = result->getMutableValues<float>();
  forEachElement(operand.getShape(), *info, [&](int64_t i, QuantParams params) {
    values[i] = dequantize(operand.getStoredInteger(i), params);
  });
  return result;
}

static FailureOr<Results> evaluateQuantizeDynamic(QuantizeDynamicOp op,
                                                  const Environment &env) {
  const Tensor &operand = env[op.getOperand()];
  FailureOr<Tensor> stored = allocate(op, ElementKind::UI8, operand.getShape());
  if (failed(stored))
    return failure();
  ArrayRef<float> values = operand.getValues<float>();
  QuantParams params = chooseParams(computeRange(values), kUInt8Asymmetric);
  quantize(values, params, kUInt8Asymmetric.range,
           stored->getMutableValues<uint8_t>());
  Results results;
  results.push_back(std::move(*stored));
  results.push_back(Tensor::of<float>({}, params.scale));
  results.push_back(
      Tensor::of<int32_t>({}, static_cast<int32_t>(params.zeroPoint)));
  return std::move(results);
}

static FailureOr<Tensor> evaluateRequantize(RequantizeOp op,
                                            const Environment &env) {
  const Tensor &operand = env[op.getOperand()];
  Type elementType = getElementTypeOrSelf(op.getType());
  FailureOr<QuantTypeInfo> from =
      getQuantParams(op, {"operand", op.getOperand(), {}, {}}, env);
  FailureOr<QuantTypeInfo> to =
      getQuantParams(op, elementType, operand.getShape());
  if (failed(from) || failed(to))
    return failure();
  FailureOr<Tensor> result =
      allocate(op, *getElementKind(elementType), operand.getShape());
  if (failed(result))
    return failure();
  SmallVector<float, 0> values(operand.getNumElements());
  forEachElement(operand.getShape(), *from, [&](int64_t i, QuantParams params) {
    values[i] = dequantize(operand.getStoredInteger(i), params);
  });
  forEachElement(operand.getShape(), *to, [&](int64_t i, QuantParams params) {
    result->setStoredInteger(i, quantize(values[i], params, to->range));
  });
  return result;
}

static FailureOr<Tensor> evaluateFakeQuantize(FakeQuantizeOp op,
                                              const Environment &env) {
  Tensor result = env[op.getOperand()];
  SmallVector<int64_t> shape(result.getShape());
  FailureOr<QuantTypeInfo> info =
      getQuantParams(op, op.getTypeAttr().getValue(), shape);
  if (failed(info))
    return failure();
  MutableArrayRef<float> values = result.getMutableValues<float>();
  forEachElement(shape, *info, [&](int64_t i, QuantParams params) {
    values[i] = dequantize(quantize(values[i], params, info->range), params);
  });
  return std::move(result);
}

void needle::registerQuantizationEvaluators(EvaluatorRegistry &registry) {
  registry.add(evaluateQuantize);
  registry.add(evaluateDequantize);
  registry.add(evaluateQuantizeDynamic);
  registry.add(evaluateRequantize);
  registry.add(evaluateFakeQuantize);
}

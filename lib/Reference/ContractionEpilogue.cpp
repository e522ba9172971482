//===- ContractionEpilogue.cpp - What follows the sums --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ContractionEpilogue.h"
#include "mlir/IR/TypeUtilities.h"

using namespace needle;
using namespace mlir;

float needle::activate(Activation activation, float value) {
  switch (activation) {
  case Activation::None:
    return value;
  case Activation::Relu:
    return relu(value);
  }
  llvm_unreachable("all activations are covered");
}

ContractionEpilogue::ContractionEpilogue(Activation activation, Value bias,
                                         const Environment &env)
    : activation(activation) {
  if (!bias)
    return;
  if (env[bias].getKind() == ElementKind::I32)
    integerBias = env[bias].getValues<int32_t>();
  else
    floatBias = env[bias].getValues<float>();
}

float ContractionEpilogue::apply(int64_t sum, float combinedScale,
                                 int64_t column) const {
  float value = rescale(sum, combinedScale);
  if (!floatBias.empty())
    value += floatBias[column];
  return activate(activation, value);
}

FailureOr<IntegerResult> IntegerResult::create(Operation *op,
                                               ArrayRef<int64_t> shape,
                                               ContractionEpilogue epilogue) {
  Type elementType = getElementTypeOrSelf(op->getResult(0).getType());
  FailureOr<QuantTypeInfo> to = QuantTypeInfo();
  if (isa<quant::QuantizedType>(elementType))
    to = getQuantParams(op, elementType, shape);
  std::optional<ElementKind> kind = getElementKind(elementType);
  if (failed(to) || !kind)
    return failure();
  FailureOr<Tensor> tensor = allocate(op, *kind, shape);
  if (failed(tensor))
    return failure();
  return IntegerResult(std::move(*tensor), std::move(*to), epilogue);
}

void IntegerResult::set(int64_t index, int64_t column, int64_t sum,
                        float combinedScale) {
  sum = epilogue.addBias(sum, column);
  switch (tensor.getKind()) {
  case ElementKind::I32:
    tensor.getMutableValues<int32_t>()[index] = wrapToInt32(sum);
    return;
  case ElementKind::F32:
    tensor.getMutableValues<float>()[index] =
        epilogue.apply(sum, combinedScale, column);
    return;
  case ElementKind::UI8:
  case ElementKind::SI8:
    tensor.setStoredInteger(index,
                            quantize(epilogue.apply(sum, combinedScale, column),
                                     to.params.front(), to.range));
    return;
  }
}

//===- Conv2DOp.cpp - needle.conv2d -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float convolution: shapes, integer form.
//
//===----------------------------------------------------------------------===//

#include "ContractionUtils.h"
#include "ConvolutionUtils.h"

using namespace mlir;
using namespace needle;

LogicalResult Conv2DOp::inferReturnTypes(
    MLIRContext *context, std::optional<Location> location, ValueRange operands,
    DictionaryAttr attributes, OpaqueProperties properties, RegionRange regions,
    SmallVectorImpl<Type> &inferredReturnTypes) {
  Conv2DOpAdaptor adaptor(operands, attributes, properties, regions);
  FailureOr<SmallVector<int64_t>> shape = inferConvolutionShape(
      location, getOperationName(), getConvolutionShape(adaptor));
  if (failed(shape))
    return failure();
  inferredReturnTypes.push_back(
      RankedTensorType::get(*shape, Float32Type::get(context)));
  return success();
}

ShapeRule Conv2DOp::getShapeRule() {
  return getConvolutionRule(getConvolutionShape(*this), getInput(), getFilter(),
                            getBias(), getResult());
}

//===----------------------------------------------------------------------===//
// QuantizableOpInterface
//===----------------------------------------------------------------------===//

SmallVector<QuantizableOperand> Conv2DOp::getQuantizableOperands() {
  return {{0, "input", QuantizableRole::Activation, std::nullopt},
          {1, "filter", QuantizableRole::Weight, 3}};
}

FailureOr<Operation *>
Conv2DOp::buildIntegerForm(OpBuilder &builder,
                           ArrayRef<QuantizedOperand> quantized,
                           Type resultType, std::string &reason) {
  SmallVector<QuantizableOperand> operands = getQuantizableOperands();
  if (quantized.size() != operands.size()) {
    reason = "operands 'input' and 'filter' must both be quantized";
    return failure();
  }
  const QuantizedOperand &input = quantized[0], &filter = quantized[1];
  if (failed(
          checkQuantizedSource(operands[0], getInput(), input, "O", reason)) ||
      failed(checkQuantizedSource(operands[1], getFilter(), filter, "O",
                                  reason)) ||
      failed(checkIntegerFormResult(*this, resultType, reason)))
    return failure();
  return QConv2DOp::create(
             builder, getLoc(), resultType, input.value, filter.value,
             input.scale, input.zeroPoint, filter.scale, filter.zeroPoint,
             getBias(), getStridesAttr(), getPaddingAttr(), getDilationsAttr(),
             getGroupsAttr(), getActivationAttr())
      .getOperation();
}

//===- QConv2DOp.cpp - needle.qconv2d ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer convolution: verifier, shapes.
//
//===----------------------------------------------------------------------===//

#include "ContractionUtils.h"
#include "ConvolutionUtils.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace needle;

LogicalResult QConv2DOp::verify() {
  FailureOr<SmallVector<int64_t>> shape = inferConvolutionShape(
      getLoc(), getOperationName(), getConvolutionShape(*this));
  if (failed(shape))
    return failure();
  if (failed(verifyCompatibleShape(*shape, getType().getShape())))
    return emitOpError() << "result must have the shape N x OH x OW x O of "
                         << RankedTensorType::get(*shape,
                                                  getType().getElementType())
                         << ", got " << getType();
  if (failed(verifyQuantizedContractionOperand(
          *this, "input", getInput(), getInputScale(), getInputZeroPoint(),
          std::nullopt, "O")) ||
      failed(verifyQuantizedContractionOperand(*this, "filter", getFilter(),
                                               getFilterScale(),
                                               getFilterZeroPoint(), 3, "O")))
    return failure();
  return verifyIntegerContractionResult(*this, getBias(), getActivation());
}

ShapeRule QConv2DOp::getShapeRule() {
  return getConvolutionRule(getConvolutionShape(*this), getInput(), getFilter(),
                            getBias(), getResult());
}

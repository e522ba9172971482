//===- ConvTranspose2DOp.cpp - needle.conv_transpose2d ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float transposed convolution: shapes.
//
//===----------------------------------------------------------------------===//

#include "ConvolutionUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace needle;

template <typename OpOrAdaptor>
static ConvolutionShape getShape(OpOrAdaptor &op) {
  static constexpr int64_t noDilation[] = {1, 1};
  return {getTensorType(op.getInput()),
          getTensorType(op.getFilter()),
          getTensorType(op.getBias()),
          op.getStrides(),
          op.getPadding(),
          noDilation,
          /*groups=*/1,
          op.getOutputPadding()};
}

LogicalResult ConvTranspose2DOp::inferReturnTypes(
    MLIRContext *context, std::optional<Location> location, ValueRange operands,
    DictionaryAttr attributes, OpaqueProperties properties, RegionRange regions,
    SmallVectorImpl<Type> &inferredReturnTypes) {
  ConvTranspose2DOpAdaptor adaptor(operands, attributes, properties, regions);
  FailureOr<SmallVector<int64_t>> shape = inferTransposedConvolutionShape(
      location, getOperationName(), getShape(adaptor));
  if (failed(shape))
    return failure();
  inferredReturnTypes.push_back(
      RankedTensorType::get(*shape, Float32Type::get(context)));
  return success();
}

ShapeRule ConvTranspose2DOp::getShapeRule() {
  ConvolutionShape shape = getShape(*this);
  ShapeRule rule =
      getChannelRule(getInput(), getFilter(), getBias(), getResult());
  rule.equal.push_back({{getInput(), 3, "input"}, {getFilter(), 2, "filter"}});
  AffineExpr size = getAffineDimExpr(0, getContext());
  for (unsigned i = 0; i < 2; ++i) {
    int64_t stride = shape.strides[i];
    int64_t rest =
        shape.getSpan(i) + shape.outputPadding[i] - shape.getPadding(i);
    int64_t least = llvm::divideCeilSigned(-rest, stride) + 1;
    rule.least.push_back(
        {{getInput(), 1 + i, "input"}, std::max<int64_t>(least, 1)});
    addComputed(rule, 1 + i, getInput(), getResult(),
                (size - 1) * stride + rest);
  }
  return rule;
}

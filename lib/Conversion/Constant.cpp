//===- Constant.cpp - Conversion of constants -----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants become weights.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

using namespace mlir;
using namespace needle;

namespace {

/// The same bytes as elements of `type`, whose width is the same; null if the
/// attribute is neither dense nor a resource.
ElementsAttr withType(ElementsAttr value, RankedTensorType type) {
  if (value.getShapedType() == type)
    return value;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  if (auto dense = dyn_cast<DenseIntOrFPElementsAttr>(value))
    return dense.bitcast(type.getElementType());
  return nullptr;
}

///   needle.constant dense_resource<w> : tensor<4xi8>
///     -> tensor<4x!quant.uniform<i8:f32, 0.5>>
/// → needle_cpu.weight dense_resource<w> : tensor<4xi8> -> tensor<4xi8>
struct ConvertConstant : OpConversionPattern<ConstantOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(ConstantOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(
        op.getResult().getType());
    ElementsAttr value = type ? withType(op.getValue(), type) : ElementsAttr();
    if (!value)
      return rewriter.notifyMatchFailure(op, "neither dense nor a resource");
    rewriter.replaceOpWithNewOp<cpu::WeightOp>(op, type, value);
    return success();
  }
};

} // namespace

void needle::populateConstantPatterns(const TypeConverter &converter,
                                      RewritePatternSet &patterns) {
  patterns.add<ConvertConstant>(converter, patterns.getContext());
}

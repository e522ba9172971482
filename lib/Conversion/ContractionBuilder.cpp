//===- ContractionBuilder.cpp - What contractions are built of ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ContractionBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"

using namespace mlir;
using namespace needle;
using mlir::quant::QuantizedType;
using mlir::quant::UniformQuantizedPerAxisType;
using mlir::quant::UniformQuantizedType;

IntegerEncoding IntegerEncoding::of(Type elementType) {
  IntegerEncoding encoding;
  if (auto uniform = dyn_cast<UniformQuantizedType>(elementType)) {
    encoding.scales = {static_cast<float>(uniform.getScale())};
    encoding.zeroPoints = {static_cast<int32_t>(uniform.getZeroPoint())};
  } else if (auto perAxis =
                 dyn_cast<UniformQuantizedPerAxisType>(elementType)) {
    encoding.scales.assign(perAxis.getScales().begin(),
                           perAxis.getScales().end());
    encoding.zeroPoints.assign(perAxis.getZeroPoints().begin(),
                               perAxis.getZeroPoints().end());
  }
  auto quantized = dyn_cast<QuantizedType>(elementType);
  encoding.isUnsigned =
      quantized ? !quantized.isSigned() : elementType.isUnsignedInteger();
  return encoding;
}

Value ContractionBuilder::createDest(RankedTensorType type, Value lhs,
                                     bool transposeLhs, Value rhs,
                                     bool transposeRhs) {
  return createEmpty(builder, loc, type, [&](unsigned dim) {
    return dim == 0 ? createDim(builder, loc, lhs, transposeLhs ? 1 : 0)
                    : createDim(builder, loc, rhs, transposeRhs ? 0 : 1);
  });
}

Value ContractionBuilder::createScales(const IntegerEncoding &lhs,
                                       Value lhsScale,
                                       const IntegerEncoding &rhs,
                                       Value rhsScale, Value columns,
                                       unsigned nDim) {
  int64_t n = cast<RankedTensorType>(columns.getType()).getDimSize(nDim);
  if (lhs.isStatic() && rhs.isStatic() && !ShapedType::isDynamic(n)) {
    SmallVector<float> products;
    for (int64_t i = 0; i < n; ++i)
      products.push_back(lhs.scales[0] *
                         rhs.scales[rhs.scales.size() == 1 ? 0 : i]);
    return createWeight(builder, loc, products);
  }
  auto type = RankedTensorType::get({n}, builder.getF32Type());
  Value dest = createEmpty(builder, loc, type, [&](unsigned) {
    return createDim(builder, loc, columns, nDim);
  });
  SmallVector<LoopInput> inputs;
  unsigned a = addScale(lhs, lhsScale, inputs);
  unsigned b = addScale(rhs, rhsScale, inputs);
  return createElementwise(
      builder, loc, inputs, dest,
      [&](OpBuilder &nested, Location l, ValueRange args) -> Value {
        auto scaleOf = [&](unsigned input,
                           const IntegerEncoding &side) -> Value {
          if (input < args.size())
            return args[input];
          return arith::ConstantOp::create(
              nested, l, nested.getF32FloatAttr(side.scales[0]));
        };
        Value left = scaleOf(a, lhs), right = scaleOf(b, rhs);
        return arith::MulFOp::create(nested, l, left, right);
      });
}

/// Appends the scale of one side unless it is one constant, for which it
/// returns an index that no input has.
unsigned ContractionBuilder::addScale(const IntegerEncoding &side, Value scale,
                                      SmallVectorImpl<LoopInput> &inputs) {
  if (side.scales.size() == 1)
    return ~0U;
  if (side.isStatic())
    inputs.push_back({createWeight(builder, loc, side.scales),
                      builder.getMultiDimIdentityMap(1)});
  else
    inputs.push_back({scale, AffineMap::get(1, 0, builder.getContext())});
  return inputs.size() - 1;
}

Value ContractionBuilder::packIntegers(Value rhs, Value zeroPoint,
                                       const IntegerEncoding &encoding,
                                       bool transposed, int64_t groups) {
  Type element = builder.getIntegerType(encoding.isPlainInt8() ? 8 : 16);
  Value panels = createPanels(rhs, transposed, element, groups);
  DenseI32ArrayAttr zeroPoints;
  if (encoding.hasZeroPoint())
    zeroPoints = builder.getDenseI32ArrayAttr(encoding.zeroPoints);
  return cpu::PackRhsOp::create(builder, loc, panels.getType(), rhs, zeroPoint,
                                panels, transposed, encoding.isUnsigned,
                                zeroPoints, groups)
      .getResult(0);
}

void needle::setDestParameters(cpu::QMatmulOp op, Type elementType) {
  auto type = dyn_cast<UniformQuantizedType>(elementType);
  if (!type)
    return;
  Builder builder(op.getContext());
  auto i32 = [&](int64_t value) {
    return builder.getI32IntegerAttr(static_cast<int32_t>(value));
  };
  op.setDestScaleAttr(
      builder.getF32FloatAttr(static_cast<float>(type.getScale())));
  op.setDestZeroPointAttr(i32(type.getZeroPoint()));
  op.setDestMinAttr(i32(type.getStorageTypeMin()));
  op.setDestMaxAttr(i32(type.getStorageTypeMax()));
}

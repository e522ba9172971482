//===- TypeParameters.cpp - Parameters of a quantized type in code --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scales and zero points as constants or as inputs indexed along the axis.
//
//===----------------------------------------------------------------------===//

#include "TypeParameters.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "needle/Conversion/QuantizeEmitter.h"

using namespace mlir;
using namespace needle;
using mlir::quant::QuantizedType;
using mlir::quant::UniformQuantizedPerAxisType;
using mlir::quant::UniformQuantizedType;

TypeParameters::TypeParameters(OpBuilder &builder, Location loc,
                               QuantizedType type, int64_t rank,
                               SmallVectorImpl<LoopInput> &inputs)
    : type(type) {
  auto perAxis = dyn_cast<UniformQuantizedPerAxisType>(type);
  if (!perAxis)
    return;
  AffineMap map = AffineMap::get(
      rank, 0, builder.getAffineDimExpr(perAxis.getQuantizedDimension()));
  SmallVector<float> scales(perAxis.getScales());
  scaleInput = inputs.size();
  inputs.push_back({createWeight(builder, loc, scales), map});
  // Symmetric weights have no zero points to read.
  if (llvm::all_of(perAxis.getZeroPoints(), [](int64_t z) { return z == 0; }))
    return;
  SmallVector<int32_t> zeroPoints(perAxis.getZeroPoints());
  zeroPointInput = inputs.size();
  inputs.push_back({createWeight(builder, loc, zeroPoints), map});
}

Value TypeParameters::getScale(ValueRange args) const {
  return args[*scaleInput];
}

Value TypeParameters::getZeroPoint(OpBuilder &builder, Location loc,
                                   ValueRange args) const {
  if (zeroPointInput)
    return args[*zeroPointInput];
  return arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
}

Value TypeParameters::quantize(OpBuilder &builder, Location loc, Value x,
                               ValueRange args) const {
  auto qmin = static_cast<int32_t>(type.getStorageTypeMin());
  auto qmax = static_cast<int32_t>(type.getStorageTypeMax());
  if (auto uniform = dyn_cast<UniformQuantizedType>(type))
    return emitQuantize(builder, loc, x, static_cast<float>(uniform.getScale()),
                        static_cast<int32_t>(uniform.getZeroPoint()), qmin,
                        qmax);
  Value zeroPoint = getZeroPoint(builder, loc, args);
  return emitQuantize(builder, loc, x, getScale(args), zeroPoint, qmin, qmax);
}

Value TypeParameters::dequantize(OpBuilder &builder, Location loc, Value q,
                                 ValueRange args) const {
  if (auto uniform = dyn_cast<UniformQuantizedType>(type))
    return emitDequantize(builder, loc, q,
                          static_cast<float>(uniform.getScale()),
                          static_cast<int32_t>(uniform.getZeroPoint()));
  Value zeroPoint = getZeroPoint(builder, loc, args);
  return emitDequantize(builder, loc, q, getScale(args), zeroPoint);
}

Value needle::emitWiden(OpBuilder &builder, Location loc, Value stored,
                        bool isSigned) {
  if (isSigned)
    return arith::ExtSIOp::create(builder, loc, builder.getI32Type(), stored);
  return arith::ExtUIOp::create(builder, loc, builder.getI32Type(), stored);
}

Value needle::emitNarrow(OpBuilder &builder, Location loc, Value q) {
  return arith::TruncIOp::create(builder, loc, builder.getI8Type(), q);
}

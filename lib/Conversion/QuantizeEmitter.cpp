//===- QuantizeEmitter.cpp - Code for the numeric rules -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// N1, N2 and N3 as arith operations on scalars and vectors.
//
//===----------------------------------------------------------------------===//

#include "needle/Conversion/QuantizeEmitter.h"

#include "ElementwiseBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include <cfloat>

using namespace mlir;
using needle::ElementwiseBuilder;

Value needle::emitRoundEven(OpBuilder &builder, Location loc, Value x) {
  ElementwiseBuilder b(builder, loc, x);
  Value magic =
      getElementTypeOrSelf(x).isF64() ? b.f64(kRoundF64) : b.f32(kRoundF32);
  return b.make<arith::SubFOp>(b.make<arith::AddFOp>(x, magic), magic);
}

Value needle::emitQuantize(OpBuilder &builder, Location loc, Value x,
                           float scale, int32_t zeroPoint, int32_t qmin,
                           int32_t qmax) {
  ElementwiseBuilder b(builder, loc, x);
  Value t = b.zeroIfNaN(b.make<arith::DivFOp>(x, b.f32(scale)));
  Value low = b.f32(qmin - zeroPoint);
  Value high = b.f32(qmax - zeroPoint);
  Value q = b.roundToI32(b.clamp(t, low, high));
  return zeroPoint == 0 ? q : b.make<arith::AddIOp>(q, b.i32(zeroPoint));
}

Value needle::emitQuantize(OpBuilder &builder, Location loc, Value x,
                           Value scale, Value zeroPoint, int32_t qmin,
                           int32_t qmax) {
  ElementwiseBuilder b(builder, loc, x);
  scale = b.splat(scale);
  zeroPoint = b.splat(zeroPoint);
  Value low = b.toF32(b.make<arith::SubIOp>(b.i32(qmin), zeroPoint));
  Value high = b.toF32(b.make<arith::SubIOp>(b.i32(qmax), zeroPoint));
  Value t = b.zeroIfNaN(b.make<arith::DivFOp>(x, scale));
  return b.make<arith::AddIOp>(b.roundToI32(b.clamp(t, low, high)), zeroPoint);
}

Value needle::emitQuantizeRelu(OpBuilder &builder, Location loc, Value x,
                               Value scale, Value zeroPoint, int32_t qmax) {
  ElementwiseBuilder b(builder, loc, x);
  zeroPoint = b.splat(zeroPoint);
  Value high = b.toF32(b.make<arith::SubIOp>(b.i32(qmax), zeroPoint));
  Value t = b.make<arith::DivFOp>(x, b.splat(scale));
  // One instruction where the second operand is known not to be NaN.
  t = b.make<arith::MaxNumFOp>(t, b.f32(0.0F));
  t = b.selectIf(arith::CmpFPredicate::OLT, t, high);
  return b.make<arith::AddIOp>(b.roundToI32(t), zeroPoint);
}

Value needle::emitDequantize(OpBuilder &builder, Location loc, Value q,
                             float scale, int32_t zeroPoint) {
  ElementwiseBuilder b(builder, loc, q);
  if (zeroPoint != 0)
    q = b.make<arith::SubIOp>(q, b.i32(zeroPoint));
  return b.make<arith::MulFOp>(b.toF32(q), b.f32(scale));
}

Value needle::emitDequantize(OpBuilder &builder, Location loc, Value q,
                             Value scale, Value zeroPoint) {
  ElementwiseBuilder b(builder, loc, q);
  Value difference = b.make<arith::SubIOp>(q, b.splat(zeroPoint));
  return b.make<arith::MulFOp>(b.toF32(difference), b.splat(scale));
}

std::pair<Value, Value> needle::emitUInt8Parameters(OpBuilder &builder,
                                                    Location loc, Value min,
                                                    Value max) {
  ElementwiseBuilder b(builder, loc, min);
  Type f32 = builder.getF32Type(), f64 = builder.getF64Type();
  Value min64 = arith::ExtFOp::create(builder, loc, f64, min);
  Value max64 = arith::ExtFOp::create(builder, loc, f64, max);
  Value range = b.make<arith::SubFOp>(max64, min64);

  Value scale = arith::TruncFOp::create(
      builder, loc, f32, b.make<arith::DivFOp>(range, b.f64(255.0)));
  scale = b.clamp(scale, b.f32(FLT_MIN), b.f32(FLT_MAX));
  Value isZero = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ,
                                       range, b.f64(0.0));
  scale = arith::SelectOp::create(builder, loc, isZero, b.f32(1.0F), scale);

  Value scale64 = arith::ExtFOp::create(builder, loc, f64, scale);
  Value negated = arith::NegFOp::create(builder, loc, min64);
  Value zero = b.make<arith::DivFOp>(negated, scale64);
  zero = emitRoundEven(builder, loc, b.clamp(zero, b.f64(0.0), b.f64(255.0)));
  return {scale,
          arith::FPToSIOp::create(builder, loc, builder.getI32Type(), zero)};
}

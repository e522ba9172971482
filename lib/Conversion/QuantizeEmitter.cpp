//===- QuantizeEmitter.cpp - Code for the numeric rules -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// N1, N2 and N3 as arith operations on scalars and vectors.
//
//===----------------------------------------------------------------------===//

#include "needle/Conversion/QuantizeEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/bit.h"
#include <cfloat>

using namespace mlir;

namespace {

/// 1.5·2^23 and 1.5·2^52: adding one leaves no bit for a fraction, and the sum
/// of it and any value of the allowed range lies in one binade.
constexpr float kRoundF32 = 12582912.0F;
constexpr double kRoundF64 = 6755399441055744.0;

/// Builds arith operations of the shape of a given value.
class ElementwiseBuilder {
public:
  ElementwiseBuilder(OpBuilder &builder, Location loc, Value like)
      : builder(builder), loc(loc),
        shape(dyn_cast<VectorType>(like.getType())) {}

  /// `element`, or a vector of it.
  Type typeOf(Type element) {
    return shape ? Type(shape.clone(element)) : element;
  }
  Value constant(TypedAttr value) {
    if (shape)
      value = DenseElementsAttr::get(shape.clone(value.getType()),
                                     ArrayRef<Attribute>(value));
    return arith::ConstantOp::create(builder, loc, value);
  }
  Value f32(float value) { return constant(builder.getF32FloatAttr(value)); }
  Value f64(double value) { return constant(builder.getF64FloatAttr(value)); }
  Value i32(int32_t value) {
    return constant(builder.getI32IntegerAttr(value));
  }

  /// Broadcasts a scalar to the shape.
  Value splat(Value value) {
    if (!shape || isa<VectorType>(value.getType()))
      return value;
    return vector::BroadcastOp::create(builder, loc, typeOf(value.getType()),
                                       value);
  }
  Value toF32(Value integer) {
    return arith::SIToFPOp::create(builder, loc, typeOf(builder.getF32Type()),
                                   integer);
  }
  Value bitsOf(Value f) {
    return arith::BitcastOp::create(builder, loc, typeOf(builder.getI32Type()),
                                    f);
  }
  template <typename OpT>
  Value make(Value lhs, Value rhs) {
    return OpT::create(builder, loc, lhs, rhs);
  }
  /// `lhs` where the comparison holds, else `rhs`. With ogt and olt this is one
  /// max or min instruction on x86; arith.maximumf is several.
  Value selectIf(arith::CmpFPredicate predicate, Value lhs, Value rhs) {
    Value holds = arith::CmpFOp::create(builder, loc, predicate, lhs, rhs);
    return arith::SelectOp::create(builder, loc, holds, lhs, rhs);
  }
  Value clamp(Value x, Value low, Value high) {
    x = selectIf(arith::CmpFPredicate::OGT, x, low);
    return selectIf(arith::CmpFPredicate::OLT, x, high);
  }
  Value zeroIfNaN(Value x) {
    Value ordered =
        arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::ORD, x, x);
    return arith::SelectOp::create(builder, loc, ordered, x, f32(0.0F));
  }
  /// The i32 nearest to the f32 `t`, ties to even: the low bits of t
  /// + 1.5·2^23.
  Value roundToI32(Value t) {
    Value bits = bitsOf(make<arith::AddFOp>(t, f32(kRoundF32)));
    return make<arith::SubIOp>(bits, i32(llvm::bit_cast<int32_t>(kRoundF32)));
  }

private:
  OpBuilder &builder;
  Location loc;
  VectorType shape;
};

} // namespace

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

//===- ElementwiseBuilder.cpp - arith on scalars and vectors alike --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ElementwiseBuilder.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace needle;

Type ElementwiseBuilder::typeOf(Type element) {
  return shape ? Type(shape.clone(element)) : element;
}

Value ElementwiseBuilder::constant(TypedAttr value) {
  if (shape)
    value = DenseElementsAttr::get(shape.clone(value.getType()),
                                   ArrayRef<Attribute>(value));
  return arith::ConstantOp::create(builder, loc, value);
}

Value ElementwiseBuilder::f32(float value) {
  return constant(builder.getF32FloatAttr(value));
}
Value ElementwiseBuilder::f64(double value) {
  return constant(builder.getF64FloatAttr(value));
}
Value ElementwiseBuilder::i32(int32_t value) {
  return constant(builder.getI32IntegerAttr(value));
}
Value ElementwiseBuilder::i64(int64_t value) {
  return constant(builder.getI64IntegerAttr(value));
}

Value ElementwiseBuilder::splat(Value value) {
  if (!shape || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(builder, loc, typeOf(value.getType()),
                                     value);
}

Value ElementwiseBuilder::toF32(Value integer) {
  return convert<arith::SIToFPOp>(builder.getF32Type(), integer);
}

Value ElementwiseBuilder::bitsOf(Value f) {
  unsigned width = getElementTypeOrSelf(f).getIntOrFloatBitWidth();
  return convert<arith::BitcastOp>(builder.getIntegerType(width), f);
}

Value ElementwiseBuilder::fromBits(Value integer) {
  bool isWide = getElementTypeOrSelf(integer).isInteger(64);
  return convert<arith::BitcastOp>(
      isWide ? Type(builder.getF64Type()) : builder.getF32Type(), integer);
}

Value ElementwiseBuilder::compare(arith::CmpFPredicate predicate, Value lhs,
                                  Value rhs) {
  return arith::CmpFOp::create(builder, loc, predicate, lhs, rhs);
}

Value ElementwiseBuilder::select(Value condition, Value lhs, Value rhs) {
  return arith::SelectOp::create(builder, loc, condition, lhs, rhs);
}

Value ElementwiseBuilder::selectIf(arith::CmpFPredicate predicate, Value lhs,
                                   Value rhs) {
  return select(compare(predicate, lhs, rhs), lhs, rhs);
}

Value ElementwiseBuilder::clamp(Value x, Value low, Value high) {
  x = selectIf(arith::CmpFPredicate::OGT, x, low);
  return selectIf(arith::CmpFPredicate::OLT, x, high);
}

Value ElementwiseBuilder::clampOrNaN(Value x, Value low, Value high) {
  x = selectIf(arith::CmpFPredicate::OGT, low, x);
  return selectIf(arith::CmpFPredicate::OLT, high, x);
}

Value ElementwiseBuilder::zeroIfNaN(Value x) {
  return select(compare(arith::CmpFPredicate::ORD, x, x), x, f32(0.0F));
}

Value ElementwiseBuilder::roundToI32(Value t) {
  Value bits = bitsOf(make<arith::AddFOp>(t, f32(kRoundF32)));
  return make<arith::SubIOp>(bits, i32(llvm::bit_cast<int32_t>(kRoundF32)));
}

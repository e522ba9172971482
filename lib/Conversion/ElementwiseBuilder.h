//===- ElementwiseBuilder.h - arith on scalars and vectors alike -*- C++
//-*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the emitters of numeric code share: constants, conversions and
// selections in the shape of a given value.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CONVERSION_ELEMENTWISEBUILDER_H
#define NEEDLE_LIB_CONVERSION_ELEMENTWISEBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace needle {

/// 1.5·2^23 and 1.5·2^52: adding one leaves no bit for a fraction, and the sum
/// of it and any value of the allowed range lies in one binade.
constexpr float kRoundF32 = 12582912.0F;
constexpr double kRoundF64 = 6755399441055744.0;

/// Builds arith operations of the shape of a given value: a scalar, or a vector
/// of any rank.
class ElementwiseBuilder {
public:
  ElementwiseBuilder(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value like)
      : builder(builder), loc(loc),
        shape(llvm::dyn_cast<mlir::VectorType>(like.getType())) {}

  /// `element`, or a vector of it.
  mlir::Type typeOf(mlir::Type element);

  mlir::Value f32(float value);
  mlir::Value f64(double value);
  mlir::Value i32(int32_t value);
  mlir::Value i64(int64_t value);

  /// Broadcasts a scalar to the shape.
  mlir::Value splat(mlir::Value value);
  /// A signed integer as f32, rounded.
  mlir::Value toF32(mlir::Value integer);
  /// The bits of a float as an integer of its width, and back.
  mlir::Value bitsOf(mlir::Value f);
  mlir::Value fromBits(mlir::Value integer);

  template <typename OpT>
  mlir::Value make(mlir::Value lhs, mlir::Value rhs) {
    return OpT::create(builder, loc, lhs, rhs);
  }
  /// An operation on one value that changes its element type.
  template <typename OpT>
  mlir::Value convert(mlir::Type element, mlir::Value value) {
    return OpT::create(builder, loc, typeOf(element), value);
  }
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value lhs,
                      mlir::Value rhs);
  mlir::Value select(mlir::Value condition, mlir::Value lhs, mlir::Value rhs);
  /// `lhs` where the comparison holds, else `rhs`. With ogt and olt this is one
  /// max or min instruction on x86; arith.maximumf is several.
  mlir::Value selectIf(mlir::arith::CmpFPredicate predicate, mlir::Value lhs,
                       mlir::Value rhs);
  /// `x` within [low, high]; a NaN becomes `low`.
  mlir::Value clamp(mlir::Value x, mlir::Value low, mlir::Value high);
  /// `x` within [low, high]; a NaN stays.
  mlir::Value clampOrNaN(mlir::Value x, mlir::Value low, mlir::Value high);
  mlir::Value zeroIfNaN(mlir::Value x);
  /// The i32 nearest to the f32 `t`, ties to even: the low bits of t
  /// + 1.5·2^23. Requires |t| ≤ 2^22.
  mlir::Value roundToI32(mlir::Value t);

  mlir::OpBuilder &builder;
  mlir::Location loc;

private:
  mlir::Value constant(mlir::TypedAttr value);

  mlir::VectorType shape;
};

} // namespace needle

#endif // NEEDLE_LIB_CONVERSION_ELEMENTWISEBUILDER_H

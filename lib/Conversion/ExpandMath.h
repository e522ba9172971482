//===- ExpandMath.h - exp, log, tanh and pow in arith -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The expansions of needle-expand-math. Each takes f32 scalars or vectors of
// f32 and returns the same. They consist of additions, multiplications,
// divisions, comparisons and integer operations, none of which is contracted or
// becomes a library call, so a result has the same bits on every target.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CONVERSION_EXPANDMATH_H
#define NEEDLE_LIB_CONVERSION_EXPANDMATH_H

#include "ElementwiseBuilder.h"

namespace needle {

/// e^argument within 1 ulp; results below 2^-126 are denormal, not zero.
mlir::Value expandExp(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value argument);

/// The natural logarithm within 1 ulp: -inf of ±0, NaN below.
mlir::Value expandLog(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value argument);

/// The hyperbolic tangent within 2 ulp; ±1 from |argument| = 9.02 on, -0 of -0.
mlir::Value expandTanh(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value argument);

/// base^power within 1 ulp, with the special cases of C99's powf (annex
/// F.9.4.4), which are NumPy's too.
mlir::Value expandPow(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value base, mlir::Value power);

/// A float in a formula: operators build arith operations.
class Real {
public:
  Real(ElementwiseBuilder &b, mlir::Value value) : b(&b), value(value) {}
  operator mlir::Value() const { return value; }

  Real operator+(const Real &rhs) const {
    return make<mlir::arith::AddFOp>(rhs);
  }
  Real operator-(const Real &rhs) const {
    return make<mlir::arith::SubFOp>(rhs);
  }
  Real operator*(const Real &rhs) const {
    return make<mlir::arith::MulFOp>(rhs);
  }
  Real operator/(const Real &rhs) const {
    return make<mlir::arith::DivFOp>(rhs);
  }
  Real operator+(double rhs) const { return *this + constant(rhs); }
  Real operator-(double rhs) const { return *this - constant(rhs); }
  Real operator*(double rhs) const { return *this * constant(rhs); }

  /// A constant of this value's type; `x` is one of its values.
  Real constant(double x) const;
  /// Clears the sign bit.
  Real magnitude() const;
  /// Σ coefficients[i]·value^i, by Horner's rule.
  Real polynomial(llvm::ArrayRef<double> coefficients) const;

private:
  template <typename OpT>
  Real make(const Real &rhs) const {
    return {*b, b->make<OpT>(value, rhs.value)};
  }

  ElementwiseBuilder *b;
  mlir::Value value;
};

} // namespace needle

#endif // NEEDLE_LIB_CONVERSION_EXPANDMATH_H

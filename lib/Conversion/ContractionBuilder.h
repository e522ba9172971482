//===- ContractionBuilder.h - What contractions are built of ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parameters, scales and packed right-hand sides of matmul, qmatmul, conv2d and
// qconv2d.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CONVERSION_CONTRACTIONBUILDER_H
#define NEEDLE_LIB_CONVERSION_CONTRACTIONBUILDER_H

#include "PanelBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

namespace needle {

/// How a stored integer maps to a number, as far as it is known statically.
struct IntegerEncoding {
  bool isUnsigned = false;
  /// One per column, or one for all. Empty if they are operands.
  llvm::SmallVector<float> scales;
  llvm::SmallVector<int32_t> zeroPoints;

  static IntegerEncoding of(mlir::Type elementType);

  bool isStatic() const { return !scales.empty(); }
  /// Stored values can be multiplied as they are, as signed 8-bit integers.
  bool isPlainInt8() const {
    return !isUnsigned && isStatic() && !hasZeroPoint();
  }
  bool hasZeroPoint() const {
    return llvm::any_of(zeroPoints, [](int32_t z) { return z != 0; });
  }
};

/// Builds what contractions need.
class ContractionBuilder : public PanelBuilder {
public:
  using PanelBuilder::PanelBuilder;

  /// The destination of the contraction, M×N.
  mlir::Value createDest(mlir::RankedTensorType type, mlir::Value lhs,
                         bool transposeLhs, mlir::Value rhs, bool transposeRhs);

  /// The combined scales f32(sa · sb) of N5, one per column, which is dimension
  /// `nDim` of `columns`: a weight when they are known and so is N, else
  /// computed at run time.
  mlir::Value createScales(const IntegerEncoding &lhs, mlir::Value lhsScale,
                           const IntegerEncoding &rhs, mlir::Value rhsScale,
                           mlir::Value columns, unsigned nDim);

  /// The packed form of a matrix of integers.
  mlir::Value packIntegers(mlir::Value rhs, mlir::Value zeroPoint,
                           const IntegerEncoding &encoding, bool transposed,
                           int64_t groups = 1);

private:
  unsigned addScale(const IntegerEncoding &side, mlir::Value scale,
                    llvm::SmallVectorImpl<LoopInput> &inputs);
};

/// A result of integers is quantized by N1 with the parameters of its type.
void setDestParameters(cpu::QMatmulOp op, mlir::Type elementType);

} // namespace needle

#endif // NEEDLE_LIB_CONVERSION_CONTRACTIONBUILDER_H

//===- TypeParameters.h - Parameters of a quantized type in code -*- C++
//-*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes the scales and zero points of a quantized type available in the body of
// an elementwise loop nest.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CONVERSION_TYPEPARAMETERS_H
#define NEEDLE_LIB_CONVERSION_TYPEPARAMETERS_H

#include "ConversionUtils.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"

namespace needle {

/// The parameters of a quantized type: constants of the body when they are per
/// tensor, else inputs of the loop nest, indexed along the axis.
class TypeParameters {
public:
  /// Appends what is needed to `inputs`, for loops of `rank` dimensions.
  TypeParameters(mlir::OpBuilder &builder, mlir::Location loc,
                 mlir::quant::QuantizedType type, int64_t rank,
                 llvm::SmallVectorImpl<LoopInput> &inputs);

  /// N1: f32 to i32; `args` are the block arguments of all inputs.
  mlir::Value quantize(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value x, mlir::ValueRange args) const;

  /// N3: i32 to f32.
  mlir::Value dequantize(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value q, mlir::ValueRange args) const;

private:
  mlir::Value getScale(mlir::ValueRange args) const;
  mlir::Value getZeroPoint(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::ValueRange args) const;

  mlir::quant::QuantizedType type;
  std::optional<unsigned> scaleInput;
  std::optional<unsigned> zeroPointInput;
};

/// The stored integer (i8) as i32.
mlir::Value emitWiden(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value stored, bool isSigned);

/// An i32 as the stored integer, whose range it is known to be in.
mlir::Value emitNarrow(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value q);

} // namespace needle

#endif // NEEDLE_LIB_CONVERSION_TYPEPARAMETERS_H

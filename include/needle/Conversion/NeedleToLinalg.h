//===- NeedleToLinalg.h - Conversion of needle to linalg --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The type converter and the patterns of convert-needle-to-linalg, by family of
// operations.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_CONVERSION_NEEDLETOLINALG_H
#define NEEDLE_CONVERSION_NEEDLETOLINALG_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace needle {

/// Maps tensors of 8-bit quantized types, `ui8` and `si8` to tensors of
/// signless `i8` and leaves other types alone. Quantized types of another width
/// have no conversion.
class NeedleTypeConverter : public mlir::TypeConverter {
public:
  NeedleTypeConverter();
};

/// matmul and qmatmul, with right-hand sides packed in panels of `panel`
/// columns.
void populateContractionPatterns(const mlir::TypeConverter &converter,
                                 int64_t panel,
                                 mlir::RewritePatternSet &patterns);

/// matmul with batch dimensions, by way of those without.
void populateBatchMatmulPatterns(const mlir::TypeConverter &converter,
                                 int64_t panel,
                                 mlir::RewritePatternSet &patterns);

/// dequantize_blockwise and qmatmul_blockwise.
void populateBlockwisePatterns(const mlir::TypeConverter &converter,
                               int64_t panel,
                               mlir::RewritePatternSet &patterns);

/// conv2d, qconv2d and conv_transpose2d.
void populateConvolutionPatterns(const mlir::TypeConverter &converter,
                                 int64_t panel,
                                 mlir::RewritePatternSet &patterns);
void populateConvTransposePatterns(const mlir::TypeConverter &converter,
                                   int64_t panel,
                                   mlir::RewritePatternSet &patterns);

/// Elementwise float operations, with broadcasting.
void populateElementwisePatterns(const mlir::TypeConverter &converter,
                                 mlir::RewritePatternSet &patterns);

/// reverse, slice, pad and concat.
void populateMovingPatterns(const mlir::TypeConverter &converter,
                            mlir::RewritePatternSet &patterns);

/// Sums and maxima along dimensions.
void populateReductionPatterns(const mlir::TypeConverter &converter,
                               mlir::RewritePatternSet &patterns);

/// transpose, reshape, observe, and tensor.cast and tensor.dim of quantized
/// tensors.
void populateShapePatterns(const mlir::TypeConverter &converter,
                           mlir::RewritePatternSet &patterns);

/// quantize, dequantize, requantize and fake_quantize.
void populateQuantizePatterns(const mlir::TypeConverter &converter,
                              mlir::RewritePatternSet &patterns);

/// quantize_dynamic.
void populateQuantizeDynamicPatterns(const mlir::TypeConverter &converter,
                                     mlir::RewritePatternSet &patterns);

/// constant.
void populateConstantPatterns(const mlir::TypeConverter &converter,
                              mlir::RewritePatternSet &patterns);

/// Functions, calls and returns.
void populateFuncSignaturePatterns(const mlir::TypeConverter &converter,
                                   mlir::RewritePatternSet &patterns);

/// Sets the attribute `needle.type` of each tensor argument and result of each
/// function to its type, unless it is set.
void recordOriginalTypes(mlir::ModuleOp module);

} // namespace needle

#endif // NEEDLE_CONVERSION_NEEDLETOLINALG_H

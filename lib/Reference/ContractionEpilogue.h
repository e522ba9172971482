//===- ContractionEpilogue.h - What follows the sums ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bias, activation, rescale and requantization of contractions.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_REFERENCE_CONTRACTIONEPILOGUE_H
#define NEEDLE_LIB_REFERENCE_CONTRACTIONEPILOGUE_H

#include "QuantParamsOf.h"
#include "needle/Dialect/Needle/IR/Needle.h"

namespace needle {

float activate(Activation activation, float value);

/// What follows an integer sum (N5).
class ContractionEpilogue {
public:
  ContractionEpilogue(Activation activation, mlir::Value bias,
                      const Environment &env);

  int64_t addBias(int64_t sum, int64_t column) const {
    return integerBias.empty() ? sum : sum + integerBias[column];
  }
  /// Each step is one rounding to f32.
  float apply(int64_t sum, float combinedScale, int64_t column) const;

private:
  Activation activation;
  llvm::ArrayRef<int32_t> integerBias;
  llvm::ArrayRef<float> floatBias;
};

/// The result of an integer contraction: i32, f32 or quantized.
class IntegerResult {
public:
  /// An error at `op` if its type or size does not allow one.
  static mlir::FailureOr<IntegerResult> create(mlir::Operation *op,
                                               llvm::ArrayRef<int64_t> shape,
                                               ContractionEpilogue epilogue);

  /// Finishes and stores one sum, of `column` of the right-hand side.
  void set(int64_t index, int64_t column, int64_t sum, float combinedScale);

  Tensor take() && { return std::move(tensor); }

private:
  IntegerResult(Tensor tensor, QuantTypeInfo to, ContractionEpilogue epilogue)
      : tensor(std::move(tensor)), to(std::move(to)), epilogue(epilogue) {}

  Tensor tensor;
  QuantTypeInfo to; ///< of a quantized result
  ContractionEpilogue epilogue;
};

} // namespace needle

#endif // NEEDLE_LIB_REFERENCE_CONTRACTIONEPILOGUE_H

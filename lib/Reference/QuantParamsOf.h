//===- QuantParamsOf.h - Parameters of a quantized operand ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Brings together the two places where the parameters of a quantized operand
// can stand: its type, or two more operands.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_REFERENCE_QUANTPARAMSOF_H
#define NEEDLE_LIB_REFERENCE_QUANTPARAMSOF_H

#include "Evaluator.h"
#include "needle/Quantization/QuantTypes.h"

namespace needle {

/// A quantized operand as an operation names it; `scale` and `zeroPoint` are
/// null when the parameters are part of the type.
struct QuantizedValue {
  llvm::StringRef name;
  mlir::Value value;
  mlir::Value scale;
  mlir::Value zeroPoint;
};

/// The parameters of an operand. An error at `op` if a zero point that is known
/// only now is none of the stored integers.
mlir::FailureOr<QuantTypeInfo> getQuantParams(mlir::Operation *op,
                                              const QuantizedValue &operand,
                                              const Environment &env);

/// The parameters in a quantized element type; an error at `op` if it is not
/// uniform, or if it has not one set for each index of its axis in `shape`.
mlir::FailureOr<QuantTypeInfo> getQuantParams(mlir::Operation *op,
                                              mlir::Type elementType,
                                              llvm::ArrayRef<int64_t> shape);

} // namespace needle

#endif // NEEDLE_LIB_REFERENCE_QUANTPARAMSOF_H

//===- NeedleInterfaces.h - Operation interfaces of needle ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the operation interfaces and the descriptions they exchange.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLE_IR_NEEDLEINTERFACES_H
#define NEEDLE_DIALECT_NEEDLE_IR_NEEDLEINTERFACES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"
#include "needle/Dialect/Needle/IR/ShapeRule.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace needle {

/// What a quantizable operand is to its operation.
enum class QuantizableRole {
  /// Differs between runs; its range comes from calibration or at run time.
  Activation,
  /// Usually constant; its range comes from its values.
  Weight,
};

/// An operand that an integer form takes quantized.
struct QuantizableOperand {
  /// Index among the operation's operands.
  unsigned index;
  /// Its name in the operation's documentation, for messages.
  llvm::StringRef name;
  QuantizableRole role;
  /// The axis along which parameters may differ, if any (per tensor otherwise).
  std::optional<int64_t> axis;
};

/// The quantized source of such an operand. `scale` and `zeroPoint` are null
/// when the parameters are part of the type of `value`, else they are rank-0
/// tensors of f32 and i32.
struct QuantizedOperand {
  mlir::Value value;
  mlir::Value scale;
  mlir::Value zeroPoint;
};

} // namespace needle

#include "needle/Dialect/Needle/IR/NeedleEnums.h.inc"
#include "needle/Dialect/Needle/IR/NeedleInterfaces.h.inc"

#endif // NEEDLE_DIALECT_NEEDLE_IR_NEEDLEINTERFACES_H

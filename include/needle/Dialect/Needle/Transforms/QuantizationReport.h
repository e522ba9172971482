//===- QuantizationReport.h - What became integer, and why not --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collects the precision of each operation of a module for `explain`.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLE_TRANSFORMS_QUANTIZATIONREPORT_H
#define NEEDLE_DIALECT_NEEDLE_TRANSFORMS_QUANTIZATIONREPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Location.h"
#include <string>
#include <vector>

namespace needle {

/// One operation of a quantization report.
struct OpQuantizationReport {
  /// Name as getOpName gives it; may be empty.
  std::string name;
  mlir::Location location;
  /// Name of the operation's kind, e.g. "needle.qmatmul".
  std::string op;
  /// Element types of the tensors: "f32", or for an integer operation those of
  /// its data operands and its result, e.g. "u8, i8 -> f32".
  std::string precision;
  /// Why a quantizable operation is float, or a quantize is an operation of its
  /// own; empty otherwise.
  std::string reason;
};

/// Reports every needle operation of the module except constants, in order.
std::vector<OpQuantizationReport>
collectQuantizationReport(mlir::ModuleOp module);

} // namespace needle

#endif // NEEDLE_DIALECT_NEEDLE_TRANSFORMS_QUANTIZATIONREPORT_H

//===- ConstantQuantization.h - Quantized constants -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns float constants into quantized ones.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_DIALECT_NEEDLE_TRANSFORMS_CONSTANTQUANTIZATION_H
#define NEEDLE_LIB_DIALECT_NEEDLE_TRANSFORMS_CONSTANTQUANTIZATION_H

#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Quantization/NumericRules.h"
#include <map>
#include <optional>
#include <tuple>

namespace needle {

/// Quantizes f32 constants, each once for one format and axis, whoever asks.
class ConstantQuantizer {
public:
  /// The dequantized, quantized `constant`: parameters from its values by N2
  /// (per index of `axis`, if given), integers by N1. The new operations stand
  /// behind `constant`.
  mlir::Value getDequantized(ConstantOp constant, const QuantFormat &format,
                             std::optional<int64_t> axis);

  /// How many constants were made.
  unsigned getNumCreated() const { return numCreated; }

private:
  // Constants of the same value share the quantized data as well.
  using Key = std::tuple<const void *, bool, int64_t>;
  using TypedValue = std::pair<mlir::RankedTensorType, mlir::ElementsAttr>;

  std::map<Key, mlir::Value> dequantized;
  std::map<Key, TypedValue> values;
  unsigned numCreated = 0;
};

} // namespace needle

#endif // NEEDLE_LIB_DIALECT_NEEDLE_TRANSFORMS_CONSTANTQUANTIZATION_H

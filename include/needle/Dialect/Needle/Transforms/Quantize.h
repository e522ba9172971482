//===- Quantize.h - Quantizing a module -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The quantization configuration, the pipelines made from it, and the ranges
// that calibration hands back.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLE_TRANSFORMS_QUANTIZE_H
#define NEEDLE_DIALECT_NEEDLE_TRANSFORMS_QUANTIZE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace needle {

/// When the parameters of activations are computed.
enum class QuantizationMode {
  /// At compile time, from calibrated ranges.
  Static,
  /// At run time, from the values.
  Dynamic,
};

/// Type of quantized activations.
enum class ActivationType {
  /// Activations stay float.
  None,
  /// Asymmetric, per tensor.
  UInt8,
};

/// Type of quantized weights.
enum class WeightType {
  /// Weights stay float.
  None,
  /// Symmetric, -127 to 127.
  Int8,
  /// Asymmetric.
  UInt8,
};

/// What shares one pair of weight parameters.
enum class WeightGranularity {
  PerTensor,
  /// Each index along the axis that the operation names.
  PerAxis,
};

/// The quantization configuration. The options of needle-quantize, whose
/// documentation says what they mean.
struct QuantizeOptions {
  QuantizationMode mode = QuantizationMode::Static;
  ActivationType activationType = ActivationType::UInt8;
  WeightType weightType = WeightType::Int8;
  WeightGranularity weightGranularity = WeightGranularity::PerAxis;
  /// Glob patterns of operation names.
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  /// Leave operations with unmeasured activations in float, do not fail.
  bool allowUncalibrated = false;
};

/// Appends the passes that make a module ready for calibration: weights become
/// constants where they can, activations are observed. `pm` is anchored on a
/// module. Calibration then runs a copy of the module through
/// needle-expose-observed and hands the ranges to setObservedRanges.
void addObservePasses(mlir::OpPassManager &pm, const QuantizeOptions &options);

/// Appends the passes that quantize an observed (or, in dynamic mode, any)
/// module down to integer operations. `pm` is anchored on a module.
void addQuantizePasses(mlir::OpPassManager &pm, const QuantizeOptions &options);

/// The range of the values that calibration saw at the observe `id`. Infinite
/// bounds are allowed; N2 counts them as ±FLT_MAX.
struct ObservedRange {
  int64_t id;
  double min;
  double max;
};

/// Sets `min` and `max` of the observes with the given ids, replacing earlier
/// ones; the others stay as they are. Fails with an error, before any change,
/// if a range is no range (NaN, or min above max: nothing was observed), an id
/// is given twice, or no or more than one observe of the module has it.
mlir::LogicalResult setObservedRanges(mlir::ModuleOp module,
                                      llvm::ArrayRef<ObservedRange> ranges);

} // namespace needle

#endif // NEEDLE_DIALECT_NEEDLE_TRANSFORMS_QUANTIZE_H

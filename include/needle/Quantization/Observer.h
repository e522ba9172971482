//===- Observer.h - Learning the range of a value ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Observers see the values that a tensor takes during calibration, in as many
// parts as it likes, and say which range N2 should turn into parameters.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_QUANTIZATION_OBSERVER_H
#define NEEDLE_QUANTIZATION_OBSERVER_H

#include "needle/Quantization/NumericRules.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LogicalResult.h"
#include <limits>
#include <memory>
#include <optional>
#include <string>

namespace needle {

/// Learns a range from a stream of values in constant memory. What an observer
/// has learned must not depend on how the stream was cut into parts, nor on the
/// order of merges. Not safe for concurrent use: one observer a thread, then
/// merge.
class RangeObserver {
public:
  virtual ~RangeObserver();

  /// The method's name, by which createObserver() makes it.
  virtual llvm::StringRef getMethod() const = 0;

  /// Sees more values. NaN is ignored, ±inf counts as ±FLT_MAX (N2).
  virtual void observe(llvm::ArrayRef<float> values) = 0;

  /// Adds what `other` has learned. Fails, changing nothing, when `other` uses
  /// another method or other settings.
  virtual llvm::LogicalResult merge(const RangeObserver &other) = 0;

  /// The range so far: finite, not yet widened to contain zero; none before the
  /// first value that is not NaN.
  virtual std::optional<RealRange> getRange() const = 0;
};

/// The smallest and the largest value seen.
class MinMaxObserver final : public RangeObserver {
public:
  static constexpr llvm::StringLiteral kMethod = "min-max";

  llvm::StringRef getMethod() const override { return kMethod; }
  void observe(llvm::ArrayRef<float> values) override;
  llvm::LogicalResult merge(const RangeObserver &other) override;
  std::optional<RealRange> getRange() const override;

private:
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();
};

/// Makes an observer; null and `error` set when there is no such method.
std::unique_ptr<RangeObserver> createObserver(llvm::StringRef method,
                                              std::string &error);

} // namespace needle

#endif // NEEDLE_QUANTIZATION_OBSERVER_H

//===- Observer.cpp - Learning the range of a value -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The min-max observer, and the table of methods.
//
//===----------------------------------------------------------------------===//

#include "needle/Quantization/Observer.h"
#include "llvm/ADT/Twine.h"
#include <algorithm>
#include <cfloat>

using namespace needle;

RangeObserver::~RangeObserver() = default;

void MinMaxObserver::observe(llvm::ArrayRef<float> values) {
  // False for NaN, which therefore is not seen.
  for (float value : values) {
    min = value < min ? value : min;
    max = value > max ? value : max;
  }
}

llvm::LogicalResult MinMaxObserver::merge(const RangeObserver &other) {
  if (other.getMethod() != getMethod())
    return llvm::failure();
  const auto &minMax = static_cast<const MinMaxObserver &>(other);
  min = std::min(min, minMax.min);
  max = std::max(max, minMax.max);
  return llvm::success();
}

std::optional<RealRange> MinMaxObserver::getRange() const {
  // `value < +inf` is false for +inf itself: a stream of +inf alone leaves min
  // at +inf, which the clamp turns into FLT_MAX as for any other infinity.
  if (max < min)
    return std::nullopt;
  return RealRange{std::clamp<double>(min, -FLT_MAX, FLT_MAX),
                   std::clamp<double>(max, -FLT_MAX, FLT_MAX)};
}

std::unique_ptr<RangeObserver> needle::createObserver(llvm::StringRef method,
                                                      std::string &error) {
  if (method == MinMaxObserver::kMethod)
    return std::make_unique<MinMaxObserver>();
  error = (llvm::Twine("unknown calibration method '") + method +
           "'; the methods are: " + MinMaxObserver::kMethod)
              .str();
  return nullptr;
}

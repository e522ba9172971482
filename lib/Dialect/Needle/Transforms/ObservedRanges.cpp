//===- ObservedRanges.cpp - What calibration saw --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes calibrated ranges to the observes of a module.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/Needle/Transforms/Quantize.h"
#include <map>
#include <set>

using namespace needle;
using namespace mlir;

// Ids are the user's: a DenseMap would reserve two of them.
using ObservesById = std::multimap<int64_t, ObserveOp>;

/// Checks a range and the id that it is for.
static LogicalResult verifyRange(ModuleOp module, const ObservedRange &range,
                                 const ObservesById &observes) {
  // Also false if one of them is NaN.
  if (!(range.min <= range.max))
    return module.emitError()
           << "the range of observe " << range.id << " is [" << range.min
           << ", " << range.max
           << "]: no value was observed; calibrate with data that reaches it";
  size_t count = observes.count(range.id);
  if (count == 1)
    return success();
  InFlightDiagnostic error = module.emitError();
  error << "a range is given for observe " << range.id << ", but ";
  if (count == 0)
    error << "the module has no observe with this id";
  else
    error << count << " observes have this id";
  return error;
}

LogicalResult needle::setObservedRanges(ModuleOp module,
                                        llvm::ArrayRef<ObservedRange> ranges) {
  ObservesById observes;
  module.walk(
      [&](ObserveOp observe) { observes.emplace(observe.getId(), observe); });
  std::set<int64_t> seen;
  for (const ObservedRange &range : ranges) {
    if (failed(verifyRange(module, range, observes)))
      return failure();
    if (!seen.insert(range.id).second)
      return module.emitError()
             << "two ranges are given for observe " << range.id;
  }
  Builder builder(module.getContext());
  for (const ObservedRange &range : ranges) {
    ObserveOp observe = observes.find(range.id)->second;
    observe.setMinAttr(builder.getF64FloatAttr(range.min));
    observe.setMaxAttr(builder.getF64FloatAttr(range.max));
  }
  return success();
}

//===- ExposeObserved.cpp - Observed values as results --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns the operands of needle.observe into additional function results.
//
//===----------------------------------------------------------------------===//

#include "Observe.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/Needle/Transforms/Passes.h"
#include "needle/Dialect/Needle/Transforms/QuantizationAttributes.h"
#include <map>

namespace needle {
#define GEN_PASS_DEF_EXPOSEOBSERVEDPASS
#include "needle/Dialect/Needle/Transforms/Passes.h.inc"
} // namespace needle

using namespace needle;
using namespace mlir;

namespace {

struct ExposeObservedPass
    : needle::impl::ExposeObservedPassBase<ExposeObservedPass> {
  void runOnOperation() override;
};

using ObservesOfFunction =
    llvm::MapVector<func::FuncOp, llvm::SmallVector<ObserveOp>>;

} // namespace

/// Collects the observes by function; fails where one cannot be exposed.
static FailureOr<ObservesOfFunction> collectObserves(ModuleOp module) {
  ObservesOfFunction observes;
  // Ids are the user's: a DenseMap reserves two of them.
  std::map<int64_t, ObserveOp> byId;
  WalkResult result = module.walk([&](ObserveOp observe) -> WalkResult {
    auto [other, isNew] = byId.try_emplace(observe.getId(), observe);
    if (!isNew) {
      InFlightDiagnostic error = observe.emitError()
                                 << "another observe has the id "
                                 << observe.getId() << " too";
      error.attachNote(other->second.getLoc()) << "it is here";
      return error;
    }
    auto function = dyn_cast<func::FuncOp>(observe->getParentOp());
    if (!function || !function.getBody().hasOneBlock())
      return observe.emitError()
             << "observe " << observe.getId()
             << " cannot be exposed: it lies in a nested region or in a "
                "function of several blocks";
    Operation *end = function.front().getTerminator();
    if (!isa<func::ReturnOp>(end)) {
      InFlightDiagnostic error = observe.emitError()
                                 << "observe " << observe.getId()
                                 << " cannot be exposed: its function does not "
                                    "end with func.return";
      error.attachNote(end->getLoc()) << "it ends here";
      return error;
    }
    observes[function].push_back(observe);
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  return observes;
}

/// Fails if another operation refers to the function by name: exposing would
/// change the type that it relies on.
static LogicalResult verifyUnused(func::FuncOp function, ModuleOp module) {
  std::optional<SymbolTable::UseRange> uses =
      SymbolTable::getSymbolUses(function, module);
  if (uses && uses->empty())
    return success();
  InFlightDiagnostic error =
      function.emitError()
      << "'" << function.getSymName()
      << "' has observed values, which cannot become results of it because "
         "other operations refer to it; inline its calls first";
  if (uses)
    error.attachNote(uses->begin()->getUser()->getLoc()) << "used here";
  return error;
}

/// Returns the operands of `observes` as additional results.
static void expose(func::FuncOp function, llvm::ArrayRef<ObserveOp> observes) {
  auto terminator = cast<func::ReturnOp>(function.front().getTerminator());
  for (ObserveOp observe : observes) {
    unsigned index = function.getNumResults();
    Value value = observe.getOperand();
    auto attributes = DictionaryAttr::get(
        function.getContext(),
        NamedAttribute(StringAttr::get(function.getContext(), kObservedAttr),
                       observe.getIdAttr()));
    if (failed(function.insertResult(index, value.getType(), attributes)))
      llvm_unreachable("a tensor is a valid result of func.func");
    terminator.getOperandsMutable().append(value);
    removeObserve(observe);
  }
}

void ExposeObservedPass::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<ObservesOfFunction> observes = collectObserves(module);
  if (failed(observes))
    return signalPassFailure();
  for (auto &[function, values] : *observes)
    if (failed(verifyUnused(function, module)))
      return signalPassFailure();
  for (auto &[function, values] : *observes) {
    expose(function, values);
    numExposed += values.size();
  }
}

//===- InferTypes.cpp - Result types of an operation to be made -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "InferTypes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "llvm/ADT/ScopeExit.h"
#include <memory>

using namespace mlir;

/// Calls `use` with the properties that the attributes of `state` make.
static LogicalResult
withProperties(RegisteredOperationName name, OperationState &state,
               function_ref<LogicalResult(OpaqueProperties)> use) {
  auto storage = std::make_unique<char[]>(name.getOpPropertyByteSize() + 1);
  OpaqueProperties properties(storage.get());
  name.initOpProperties(properties, OpaqueProperties(nullptr));
  auto destroy =
      llvm::make_scope_exit([&] { name.destroyOpProperties(properties); });
  auto error = [&] {
    return emitError(state.location) << "'" << name.getStringRef() << "' op ";
  };
  if (failed(name.setOpPropertiesFromAttribute(
          name, properties, state.attributes.getDictionary(state.getContext()),
          error)))
    return failure();
  return use(properties);
}

LogicalResult needle::checkProperties(RegisteredOperationName name,
                                      OperationState &state) {
  return withProperties(name, state,
                        [](OpaqueProperties) { return success(); });
}

LogicalResult needle::inferResultTypes(RegisteredOperationName name,
                                       OperationState &state) {
  auto *inference = name.getInterface<InferTypeOpInterface>();
  if (!inference)
    return emitError(state.location)
           << "'" << name.getStringRef()
           << "' op does not infer its result types; give them";
  return withProperties(name, state, [&](OpaqueProperties properties) {
    SmallVector<Type> types;
    MLIRContext *context = state.getContext();
    if (failed(inference->inferReturnTypes(
            context, state.location, state.operands,
            state.attributes.getDictionary(context), properties,
            /*regions=*/{}, types)))
      return LogicalResult::failure();
    state.addTypes(types);
    return success();
  });
}

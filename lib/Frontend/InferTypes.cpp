//===- InferTypes.cpp - Result types of an operation to be made -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "InferTypes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "llvm/ADT/ScopeExit.h"
#include <memory>

using namespace mlir;

/// Calls `use` with the properties that the attributes of `state` make.
static LogicalResult
withProperties(RegisteredOperationName name, OperationState &state,
               function_ref<LogicalResult(OpaqueProperties)> use) {
  if (name.getOpPropertyByteSize() == 0)
    return use(OpaqueProperties(nullptr));
  auto storage = std::make_unique<char[]>(name.getOpPropertyByteSize());
  OpaqueProperties properties(storage.get());
  name.initOpProperties(properties, OpaqueProperties(nullptr));
  llvm::scope_exit destroy([&] { name.destroyOpProperties(properties); });
  auto error = [&] {
    return emitError(state.location) << "'" << name.getStringRef() << "' op ";
  };
  if (failed(name.setOpPropertiesFromAttribute(
          name, properties, state.attributes.getDictionary(state.getContext()),
          error)))
    return failure();
  return use(properties);
}

/// The least number of operands that an operation's traits ask for, up to 3.
static unsigned getMinOperands(RegisteredOperationName name) {
  if (name.hasTrait<OpTrait::NOperands<3>::Impl>() ||
      name.hasTrait<OpTrait::AtLeastNOperands<3>::Impl>())
    return 3;
  if (name.hasTrait<OpTrait::NOperands<2>::Impl>() ||
      name.hasTrait<OpTrait::AtLeastNOperands<2>::Impl>())
    return 2;
  return name.hasTrait<OpTrait::OneOperand>() ||
         name.hasTrait<OpTrait::AtLeastNOperands<1>::Impl>();
}

LogicalResult needle::checkAttributeNames(RegisteredOperationName name,
                                          const OperationState &state) {
  ArrayRef<StringAttr> known = name.getAttributeNames();
  for (NamedAttribute attribute : state.attributes) {
    StringAttr given = attribute.getName();
    if (llvm::is_contained(known, given) || given.getValue().contains('.'))
      continue;
    InFlightDiagnostic error = emitError(state.location)
                               << "'" << name.getStringRef()
                               << "' op has no attribute " << given << "; it ";
    if (known.empty())
      return error << "has none";
    error << "has ";
    llvm::interleaveComma(known, error);
    return error;
  }
  return success();
}

/// How many operands or groups of operands an operation has; 0 if they have no
/// segments.
static size_t countSegments(RegisteredOperationName name, Location loc,
                            StringRef segments) {
  // Only an operation tells its properties. This one is never verified.
  OperationState bare(loc, name);
  Operation *op = Operation::create(bare);
  llvm::scope_exit destroy([&] { op->destroy(); });
  auto properties =
      dyn_cast_or_null<DictionaryAttr>(op->getPropertiesAsAttribute());
  auto sizes = properties ? properties.getAs<DenseI32ArrayAttr>(segments)
                          : DenseI32ArrayAttr();
  return sizes ? sizes.size() : 0;
}

LogicalResult needle::completeSegments(RegisteredOperationName name,
                                       OperationState &state) {
  constexpr StringRef segments = "operandSegmentSizes";
  if (!name.hasTrait<OpTrait::AttrSizedOperandSegments>() ||
      state.attributes.get(segments))
    return success();
  size_t count = countSegments(name, state.location, segments);
  size_t given = state.operands.size();
  size_t required = getMinOperands(name);
  // The required ones come first in needle's operations.
  if (given != required && given != count)
    return emitError(state.location)
           << "'" << name.getStringRef() << "' op takes " << required
           << " operands and " << count - required << " optional ones, got "
           << given << ": say which are given by the attribute " << segments
           << " = array<i32: ...> with " << count << " values of 0 or 1";
  SmallVector<int32_t> sizes(count, 0);
  std::fill_n(sizes.begin(), given, 1);
  state.addAttribute(segments,
                     DenseI32ArrayAttr::get(state.getContext(), sizes));
  return success();
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
  // Inference reads the operands before any verifier has counted them.
  if (unsigned least = getMinOperands(name); state.operands.size() < least)
    return emitError(state.location)
           << "'" << name.getStringRef() << "' op takes at least " << least
           << " operands, got " << state.operands.size();
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

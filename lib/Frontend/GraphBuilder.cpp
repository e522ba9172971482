//===- GraphBuilder.cpp - Builds a needle module op by op -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Frontend/GraphBuilder.h"

#include "InferTypes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Verifier.h"
#include "needle-rt/types.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/Needle/IR/NeedleTraits.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace needle;

/// Constants of at most this many elements are printed with the operation.
static constexpr int64_t maxInlineElements = 16;

/// The type in which an element lies in memory.
static Type getStorageType(Type element) {
  if (auto quantized = dyn_cast<quant::QuantizedType>(element))
    return quantized.getStorageType();
  return element;
}

/// The number of bytes of a tensor, dynamic dimensions taken as 1; nothing if
/// 63 bits cannot count them.
static std::optional<int64_t> countBytes(RankedTensorType type) {
  int64_t bits = getStorageType(type.getElementType()).getIntOrFloatBitWidth();
  int64_t bytes = llvm::divideCeil(bits, 8);
  // A dimension of 0 must not hide the overflow of the others' product, which
  // strides are made of.
  bool isEmpty = false;
  for (int64_t dim : type.getShape()) {
    isEmpty |= dim == 0;
    if (dim > 0 && llvm::MulOverflow(bytes, dim, bytes))
      return std::nullopt;
  }
  return isEmpty ? 0 : bytes;
}

/// Checks an element type: inputs have no operation that would verify theirs.
static LogicalResult checkElementType(RankedTensorType type, Location loc) {
  Type element = type.getElementType();
  if (isa<quant::UniformQuantizedType, quant::UniformQuantizedPerAxisType>(
          element))
    return verifyQuantizedType(cast<quant::QuantizedType>(element),
                               type.getShape(), [&] { return emitError(loc); });
  if (element.isF32() || element.isSignlessInteger(32) ||
      element.isUnsignedInteger(8) || element.isSignedInteger(8))
    return success();
  return emitError(loc) << "unsupported element type in " << type
                        << ": elements are f32, i32, ui8, si8 or uniform "
                           "quantized with 8 bits of storage";
}

/// Checks what every tensor in a graph must hold to.
static LogicalResult checkTensor(RankedTensorType type, Location loc) {
  if (type.getRank() > NDL_MAX_RANK)
    return emitError(loc) << "a tensor has at most " << NDL_MAX_RANK
                          << " dimensions; " << type << " has "
                          << type.getRank();
  if (failed(checkElementType(type, loc)))
    return failure();
  if (!countBytes(type))
    return emitError(loc) << "the size of " << type << " overflows 63 bits";
  return success();
}

GraphBuilder::GraphBuilder(MLIRContext *context, StringRef name)
    : builder(context) {
  context->loadDialect<NeedleDialect, func::FuncDialect>();
  Location loc = builder.getUnknownLoc();
  module = name.empty() ? ModuleOp::create(loc) : ModuleOp::create(loc, name);
  builder.setInsertionPointToEnd(module->getBody());
  auto main = func::FuncOp::create(builder, loc, "main",
                                   builder.getFunctionType({}, {}));
  function = main;
  builder.setInsertionPointToStart(main.addEntryBlock());
}

Block &GraphBuilder::body() { return function->getRegion(0).front(); }

FailureOr<Value> GraphBuilder::input(StringRef name, RankedTensorType type,
                                     Location loc) {
  if (name.empty())
    return emitError(loc, "an input needs a name");
  if (failed(checkTensor(type, loc)))
    return failure();
  if (!takenInputs.insert(name).second)
    return emitError(loc) << "there is already an input named '" << name << "'";
  inputNames.push_back(name.str());
  return Value(body().addArgument(type, loc));
}

ElementsAttr GraphBuilder::makeElements(StringRef name, RankedTensorType type,
                                        ArrayRef<char> data) {
  if (type.getNumElements() == 0)
    return DenseElementsAttr::get(type, ArrayRef<Attribute>());
  if (type.getNumElements() <= maxInlineElements)
    return DenseElementsAttr::getFromRawBuffer(type, data);
  constexpr size_t alignment = 64;
  return DenseResourceElementsAttr::get(
      type, name.empty() ? "constant" : name,
      HeapAsmResourceBlob::allocateAndCopyWithAlign(data, alignment,
                                                    /*dataIsMutable=*/false));
}

FailureOr<Value> GraphBuilder::constant(StringRef name, RankedTensorType type,
                                        ArrayRef<char> data, Location loc) {
  if (!type.hasStaticShape())
    return emitError(loc) << "a constant has a static shape, not " << type;
  if (failed(checkTensor(type, loc)))
    return failure();
  if (*countBytes(type) != static_cast<int64_t>(data.size()))
    return emitError(loc) << "a constant of " << type << " takes "
                          << *countBytes(type) << " bytes, got " << data.size();
  auto stored = type.clone(getStorageType(type.getElementType()));
  NamedAttribute value =
      builder.getNamedAttr(ConstantOp::getValueAttrName(OperationName(
                               ConstantOp::getOperationName(), getContext())),
                           makeElements(name, stored, data));
  FailureOr<Operation *> constant =
      op("constant", {}, builder.getDictionaryAttr(value), type, loc);
  if (failed(constant))
    return failure();
  return (*constant)->getResult(0);
}

FailureOr<Operation *> GraphBuilder::op(StringRef mnemonic, ValueRange operands,
                                        DictionaryAttr attributes,
                                        TypeRange resultTypes, Location loc) {
  std::string name =
      (NeedleDialect::getDialectNamespace() + "." + mnemonic).str();
  std::optional<RegisteredOperationName> registered =
      RegisteredOperationName::lookup(name, getContext());
  if (!registered)
    return emitError(loc) << "there is no operation '" << name << "'";
  OperationState state(loc, *registered);
  state.addOperands(operands);
  if (attributes)
    state.addAttributes(attributes.getValue());
  if (failed(checkAttributeNames(*registered, state)) ||
      failed(completeSegments(*registered, state)))
    return failure();
  if (resultTypes.empty()) {
    if (failed(inferResultTypes(*registered, state)))
      return failure();
  } else {
    state.addTypes(resultTypes);
  }
  for (Type type : state.types)
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      if (failed(checkTensor(tensor, loc)))
        return failure();
  if (failed(checkProperties(*registered, state)))
    return failure();
  Operation *operation = builder.create(state);
  if (failed(verify(operation))) {
    operation->erase();
    return failure();
  }
  return operation;
}

/// `shape` with its one dynamic dimension, if any, computed from the number of
/// elements of `source`; as it is where that cannot be done.
static SmallVector<int64_t> completeShape(ArrayRef<int64_t> shape,
                                          RankedTensorType source) {
  SmallVector<int64_t> complete(shape);
  if (!source.hasStaticShape() || llvm::count(shape, ShapedType::kDynamic) != 1)
    return complete;
  int64_t known = 1;
  for (int64_t dim : shape)
    if (!ShapedType::isDynamic(dim) && llvm::MulOverflow(known, dim, known))
      return complete;
  if (known > 0 && source.getNumElements() % known == 0)
    *llvm::find(complete, ShapedType::kDynamic) =
        source.getNumElements() / known;
  return complete;
}

FailureOr<Value> GraphBuilder::reshape(Value operand, ArrayRef<int64_t> shape,
                                       Location loc) {
  auto source = cast<RankedTensorType>(operand.getType());
  auto type = RankedTensorType::get(completeShape(shape, source),
                                    source.getElementType());
  FailureOr<Operation *> reshape = op("reshape", operand, {}, type, loc);
  if (failed(reshape))
    return failure();
  return (*reshape)->getResult(0);
}

LogicalResult GraphBuilder::output(StringRef name, Value value, Location loc) {
  if (name.empty())
    return emitError(loc, "an output needs a name");
  if (!takenOutputs.insert(name).second)
    return emitError(loc) << "there is already an output named '" << name
                          << "'";
  outputs.push_back({name.str(), value});
  return success();
}

FailureOr<OwningOpRef<ModuleOp>> GraphBuilder::build(Location loc) {
  if (outputs.empty())
    return emitError(loc, "the graph has no output");
  SmallVector<Value> results;
  for (const Output &output : outputs)
    results.push_back(output.value);
  auto end = func::ReturnOp::create(builder, loc, results);

  auto main = cast<func::FuncOp>(function);
  main.setFunctionType(builder.getFunctionType(body().getArgumentTypes(),
                                               ValueRange(results).getTypes()));
  StringRef nameAttr = "needle.name";
  for (auto [i, name] : llvm::enumerate(inputNames))
    main.setArgAttr(i, nameAttr, builder.getStringAttr(name));
  for (auto [i, output] : llvm::enumerate(outputs))
    main.setResultAttr(i, nameAttr, builder.getStringAttr(output.name));
  if (failed(verify(*module))) {
    end.erase();
    return failure();
  }
  return std::move(module);
}

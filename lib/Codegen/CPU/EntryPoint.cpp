//===- EntryPoint.cpp - What passes record on entry points ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Codegen/CPU/EntryPoint.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

bool needle::cpu::isEntryPoint(Operation *function) {
  return function->hasAttr(signatureAttr);
}

BlockArgument needle::cpu::getRuntimeArgument(func::FuncOp entry,
                                              RuntimeArg which) {
  return entry.getArgument(entry.getNumArguments() -
                           unsigned(RuntimeArg::Count) + unsigned(which));
}

static ArrayAttr encode(Builder &builder,
                        ArrayRef<needle::cpu::EntryTensor> tensors) {
  SmallVector<Attribute> attributes;
  for (const needle::cpu::EntryTensor &tensor : tensors)
    attributes.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("name", builder.getStringAttr(tensor.name)),
         builder.getNamedAttr("type", TypeAttr::get(tensor.type))}));
  return builder.getArrayAttr(attributes);
}

void needle::cpu::setSignature(Operation *function,
                               const EntrySignature &signature) {
  Builder builder(function->getContext());
  function->setAttr(
      signatureAttr,
      builder.getDictionaryAttr(
          {builder.getNamedAttr("inputs", encode(builder, signature.inputs)),
           builder.getNamedAttr("outputs",
                                encode(builder, signature.outputs))}));
}

needle::cpu::EntrySignature needle::cpu::getSignature(Operation *function) {
  auto decode = [](ArrayAttr array) {
    SmallVector<EntryTensor> tensors;
    for (auto entry : array.getAsRange<DictionaryAttr>())
      tensors.push_back(
          {entry.getAs<StringAttr>("name").str(),
           cast<RankedTensorType>(entry.getAs<TypeAttr>("type").getValue())});
    return tensors;
  };
  auto dictionary = function->getAttrOfType<DictionaryAttr>(signatureAttr);
  return {decode(dictionary.getAs<ArrayAttr>("inputs")),
          decode(dictionary.getAs<ArrayAttr>("outputs"))};
}

static bool isTensorList(Attribute attribute) {
  auto array = dyn_cast_or_null<ArrayAttr>(attribute);
  return array && llvm::all_of(array, [](Attribute element) {
           auto entry = dyn_cast<DictionaryAttr>(element);
           if (!entry || !entry.getAs<StringAttr>("name"))
             return false;
           auto type = entry.getAs<TypeAttr>("type");
           return type && isa<RankedTensorType>(type.getValue());
         });
}

LogicalResult needle::cpu::verifySignature(Operation *function) {
  auto dictionary = function->getAttrOfType<DictionaryAttr>(signatureAttr);
  if (dictionary && isTensorList(dictionary.get("inputs")) &&
      isTensorList(dictionary.get("outputs")))
    return success();
  return function->emitOpError("attribute '")
         << signatureAttr << "' must be {inputs = […], outputs = […]} of {name "
         << "= \"…\", type = tensor<…>}";
}

LogicalResult needle::cpu::verifyBufferEntryPoint(func::FuncOp entry) {
  if (failed(verifySignature(entry)))
    return failure();
  if (entry.isExternal() || !entry.getBody().hasOneBlock())
    return entry.emitOpError("must have one block to be an entry point");
  EntrySignature signature = getSignature(entry);
  unsigned numTensors = signature.inputs.size() + signature.outputs.size();
  TypeRange types = entry.getArgumentTypes();
  if (types.size() != numTensors + unsigned(RuntimeArg::Count) ||
      !types[numTensors + unsigned(RuntimeArg::Threads)].isIndex())
    return entry.emitOpError("must have its ")
           << numTensors << " inputs and outputs and the arguments of "
           << "needle-cpu-add-runtime-arguments";
  auto matches = [](const EntryTensor &tensor, Type type) {
    auto buffer = dyn_cast<MemRefType>(type);
    return buffer && buffer.getShape() == tensor.type.getShape();
  };
  unsigned next = 0;
  for (ArrayRef<EntryTensor> tensors :
       {ArrayRef(signature.inputs), ArrayRef(signature.outputs)})
    for (const EntryTensor &tensor : tensors)
      if (Type type = types[next++]; !matches(tensor, type))
        return entry.emitOpError("argument ")
               << next - 1 << " is " << type << ", but '" << tensor.name
               << "' is " << tensor.type;
  return success();
}

/// Appends the places that a location names, each once.
static void collect(Location location, SmallVectorImpl<std::string> &places) {
  auto add = [&](std::string place) {
    if (!llvm::is_contained(places, place))
      places.push_back(std::move(place));
  };
  TypeSwitch<LocationAttr>(location)
      .Case([&](FileLineColLoc file) {
        add(llvm::formatv("{0}:{1}:{2}", file.getFilename().getValue(),
                          file.getLine(), file.getColumn())
                .str());
      })
      .Case([&](NameLoc name) {
        SmallVector<std::string> inner;
        collect(name.getChildLoc(), inner);
        std::string text = name.getName().str();
        if (!inner.empty())
          text += " (" + llvm::join(inner, ", ") + ")";
        add(std::move(text));
      })
      .Case([&](CallSiteLoc call) { collect(call.getCallee(), places); })
      .Case([&](FusedLoc fused) {
        for (Location part : fused.getLocations())
          collect(part, places);
      });
}

std::string needle::cpu::formatLocation(Location location) {
  SmallVector<std::string> places;
  collect(location, places);
  return llvm::join(places, ", ");
}

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

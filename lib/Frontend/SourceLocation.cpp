//===- SourceLocation.cpp - Where a user wrote something ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Frontend/SourceLocation.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

Location needle::makeLocation(MLIRContext *context,
                              const SourceLocation &source) {
  Location place = UnknownLoc::get(context);
  if (!source.file.empty())
    place =
        FileLineColLoc::get(context, source.file, source.line, source.column);
  if (source.name.empty())
    return place;
  return NameLoc::get(StringAttr::get(context, source.name), place);
}

std::string needle::formatLocation(Location location) {
  return llvm::TypeSwitch<LocationAttr, std::string>(location)
      .Case([](FileLineColLoc loc) {
        std::string text = loc.getFilename().str();
        if (loc.getLine() > 0)
          text += ":" + std::to_string(loc.getLine());
        if (loc.getLine() > 0 && loc.getColumn() > 0)
          text += ":" + std::to_string(loc.getColumn());
        return text;
      })
      .Case([](NameLoc loc) {
        std::string place = formatLocation(loc.getChildLoc());
        return place.empty() ? "node '" + loc.getName().str() + "'" : place;
      })
      .Case([](FusedLoc loc) {
        for (Location part : loc.getLocations())
          if (std::string place = formatLocation(part); !place.empty())
            return place;
        return std::string();
      })
      .Case([](CallSiteLoc loc) { return formatLocation(loc.getCallee()); })
      .Default([](LocationAttr) { return std::string(); });
}

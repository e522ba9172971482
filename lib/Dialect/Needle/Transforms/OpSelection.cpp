//===- OpSelection.cpp - Choosing operations by name ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the names of operations and matches them against patterns.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/Needle/Transforms/OpSelection.h"
#include "mlir/IR/Diagnostics.h"
#include "needle/Dialect/Needle/IR/NeedleInterfaces.h"
#include "needle/Dialect/Needle/Transforms/QuantizationAttributes.h"
#include "llvm/ADT/SetVector.h"

using namespace needle;
using namespace mlir;

llvm::StringRef needle::getOpName(Operation *op) {
  if (auto name = op->getAttrOfType<StringAttr>(kOpNameAttr))
    return name.getValue();
  llvm::StringRef name;
  op->getLoc()->walk([&](Location location) {
    auto named = dyn_cast<NameLoc>(location);
    if (!named)
      return WalkResult::advance();
    name = named.getName().getValue();
    return WalkResult::interrupt();
  });
  return name;
}

/// The names of the quantizable operations, each once, in their order.
static llvm::SetVector<llvm::StringRef> getQuantizableNames(Operation *root) {
  llvm::SetVector<llvm::StringRef> names;
  root->walk([&](QuantizableOpInterface op) {
    if (llvm::StringRef name = getOpName(op); !name.empty())
      names.insert(name);
  });
  return names;
}

/// "the names are: a, b, c", cut where a person stops reading.
static std::string describeNames(llvm::ArrayRef<llvm::StringRef> names) {
  constexpr size_t kMaxListed = 40;
  if (names.empty())
    return "none of them has a name";
  std::string text = "their names are: ";
  text += llvm::join(names.take_front(kMaxListed), ", ");
  if (names.size() > kMaxListed)
    text += " and " + std::to_string(names.size() - kMaxListed) + " more";
  return text;
}

LogicalResult OpSelection::parse(Operation *root, llvm::StringRef option,
                                 llvm::ArrayRef<std::string> texts,
                                 std::deque<Pattern> &patterns) {
  llvm::SetVector<llvm::StringRef> names = getQuantizableNames(root);
  for (const std::string &text : texts) {
    // Braces multiply; without a limit they are not expanded at all.
    constexpr size_t kMaxAlternatives = 1024;
    patterns.push_back({text, {}});
    Pattern &pattern = patterns.back();
    llvm::Expected<llvm::GlobPattern> glob =
        llvm::GlobPattern::create(pattern.text, kMaxAlternatives);
    if (!glob)
      return root->emitError() << option << ": bad pattern '" << text
                               << "': " << llvm::toString(glob.takeError());
    pattern.glob = std::move(*glob);
    auto matches = [&](llvm::StringRef name) {
      return pattern.glob.match(name);
    };
    if (llvm::none_of(names, matches))
      return root->emitError() << option << ": pattern '" << text
                               << "' matches no quantizable operation; "
                               << describeNames(names.getArrayRef());
  }
  return success();
}

FailureOr<OpSelection>
OpSelection::create(Operation *root, llvm::ArrayRef<std::string> include,
                    llvm::ArrayRef<std::string> exclude) {
  OpSelection selection;
  if (failed(parse(root, "include", include, selection.includes)) ||
      failed(parse(root, "exclude", exclude, selection.excludes)))
    return failure();
  return selection;
}

std::optional<std::string> OpSelection::reasonAgainst(Operation *op) const {
  llvm::StringRef name = getOpName(op);
  auto matches = [&](const Pattern &pattern) {
    return !name.empty() && pattern.glob.match(name);
  };
  auto excluding = llvm::find_if(excludes, matches);
  if (excluding != excludes.end())
    return "excluded by '" + excluding->text + "'";
  if (!includes.empty() && llvm::none_of(includes, matches))
    return std::string("no include pattern matches its name");
  return std::nullopt;
}

// Names that are visible at a place of a PTX module.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ptx/scope.h"

namespace ndl::cudasim::ptx {

bool Scopes::declare(std::string_view name, Symbol symbol) {
  return scopes.back().symbols.emplace(name, symbol).second;
}

bool Scopes::declareRange(std::string_view prefix, uint32_t first,
                          uint32_t count) {
  return scopes.back().ranges.emplace(prefix, Range{first, count}).second;
}

bool Scopes::find(std::string_view name, Symbol &symbol) const {
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    auto found = scope->symbols.find(name);
    if (found != scope->symbols.end()) {
      symbol = found->second;
      return true;
    }
    if (scope->ranges.empty())
      continue;
    // The prefix may itself end with digits, so each split is tried.
    uint64_t number = 0, scale = 1;
    for (size_t i = name.size(); i > 1 && scale <= 1000000000; scale *= 10) {
      char c = name[--i];
      if (c < '0' || c > '9')
        break;
      number += scale * (c - '0');
      if (c == '0' && i + 1 < name.size())
        continue; // %r01 is not %r1
      auto range = scope->ranges.find(name.substr(0, i));
      if (range == scope->ranges.end() || number >= range->second.count)
        continue;
      symbol = {Symbol::Kind::Register,
                range->second.first + static_cast<uint32_t>(number)};
      return true;
    }
  }
  return false;
}

uint32_t Scopes::label(Function &function, std::string_view name, int line) {
  auto entry = scopes.back().labels.emplace(name, labels.size());
  if (entry.second) {
    labels.push_back({name, line, false, undefined});
    function.labels.push_back(undefined);
  }
  return entry.first->second;
}

bool Scopes::defineLabel(Function &function, std::string_view name, int line) {
  uint32_t index = label(function, name, line);
  if (labels[index].isDefined)
    return false;
  labels[index].isDefined = true;
  function.labels[index] = static_cast<uint32_t>(function.instructions.size());
  return true;
}

void Scopes::leave(Function &function) {
  Scope inner = std::move(scopes.back());
  scopes.pop_back();
  // Parameters are declared outside the body's scope, labels never are.
  if (scopes.size() < 2)
    return;
  for (const auto &entry : inner.labels) {
    Label &label = labels[entry.second];
    if (label.isDefined)
      continue;
    uint32_t outer = this->label(function, entry.first, label.line);
    labels[entry.second].outer = outer;
  }
}

bool Scopes::resolveLabels(Function &function, std::string_view &name,
                           int &line) {
  for (size_t i = 0; i < labels.size(); ++i) {
    size_t at = i;
    while (!labels[at].isDefined && labels[at].outer != undefined)
      at = labels[at].outer;
    if (!labels[at].isDefined) {
      name = labels[i].name;
      line = labels[i].line;
      return false;
    }
    function.labels[i] = function.labels[at];
  }
  labels.clear();
  return true;
}

} // namespace ndl::cudasim::ptx

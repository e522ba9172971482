// Names that are visible at a place of a PTX module.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_PTX_SCOPE_H
#define NEEDLE_CUDASIM_PTX_SCOPE_H

#include "ptx/ast.h"

#include <string_view>
#include <unordered_map>
#include <vector>

namespace ndl::cudasim::ptx {

struct Symbol {
  enum class Kind : uint8_t { Register, Variable } kind;
  uint32_t index;
};

/// Scopes nest by braces; an inner name hides an outer one.
class Scopes {
public:
  static constexpr uint32_t undefined = UINT32_MAX;

  void enter() { scopes.emplace_back(); }
  /// Labels that are not defined in the scope are looked for outside it.
  void leave(Function &function);
  size_t depth() const { return scopes.size(); }

  /// False if the scope has the name already.
  bool declare(std::string_view name, Symbol symbol);
  /// name0 … name{count - 1}: "Parameterized Variable Names" in the PTX ISA.
  bool declareRange(std::string_view prefix, uint32_t first, uint32_t count);
  bool find(std::string_view name, Symbol &symbol) const;

  /// The label of that name as seen from here, defined or not yet.
  uint32_t label(Function &function, std::string_view name, int line);
  /// False if the scope has defined the label already.
  bool defineLabel(Function &function, std::string_view name, int line);

  /// Turns labels that stand for outer ones into places. False names one that
  /// is defined nowhere, and the line that mentions it.
  bool resolveLabels(Function &function, std::string_view &name, int &line);

private:
  struct Range {
    uint32_t first;
    uint32_t count;
  };
  struct Scope {
    std::unordered_map<std::string_view, Symbol> symbols;
    std::unordered_map<std::string_view, Range> ranges;
    std::unordered_map<std::string_view, uint32_t> labels;
  };
  struct Label {
    std::string_view name;
    int line;
    bool isDefined;
    /// The outer label that it stands for.
    uint32_t outer;
  };

  std::vector<Scope> scopes;
  std::vector<Label> labels;
};

} // namespace ndl::cudasim::ptx

#endif // NEEDLE_CUDASIM_PTX_SCOPE_H

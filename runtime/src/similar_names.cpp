// Names close to one that does not exist, for messages.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "similar_names.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ndl {
namespace {

constexpr size_t maxSuggestions = 5;

/// Insertions, deletions and replacements of letters that turn a into b.
size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

} // namespace

std::vector<std::string_view>
similarNames(std::string_view name,
             const std::vector<std::string_view> &names) {
  std::vector<std::pair<size_t, std::string_view>> found;
  // A name of unreasonable length resembles nothing.
  if (name.empty() || name.size() > 256)
    return {};
  for (std::string_view candidate : names) {
    size_t distance = editDistance(name, candidate);
    if (3 * distance <= std::max(name.size(), candidate.size()) ||
        contains(candidate, name) || contains(name, candidate))
      found.emplace_back(distance, candidate);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string_view> result;
  for (size_t i = 0; i < found.size() && i < maxSuggestions; ++i)
    result.push_back(found[i].second);
  return result;
}

std::string noSuchName(const std::string &kind, const std::string &name,
                       const std::vector<std::string_view> &names) {
  std::string text = "there is no " + kind + " '" + name + "'; ";
  std::vector<std::string_view> similar = similarNames(name, names);
  if (similar.empty())
    return text + "the artifact has " +
           (names.empty() ? "none" : std::to_string(names.size()) + " others");
  text += "did you mean ";
  for (size_t i = 0; i < similar.size(); ++i)
    text += (i ? ", '" : "'") + std::string(similar[i]) + "'";
  return text + "?";
}

} // namespace ndl

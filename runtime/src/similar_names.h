// Names close to one that does not exist, for messages.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_SIMILAR_NAMES_H
#define NEEDLE_RUNTIME_SIMILAR_NAMES_H

#include <string>
#include <string_view>
#include <vector>

namespace ndl {

/// Those of `names` that are likely meant by `name`, the most similar first, at
/// most five: a third of the letters may differ, or one contains the other.
std::vector<std::string_view>
similarNames(std::string_view name, const std::vector<std::string_view> &names);

/// "there is no KIND 'NAME'; did you mean 'A', 'B'?", or, if nothing is
/// similar, the number of names there are.
std::string noSuchName(const std::string &kind, const std::string &name,
                       const std::vector<std::string_view> &names);

} // namespace ndl

#endif // NEEDLE_RUNTIME_SIMILAR_NAMES_H

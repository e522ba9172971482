// What the command line says.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUN_OPTIONS_H
#define NEEDLE_RUN_OPTIONS_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace needle::run {

struct Options {
  std::string artifact;
  /// Empty: "main", or the only one.
  std::string entry;
  /// Name and path.
  std::vector<std::pair<std::string, std::string>> inputs;
  std::vector<std::pair<std::string, std::string>> outputs;
  int32_t threads = 0;
  std::string isa;
  bool info = false;
  bool json = false;
  bool profile = false;
  int64_t repeat = 1;
};

} // namespace needle::run

#endif // NEEDLE_RUN_OPTIONS_H

// Kernels that may still be running, for messages on errors that surface later.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/launch_log.h"

#include <algorithm>

namespace ndl::cuda {

void LaunchLog::add(std::string_view kernel, std::string_view location) {
  std::lock_guard<std::mutex> lock(mutex);
  // Assignment keeps the strings' memory: a launch seldom allocates here.
  Entry &entry = entries[launched++ % numKept];
  entry.kernel.assign(kernel);
  entry.location.assign(location);
}

uint64_t LaunchLog::mark() const {
  std::lock_guard<std::mutex> lock(mutex);
  return launched;
}

void LaunchLog::completed(uint64_t mark) {
  std::lock_guard<std::mutex> lock(mutex);
  ended = std::max(ended, mark);
}

std::string LaunchLog::describe() const {
  std::lock_guard<std::mutex> lock(mutex);
  if (launched == ended)
    return "";
  uint64_t first = std::max(ended, launched < numKept ? 0 : launched - numKept);
  std::string text = "kernels launched since the last synchronization: ";
  if (first > ended)
    text += std::to_string(first - ended) + " earlier ones, ";
  for (uint64_t i = first; i < launched; ++i) {
    const Entry &entry = entries[i % numKept];
    text += (i == first ? "`" : ", `") + entry.kernel + "`";
    if (!entry.location.empty())
      text += " (" + entry.location + ")";
  }
  return text;
}

} // namespace ndl::cuda

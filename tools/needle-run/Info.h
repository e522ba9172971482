// Descriptions of an executable, for people and as JSON.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUN_INFO_H
#define NEEDLE_RUN_INFO_H

#include "needle-rt/runtime.h"

#include <nlohmann/json.hpp>

#include <string>

namespace needle::run {

/// Keys keep their order, and invalid UTF-8 is replaced when written.
using Json = nlohmann::ordered_json;

/// "f32[?x784]".
std::string formatType(NdlDType dtype, const int64_t *dims, int32_t rank);

/// Signature, bodies, steps, kernels, sizes.
Json describe(const NdlExecutable *executable);

/// The same for people; `reason` says why no body is in use, if none is.
void printDescription(const NdlExecutable *executable,
                      const std::string &reason);

/// Steps of an entry with their counters.
Json describeSteps(const NdlExecutable *executable, size_t entry);

/// Prints a value as one JSON document.
void printJson(const Json &value);

} // namespace needle::run

#endif // NEEDLE_RUN_INFO_H

// Running an entry point on .npy files.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUN_RUN_H
#define NEEDLE_RUN_RUN_H

#include "Options.h"

#include "needle-rt/runtime.h"

#include <string>

namespace needle::run {

/// Reads the inputs, runs the entry point `repeat` times, writes the outputs
/// all together, and prints what happened. Returns an empty string or an error,
/// in which case no output file has been touched.
std::string runEntry(const Options &options, NdlExecutable *executable);

} // namespace needle::run

#endif // NEEDLE_RUN_RUN_H

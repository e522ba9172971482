// From PTX text to a module in device memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_DRIVER_MODULE_LOADING_H
#define NEEDLE_CUDASIM_DRIVER_MODULE_LOADING_H

#include "driver/context.h"

namespace ndl::cudasim::driver {

/// Parses NUL-terminated PTX, checks that the device can run it, and places its
/// variables. Else `error` is for the JIT error log.
CUresult loadModule(Context &context, const char *image, Module &module,
                    std::string &error);

/// Fills the log buffers among the options: the error log with `error`, the
/// information log with nothing; and writes back how many bytes were written.
void writeJitLogs(const std::string &error, unsigned numOptions,
                  const CUjitOption *options, void **optionValues);

} // namespace ndl::cudasim::driver

#endif // NEEDLE_CUDASIM_DRIVER_MODULE_LOADING_H

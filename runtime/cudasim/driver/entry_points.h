// The functions of the CUDA driver API that the simulator exports.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_DRIVER_ENTRY_POINTS_H
#define NEEDLE_CUDASIM_DRIVER_ENTRY_POINTS_H

#include "cuda/driver_abi.h"

#define NEEDLE_CUDASIM_EXPORT __attribute__((visibility("default")))

namespace ndl::cudasim::driver {

// The types and enumerators of the API are spelled as in its documentation.
using namespace ndl::cuda; // NOLINT(google-build-using-namespace)

/// CU_STREAM_LEGACY and CU_STREAM_PER_THREAD of the documentation.
constexpr uintptr_t kStreamLegacy = 1;
constexpr uintptr_t kStreamPerThread = 2;

// Each is exported under the symbol that the driver has, and called by a name
// without the version that some of these end in.
#define NEEDLE_CUDA_FUNCTION(name, symbol, parameters)                         \
  NEEDLE_CUDASIM_EXPORT CUresult name parameters __asm__(#symbol);
#include "cuda/driver_functions.def"

} // namespace ndl::cudasim::driver

extern "C" {
/// Tells the simulator from a real driver: the version of this interface.
NEEDLE_CUDASIM_EXPORT int ndlCudaSim();
/// What the last error was about, or the leak report; "" if there was none.
/// Valid until the next call on the same thread.
NEEDLE_CUDASIM_EXPORT const char *ndlCudaSimReport();
}

#endif // NEEDLE_CUDASIM_DRIVER_ENTRY_POINTS_H

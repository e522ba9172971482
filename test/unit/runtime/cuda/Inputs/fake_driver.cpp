// Drivers that are of no use, each in its way.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/driver_abi.h"

namespace ndl::cuda {

#if defined(FAKE_OLD) || defined(FAKE_INCOMPLETE)

__attribute__((visibility("default")))
CUresult init(unsigned) __asm__("cuInit");
__attribute__((visibility("default"))) CUresult
driverGetVersion(int *) __asm__("cuDriverGetVersion");

CUresult init(unsigned) { return CUDA_SUCCESS; }

CUresult driverGetVersion(int *version) {
#ifdef FAKE_OLD
  *version = 10020;
#else
  *version = 12040;
#endif
  return CUDA_SUCCESS;
}

#else

// Has all functions; each says that there is no device.
#define NEEDLE_CUDA_FUNCTION(name, symbol, parameters)                         \
  __attribute__((visibility("default"))) CUresult name parameters __asm__(     \
      #symbol);                                                                \
  CUresult name parameters { return CUDA_ERROR_NO_DEVICE; }
#include "cuda/driver_functions.def"

#endif

} // namespace ndl::cuda

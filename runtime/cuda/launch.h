// Launches a kernel on the context's stream.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_CUDA_LAUNCH_H
#define NEEDLE_RUNTIME_CUDA_LAUNCH_H

#include "cuda/module_cache.h"

namespace ndl::cuda {

struct LaunchShape {
  uint32_t grid[3] = {1, 1, 1};
  uint32_t block[3] = {1, 1, 1};
  /// Beyond what the kernel declares.
  uint32_t dynamicSharedBytes = 0;
};

/// Queues the kernel. `parameters` points to the value of each parameter in
/// turn; the values are copied before the call returns. `location` says for
/// what the user asked ("model.mlir:12:3", "a @ b"); errors name it, also those
/// that only a later call reports. An extent of the grid of 0 launches nothing.
Status launch(Context &context, Kernel &kernel, const LaunchShape &shape,
              void *const *parameters, std::string_view location);

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_LAUNCH_H

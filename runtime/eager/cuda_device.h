// Eager kernels on a CUDA device.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Link needle_eager_cuda.

#ifndef NEEDLE_RUNTIME_EAGER_CUDA_DEVICE_H
#define NEEDLE_RUNTIME_EAGER_CUDA_DEVICE_H

#include "eager/kernel_library.h"

namespace ndl::eager {

/// The kernels that the artifact in [data, data + size), aligned to 64 bytes,
/// has for the device of cuda::Device::get. Errors: those of that function, of
/// ArtifactView::parse, and NDL_NOT_FOUND (no PTX that the device can run).
Status loadCudaLibrary(const void *data, size_t size,
                       std::unique_ptr<KernelLibrary> &library);

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_CUDA_DEVICE_H

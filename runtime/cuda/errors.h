// What an error of the driver means for needle.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_CUDA_ERRORS_H
#define NEEDLE_RUNTIME_CUDA_ERRORS_H

#include "cuda/driver_abi.h"

#include "needle-rt/types.h"

namespace ndl::cuda {

/// Whether the context cannot be used any more: those of which the CUDA Driver
/// API documentation ("Data types used by CUDA driver", CUresult) says that the
/// process is left in an inconsistent state and must be relaunched.
constexpr bool losesContext(CUresult result) {
  switch (result) {
  case CUDA_ERROR_ECC_UNCORRECTABLE:
  case CUDA_ERROR_NVLINK_UNCORRECTABLE:
  case CUDA_ERROR_ILLEGAL_ADDRESS:
  case CUDA_ERROR_LAUNCH_TIMEOUT:
  case CUDA_ERROR_CONTEXT_IS_DESTROYED:
  case CUDA_ERROR_ASSERT:
  case CUDA_ERROR_HARDWARE_STACK_ERROR:
  case CUDA_ERROR_ILLEGAL_INSTRUCTION:
  case CUDA_ERROR_MISALIGNED_ADDRESS:
  case CUDA_ERROR_INVALID_ADDRESS_SPACE:
  case CUDA_ERROR_INVALID_PC:
  case CUDA_ERROR_LAUNCH_FAILED:
    return true;
  default:
    return false;
  }
}

constexpr NdlStatus statusCode(CUresult result) {
  switch (result) {
  case CUDA_SUCCESS:
    return NDL_OK;
  case CUDA_ERROR_OUT_OF_MEMORY:
    return NDL_OUT_OF_MEMORY;
  case CUDA_ERROR_NO_DEVICE:
  case CUDA_ERROR_INVALID_DEVICE:
  case CUDA_ERROR_DEVICE_UNAVAILABLE:
  case CUDA_ERROR_NOT_FOUND:
    return NDL_NOT_FOUND;
  case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
    return NDL_UNSUPPORTED_VERSION;
  default:
    return NDL_INTERNAL_ERROR;
  }
}

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_ERRORS_H

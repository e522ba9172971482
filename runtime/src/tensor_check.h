// Checks of the caller's tensors against a signature.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_TENSOR_CHECK_H
#define NEEDLE_RUNTIME_TENSOR_CHECK_H

#include "needle-rt/runtime.h"
#include "needle-rt/status.h"

#include <cstdint>
#include <string>

namespace ndl {

/// Where a tensor of the caller lies.
struct TensorExtent {
  /// Bytes of the elements, packed.
  int64_t bytes = 0;
  /// First byte, and one past the last byte, that it touches; equal if it has
  /// no elements.
  uintptr_t begin = 0;
  uintptr_t end = 0;
  /// Row-major without gaps, and aligned to its element.
  bool contiguous = true;
};

/// "f32[?x784]".
std::string formatType(uint32_t dtype, const int64_t *dims, int32_t rank);

/// "input 0 'x'" or "output 1".
std::string formatArgument(const char *role, size_t index, const char *name);

/// Whether type, rank and shape fit the signature, and the device is the CPU.
Status checkType(const NdlTensor &tensor, const NdlTensorInfo &info);

/// Computes where the tensor lies, after checkType. Errors:
/// NDL_INVALID_ARGUMENT (null data, a size beyond the address space, strides of
/// a type with elements smaller than a byte).
Status checkExtent(const NdlTensor &tensor, TensorExtent &extent);

} // namespace ndl

#endif // NEEDLE_RUNTIME_TENSOR_CHECK_H

// Copying a strided tensor to contiguous memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_TENSOR_PACK_H
#define NEEDLE_RUNTIME_TENSOR_PACK_H

#include "needle-rt/runtime.h"

#include <cstdint>

namespace ndl {

/// Writes the elements of a tensor in row-major order to `to`. The tensor has
/// passed checkType and checkExtent; its elements may be unaligned.
void packTensor(const NdlTensor &tensor, uint8_t *to);

} // namespace ndl

#endif // NEEDLE_RUNTIME_TENSOR_PACK_H

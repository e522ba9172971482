// Memory aligned as generated code expects it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_ALIGNED_MEMORY_H
#define NEEDLE_RUNTIME_ALIGNED_MEMORY_H

#include "needle-rt/abi.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace ndl {

struct FreeMemory {
  void operator()(uint8_t *memory) const { std::free(memory); }
};

/// Owned memory aligned to NDL_ABI_ALIGNMENT, uninitialized.
using AlignedMemory = std::unique_ptr<uint8_t[], FreeMemory>;

/// Null if there is no memory of that size.
inline AlignedMemory allocateAligned(size_t size) {
  if (size > SIZE_MAX - NDL_ABI_ALIGNMENT)
    return nullptr;
  size_t rounded =
      (size + NDL_ABI_ALIGNMENT - 1) & ~size_t(NDL_ABI_ALIGNMENT - 1);
  if (rounded == 0)
    rounded = NDL_ABI_ALIGNMENT;
  return AlignedMemory(
      static_cast<uint8_t *>(std::aligned_alloc(NDL_ABI_ALIGNMENT, rounded)));
}

/// Memory that grows to the largest size asked for and is then reused.
class GrowingMemory {
public:
  /// At least `size` bytes; earlier contents are lost. Null if there is no
  /// memory of that size.
  uint8_t *reserve(size_t size) {
    if (size > capacity || !memory) {
      capacity = 0;
      memory.reset();
      memory = allocateAligned(size);
      if (!memory)
        return nullptr;
      capacity = size;
    }
    return memory.get();
  }

private:
  AlignedMemory memory;
  size_t capacity = 0;
};

} // namespace ndl

#endif // NEEDLE_RUNTIME_ALIGNED_MEMORY_H

// Memory aligned as generated code expects it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_ALIGNED_MEMORY_H
#define NEEDLE_RUNTIME_ALIGNED_MEMORY_H

#include "needle-rt/abi.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include <sys/mman.h>

namespace ndl {

struct FreeMemory {
  void operator()(uint8_t *memory) const { std::free(memory); }
};

/// Owned memory aligned to NDL_ABI_ALIGNMENT, uninitialized.
using AlignedMemory = std::unique_ptr<uint8_t[], FreeMemory>;

/// Memory from this size on is made of huge pages where the system has them:
/// weights and packed matrices are read faster than the TLB follows pages of
/// 4 KiB.
constexpr size_t hugePageBytes = size_t(2) << 20;

/// Null if there is no memory of that size.
inline AlignedMemory allocateAligned(size_t size) {
  size_t unit = size < hugePageBytes ? NDL_ABI_ALIGNMENT : hugePageBytes;
  if (size > SIZE_MAX - unit)
    return nullptr;
  size_t rounded = (size + unit - 1) & ~(unit - 1);
  if (rounded == 0)
    rounded = unit;
  void *memory = std::aligned_alloc(unit, rounded);
#ifdef MADV_HUGEPAGE
  // A hint: where it is refused, pages are small.
  if (memory && unit == hugePageBytes)
    ::madvise(memory, rounded, MADV_HUGEPAGE);
#endif
  return AlignedMemory(static_cast<uint8_t *>(memory));
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

// Counts what a thread allocates with new and, in the runtime, aligned_alloc.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "AllocationCount.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {
thread_local int64_t count = 0;
} // namespace

int64_t ndl::test::allocationCount() { return count; }

extern "C" void *__real_aligned_alloc(size_t alignment, size_t size);
extern "C" void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  ++count;
  return __real_aligned_alloc(alignment, size);
}

void *operator new(size_t size) {
  ++count;
  if (void *memory = std::malloc(size ? size : 1))
    return memory;
  throw std::bad_alloc();
}

void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }

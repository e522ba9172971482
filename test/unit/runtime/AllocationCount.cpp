// Counts what a thread allocates with new and, in the runtime, aligned_alloc.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "AllocationCount.h"

#include <cstddef>

namespace {
thread_local int64_t count = 0;
} // namespace

int64_t ndl::test::allocationCount() { return count; }

// The linker leads calls here (--wrap): replacing operator new itself would
// clash with the sanitizers.
// NOLINTBEGIN(readability-identifier-naming): these are the linker's names.
extern "C" {

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  ++count;
  return __real_aligned_alloc(alignment, size);
}

// operator new(unsigned long)
void *__real__Znwm(size_t size);
void *__wrap__Znwm(size_t size) {
  ++count;
  return __real__Znwm(size);
}
}
// NOLINTEND(readability-identifier-naming)

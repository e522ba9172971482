// Counts what a thread allocates with new and, in the runtime, aligned_alloc.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_TEST_UNIT_RUNTIME_ALLOCATIONCOUNT_H
#define NEEDLE_TEST_UNIT_RUNTIME_ALLOCATIONCOUNT_H

#include <cstdint>

namespace ndl::test {

/// Allocations of this thread so far.
int64_t allocationCount();

} // namespace ndl::test

#endif // NEEDLE_TEST_UNIT_RUNTIME_ALLOCATIONCOUNT_H

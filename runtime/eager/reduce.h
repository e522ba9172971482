// Reductions over any set of axes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_REDUCE_H
#define NEEDLE_RUNTIME_EAGER_REDUCE_H

#include "eager/kernel_library.h"
#include "eager/view.h"

namespace ndl::eager {

/// All axes of an array.
constexpr uint32_t allAxes = ~uint32_t(0);

/// Reduces the axes whose bit is set in `axes` (bits from x.rank on are
/// ignored) into a new contiguous array, in which they are gone or, with
/// `keepDims`, have extent 1. Without any axis it is a copy of the values.
///
/// A sum is f32 within blocks and f64 across them; it does not depend on the
/// number of threads. A sum of nothing is 0.
/// Errors: NDL_INVALID_ARGUMENT (not f32; maximum or minimum of nothing),
/// NDL_OUT_OF_MEMORY, NDL_NOT_FOUND (the library lacks the kernel).
Status reduce(const KernelLibrary &library, ReduceKernel kernel, const View &x,
              uint32_t axes, bool keepDims, View &result);

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_REDUCE_H

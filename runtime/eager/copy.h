// Copying and filling arrays.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_COPY_H
#define NEEDLE_RUNTIME_EAGER_COPY_H

#include "eager/elementwise.h"

namespace ndl::eager {

/// A new contiguous array with the elements of `x`.
Status compact(const KernelLibrary &library, const View &x, View &result);

/// target[i] = source[i], `source` broadcast to the shape of `target` by
/// NumPy's rules, which also allow it leading dimensions of extent 1. Any
/// overlap is fine: as if `source` had been read first.
/// Errors: as mapInto, and shapes that do not broadcast.
Status copyInto(const KernelLibrary &library, const View &target,
                const View &source);

/// target[i] = value, converted to the type of `target` by the caller: f32 for
/// f32, i32 for u8.
Status fill(const KernelLibrary &library, const View &target, Scalar value);

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_COPY_H

// Matrix products, batched.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_MATMUL_H
#define NEEDLE_RUNTIME_EAGER_MATMUL_H

#include "eager/kernel_library.h"
#include "eager/quantize.h"
#include "eager/view.h"

namespace ndl::eager {

/// result[…, i, j] = Σ_k a[…, i, k] b[…, k, j] in f32, a new contiguous array.
/// Both have rank >= 2; leading dimensions broadcast by NumPy's rules. Any
/// strides, neither operand is copied as a whole. K = 0 gives zeros. Adds
/// `bias` if not null (rank 1, f32, N elements). Errors: NDL_INVALID_ARGUMENT
/// (types, ranks, shapes), NDL_OUT_OF_MEMORY, NDL_NOT_FOUND (the library lacks
/// the kernel).
Status matmul(const KernelLibrary &library, const View &a, const View &b,
              View &result, const View *bias = nullptr);

/// The same of uint8 arrays into f32 by N4 and N5: exact sums of
/// (a - za)(b - zb), rounded once to f32, times f32(sa·sb), plus `bias` if not
/// null (rank 1, f32, N elements). Errors also: parameters that are not valid.
Status quantizedMatmul(const KernelLibrary &library, const View &a,
                       QuantParams paramsA, const View &b, QuantParams paramsB,
                       const View *bias, View &result);

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_MATMUL_H

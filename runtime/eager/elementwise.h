// Elementwise operations on arrays of any rank.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_ELEMENTWISE_H
#define NEEDLE_RUNTIME_EAGER_ELEMENTWISE_H

#include "eager/kernel_library.h"
#include "eager/view.h"

#include <cstring>

namespace ndl::eager {

/// A scalar of a kernel, as it stands in the context.
struct Scalar {
  uint64_t word = 0;

  static Scalar f32(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return {bits};
  }
  static Scalar i32(int32_t value) {
    return {static_cast<uint64_t>(static_cast<int64_t>(value))};
  }
};

/// Elements below which an elementwise operation stays on the calling thread.
constexpr int64_t parallelElements = int64_t(1) << 16;

/// result[i] = kernel(operands[i]…, scalars…) into an existing array.
///
/// `operands` are as many as the kernel takes and of the shape of `result`
/// (broadcastView makes them so); `scalars` likewise as many as it takes. The
/// result may be the same array as an operand or share memory with it in any
/// other way: it is as if the operands had been read before it was written.
/// Errors: NDL_INVALID_ARGUMENT (types, shapes, result not writable or with
/// elements that share memory by stride 0), NDL_OUT_OF_MEMORY (overlap),
/// NDL_NOT_FOUND (the library lacks the kernel).
Status mapInto(const KernelLibrary &library, MapKernel kernel,
               const View &result, const View *const *operands,
               const Scalar *scalars);

/// A new array, contiguous, of the operand's shape: kernels with one operand
/// and any scalars.
Status unary(const KernelLibrary &library, MapKernel kernel, const View &x,
             View &result, const Scalar *scalars = nullptr);

/// A new array, contiguous, of the shape that `a` and `b` broadcast to: kernels
/// with two operands. Errors also: the shapes do not broadcast.
Status binary(const KernelLibrary &library, MapKernel kernel, const View &a,
              const View &b, View &result);

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_ELEMENTWISE_H

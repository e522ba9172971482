// Copying and filling arrays.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/copy.h"

namespace ndl::eager {
namespace {

// mapInto and unary refuse arrays of another type than the kernel's.

MapKernel copyKernel(NdlDType dtype) {
  return dtype == NDL_DTYPE_U8 ? MapKernel::CopyU8 : MapKernel::Copy;
}

MapKernel fillKernel(NdlDType dtype) {
  return dtype == NDL_DTYPE_U8 ? MapKernel::FillU8 : MapKernel::Fill;
}

/// Without leading dimensions of extent 1 beyond `rank`.
View dropLeading(const View &x, int32_t rank) {
  int32_t surplus = 0;
  while (x.rank - surplus > rank && x.shape[surplus] == 1)
    ++surplus;
  View result = x;
  result.rank = x.rank - surplus;
  for (int32_t d = 0; d < result.rank; ++d) {
    result.shape[d] = x.shape[surplus + d];
    result.strides[d] = x.strides[surplus + d];
  }
  return result;
}

} // namespace

Status compact(const KernelLibrary &library, const View &x, View &result) {
  return unary(library, copyKernel(x.dtype), x, result);
}

Status copyInto(const KernelLibrary &library, const View &target,
                const View &source) {
  View broadcast;
  Status status = broadcastView(dropLeading(source, target.rank), target.rank,
                                target.shape, broadcast);
  const View *operands[] = {&broadcast};
  return status.ok() ? mapInto(library, copyKernel(target.dtype), target,
                               operands, nullptr)
                     : status;
}

Status fill(const KernelLibrary &library, const View &target, Scalar value) {
  return mapInto(library, fillKernel(target.dtype), target, nullptr, &value);
}

} // namespace ndl::eager

// Copying a strided tensor to contiguous memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tensor_pack.h"

#include "dtype.h"

#include <array>
#include <cstring>

namespace ndl {
namespace {

/// Dimensions of a tensor, strides in bytes.
struct Layout {
  int32_t rank = 0;
  std::array<int64_t, NDL_MAX_RANK> shape;
  std::array<int64_t, NDL_MAX_RANK> strides;
};

/// The same order of elements with as few dimensions as possible: without those
/// of size 1, and neighbours that run on into each other joined.
Layout coalesce(const NdlTensor &tensor, int64_t elementBytes) {
  Layout layout;
  int64_t contiguous = elementBytes;
  for (int32_t i = tensor.rank - 1; i >= 0; --i) {
    int64_t size = tensor.shape[i];
    if (size == 1)
      continue;
    int64_t stride =
        tensor.strides ? tensor.strides[i] * elementBytes : contiguous;
    contiguous *= size;
    int32_t inner = layout.rank - 1;
    if (inner >= 0 && stride == layout.shape[inner] * layout.strides[inner]) {
      layout.shape[inner] *= size;
      continue;
    }
    // Innermost first.
    layout.shape[layout.rank] = size;
    layout.strides[layout.rank] = stride;
    ++layout.rank;
  }
  return layout;
}

/// Copies `count` elements of a size known here, `stride` bytes apart.
template <int64_t elementBytes>
void copyRow(uint8_t *to, const uint8_t *from, int64_t count, int64_t stride) {
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(to + i * elementBytes, from + i * stride, elementBytes);
}

void copyRow(uint8_t *to, const uint8_t *from, int64_t count, int64_t stride,
             int64_t elementBytes) {
  if (stride == elementBytes) {
    std::memcpy(to, from, static_cast<size_t>(count * elementBytes));
    return;
  }
  switch (elementBytes) {
  case 1:
    return copyRow<1>(to, from, count, stride);
  case 2:
    return copyRow<2>(to, from, count, stride);
  case 4:
    return copyRow<4>(to, from, count, stride);
  default:
    return copyRow<8>(to, from, count, stride);
  }
}

} // namespace

void packTensor(const NdlTensor &tensor, uint8_t *to) {
  int64_t elementBytes = dtypeBits(tensor.dtype) / 8;
  Layout layout = coalesce(tensor, elementBytes);
  const auto *from = static_cast<const uint8_t *>(tensor.data);
  int64_t rowSize = layout.rank ? layout.shape[0] : 1;
  int64_t rowStride = layout.rank ? layout.strides[0] : elementBytes;
  std::array<int64_t, NDL_MAX_RANK> index{};
  for (;;) {
    copyRow(to, from, rowSize, rowStride, elementBytes);
    to += rowSize * elementBytes;
    // Steps to the next row, as an odometer does.
    int32_t i = 1;
    for (; i < layout.rank; ++i) {
      if (++index[i] < layout.shape[i]) {
        from += layout.strides[i];
        break;
      }
      from -= layout.strides[i] * (layout.shape[i] - 1);
      index[i] = 0;
    }
    if (i >= layout.rank)
      return;
  }
}

} // namespace ndl

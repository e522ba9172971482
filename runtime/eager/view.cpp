// Making views, and what their memory is.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/view.h"

#include "dtype.h"

#include <algorithm>

namespace ndl::eager {
namespace {

Status invalid(std::string text) {
  return {NDL_INVALID_ARGUMENT, std::move(text)};
}

Status checkAlignment(const Storage &storage, NdlDType dtype) {
  if (reinterpret_cast<uintptr_t>(storage.data()) % elementBytes(dtype) == 0)
    return {};
  return invalid("the memory of the array is not aligned to its elements of "
                 "type " +
                 std::string(dtypeName(dtype)) + "; copy it first");
}

} // namespace

Status checkShape(NdlDType dtype, int32_t rank, const int64_t *shape,
                  int64_t &size) {
  if (elementBytes(dtype) == 0)
    return invalid(std::string("arrays hold f32, u8 or i32, not ") +
                   dtypeName(dtype));
  if (rank < 0 || rank > maxRank)
    return invalid("an array has at most " + std::to_string(maxRank) +
                   " dimensions, not " + std::to_string(rank));
  bool empty = std::find(shape, shape + rank, 0) != shape + rank;
  int64_t bytes = elementBytes(dtype);
  for (int32_t d = 0; d < rank; ++d) {
    if (shape[d] < 0)
      return invalid("shape " + formatShape(rank, shape) +
                     " has a negative extent");
    if (!empty && __builtin_mul_overflow(bytes, shape[d], &bytes))
      return invalid("shape " + formatShape(rank, shape) +
                     " has more elements than memory can hold");
  }
  size = empty ? 0 : bytes / elementBytes(dtype);
  return {};
}

bool reach(const View &view, int64_t &lowest, int64_t &highest) {
  lowest = highest = 0;
  for (int32_t d = 0; d < view.rank; ++d) {
    int64_t span;
    if (__builtin_mul_overflow(view.shape[d] - 1, view.strides[d], &span))
      return false;
    int64_t &end = span < 0 ? lowest : highest;
    if (__builtin_add_overflow(end, span, &end))
      return false;
  }
  return true;
}

Status checkBounds(const View &view, int64_t room) {
  int64_t size;
  if (Status status = checkShape(view.dtype, view.rank, view.shape, size);
      !status.ok())
    return status;
  int64_t first = view.offset, last = view.offset;
  int64_t lowest = 0, highest = 0;
  bool known = size == 0 || (reach(view, lowest, highest) &&
                             !__builtin_add_overflow(first, lowest, &first) &&
                             !__builtin_add_overflow(last, highest, &last));
  // An array without elements may start where the memory ends.
  if (known && first >= 0 && last < room + (size == 0))
    return {};
  return invalid("shape " + formatShape(view.rank, view.shape) +
                 " with strides " + formatShape(view.rank, view.strides) +
                 " and offset " + std::to_string(view.offset) + " reaches " +
                 (known ? "from element " + std::to_string(first) + " to " +
                              std::to_string(last)
                        : "further than integers count") +
                 ", outside the memory of " + std::to_string(room) +
                 " elements");
}

void rowMajorStrides(int32_t rank, const int64_t *shape, int64_t *strides) {
  int64_t stride = 1;
  for (int32_t d = rank - 1; d >= 0; --d) {
    strides[d] = stride;
    // An extent of 0 counts as 1: a stride of 0 would look like a broadcast.
    // Products of such a shape may exceed the type; they do not matter.
    int64_t extent = std::max<int64_t>(shape[d], 1);
    if (__builtin_mul_overflow(stride, extent, &stride))
      stride = 0;
  }
}

std::string formatShape(int32_t rank, const int64_t *shape) {
  std::string text = "(";
  for (int32_t d = 0; d < rank; ++d)
    text += (d ? ", " : "") + std::to_string(shape[d]);
  return text + (rank == 1 ? ",)" : ")");
}

bool View::isContiguous() const {
  // Unsigned: the product of an array without elements may exceed the type.
  uint64_t expected = 1;
  bool contiguous = true;
  for (int32_t d = rank - 1; d >= 0; --d) {
    if (shape[d] == 0)
      return true;
    if (shape[d] == 1)
      continue;
    contiguous &= static_cast<uint64_t>(strides[d]) == expected;
    expected *= static_cast<uint64_t>(shape[d]);
  }
  return contiguous;
}

bool View::isCompact() const {
  return offset == 0 && isContiguous() &&
         static_cast<size_t>(size() * elementBytes(dtype)) == storage->bytes();
}

Status makeView(StoragePtr storage, NdlDType dtype, int32_t rank,
                const int64_t *shape, const int64_t *strides, int64_t offset,
                View &view) {
  int64_t size;
  if (Status status = checkShape(dtype, rank, shape, size); !status.ok())
    return status;
  if (!storage)
    return invalid("an array needs memory");
  View made;
  made.storage = std::move(storage);
  made.dtype = dtype;
  made.rank = rank;
  made.offset = offset;
  std::copy_n(shape, rank, made.shape);
  if (strides)
    std::copy_n(strides, rank, made.strides);
  else
    rowMajorStrides(rank, shape, made.strides);
  Status status = checkAlignment(*made.storage, dtype);
  int64_t bytes = elementBytes(dtype);
  if (status.ok())
    status =
        checkBounds(made, static_cast<int64_t>(made.storage->bytes()) / bytes);
  if (status.ok())
    view = std::move(made);
  return status;
}

Status allocate(NdlDType dtype, int32_t rank, const int64_t *shape,
                View &view) {
  int64_t size;
  if (Status status = checkShape(dtype, rank, shape, size); !status.ok())
    return status;
  StoragePtr storage =
      Storage::allocate(static_cast<size_t>(size * elementBytes(dtype)));
  if (!storage)
    return {NDL_OUT_OF_MEMORY, "no memory for an array of shape " +
                                   formatShape(rank, shape) + " and type " +
                                   dtypeName(dtype)};
  placeView(std::move(storage), dtype, rank, shape, view);
  return {};
}

void placeView(StoragePtr storage, NdlDType dtype, int32_t rank,
               const int64_t *shape, View &view) {
  // `shape` may be that of `view`.
  view.storage = std::move(storage);
  view.dtype = dtype;
  view.rank = rank;
  view.offset = 0;
  for (int32_t d = 0; d < rank; ++d)
    view.shape[d] = shape[d];
  rowMajorStrides(rank, view.shape, view.strides);
}

MemoryRange memoryRange(const View &x) {
  int64_t lowest, highest;
  if (x.size() == 0 || !reach(x, lowest, highest))
    return {};
  int64_t bytes = elementBytes(x.dtype);
  return {x.data() + lowest * bytes, x.data() + (highest + 1) * bytes};
}

bool mayOverlap(const View &a, const View &b) {
  MemoryRange first = memoryRange(a), second = memoryRange(b);
  return first.begin < second.end && second.begin < first.end;
}

bool sameElements(const View &a, const View &b) {
  if (a.data() != b.data() || a.dtype != b.dtype || a.rank != b.rank)
    return false;
  for (int32_t d = 0; d < a.rank; ++d)
    if (a.shape[d] != b.shape[d] ||
        (a.shape[d] > 1 && a.strides[d] != b.strides[d]))
      return false;
  return true;
}

} // namespace ndl::eager

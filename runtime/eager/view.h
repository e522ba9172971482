// Strided views of storages.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_VIEW_H
#define NEEDLE_RUNTIME_EAGER_VIEW_H

#include "eager/storage.h"

#include "needle-rt/status.h"
#include "needle-rt/types.h"

#include <string>

namespace ndl::eager {

/// Largest rank of an array.
constexpr int32_t maxRank = 32;

/// Bytes of an element; 0 for types that arrays cannot have (all but f32, u8
/// and i32).
constexpr int64_t elementBytes(NdlDType dtype) {
  switch (dtype) {
  case NDL_DTYPE_F32:
  case NDL_DTYPE_I32:
    return 4;
  case NDL_DTYPE_U8:
    return 1;
  default:
    return 0;
  }
}

/// An array: element (i0, i1, …) lies at element offset + Σ i * stride of the
/// storage. Strides count elements, may be 0 or negative. Every view made by
/// the functions here lies inside its storage.
struct View {
  StoragePtr storage;
  NdlDType dtype = NDL_DTYPE_INVALID;
  int32_t rank = 0;
  int64_t offset = 0;
  /// Only the first `rank` are set.
  int64_t shape[maxRank];
  int64_t strides[maxRank];

  View() {} // NOLINT: arrays stay uninitialized
  View(const View &other) : storage(other.storage) { copyFields(other); }
  View(View &&other) noexcept : storage(std::move(other.storage)) {
    copyFields(other);
  }
  View &operator=(const View &other) {
    storage = other.storage;
    copyFields(other);
    return *this;
  }
  View &operator=(View &&other) noexcept {
    storage = std::move(other.storage);
    copyFields(other);
    return *this;
  }
  ~View() = default;

  /// Number of elements.
  int64_t size() const {
    // Unsigned: only an array without elements has extents whose product
    // exceeds the type, and then it is still 0.
    uint64_t product = 1;
    for (int32_t d = 0; d < rank; ++d)
      product *= static_cast<uint64_t>(shape[d]);
    return static_cast<int64_t>(product);
  }
  /// The element with all indices 0.
  uint8_t *data() const {
    return storage->data() + offset * elementBytes(dtype);
  }
  /// Whether the elements are contiguous and row-major (strides of dimensions
  /// of extent 1, and of arrays without elements, do not matter).
  bool isContiguous() const;
  /// Contiguous, and the whole of the storage from offset 0 on: what `compact`
  /// would give without copying.
  bool isCompact() const;

private:
  void copyFields(const View &other) {
    dtype = other.dtype;
    rank = other.rank;
    offset = other.offset;
    for (int32_t d = 0; d < other.rank; ++d) {
      shape[d] = other.shape[d];
      strides[d] = other.strides[d];
    }
  }
};

/// The strides of a contiguous, row-major array; never 0 unless beyond the
/// type, which only those of an array without elements are.
void rowMajorStrides(int32_t rank, const int64_t *shape, int64_t *strides);

/// "(2, 3)", "(4,)", "()".
std::string formatShape(int32_t rank, const int64_t *shape);

/// The number of elements, the bytes of which fit into memory. Errors:
/// NDL_INVALID_ARGUMENT (type, rank, negative extent, overflow).
Status checkShape(NdlDType dtype, int32_t rank, const int64_t *shape,
                  int64_t &size);
/// Whether every element of a view lies among the first `room` ones of its
/// memory, which need not be set. Errors: NDL_INVALID_ARGUMENT (likewise, an
/// element outside).
Status checkBounds(const View &view, int64_t room);
/// The distances in elements from the first element, which has all indices 0,
/// to the lowest and the highest one in memory. There are elements. False on
/// overflow.
bool reach(const View &view, int64_t &lowest, int64_t &highest);

/// A view of `storage`, every element of which lies inside it. Null strides:
/// contiguous, row-major.
/// Errors: NDL_INVALID_ARGUMENT (type, rank, negative extent, overflow, an
/// element outside the storage).
Status makeView(StoragePtr storage, NdlDType dtype, int32_t rank,
                const int64_t *shape, const int64_t *strides, int64_t offset,
                View &view);
/// A new, uninitialized, contiguous array in the memory of the host. Errors: as
/// makeView, and NDL_OUT_OF_MEMORY.
Status allocate(NdlDType dtype, int32_t rank, const int64_t *shape, View &view);
/// Likewise over memory that has room for it.
void placeView(StoragePtr storage, NdlDType dtype, int32_t rank,
               const int64_t *shape, View &view);

/// The same elements in another shape, without copying. `possible` is false if
/// the strides do not allow that; `result` is then untouched and the caller
/// copies first. `shape` has no -1.
/// Errors: NDL_INVALID_ARGUMENT (number of elements, rank).
Status reshapeView(const View &x, int32_t rank, const int64_t *shape,
                   View &result, bool &possible);
/// Dimension d of the result is dimension axes[d] of `x`; `axes` has x.rank
/// entries in [0, rank), each once. Errors: NDL_INVALID_ARGUMENT.
Status permuteView(const View &x, const int32_t *axes, View &result);
/// `x` broadcast to a shape by NumPy's rules, with strides 0. Errors:
/// NDL_INVALID_ARGUMENT (does not broadcast, more elements than int64_t
/// counts).
Status broadcastView(const View &x, int32_t rank, const int64_t *shape,
                     View &result);
/// The shape that two shapes broadcast to by NumPy's rules; room for maxRank
/// extents. Errors: NDL_INVALID_ARGUMENT (naming both shapes).
Status broadcastShapes(int32_t rankA, const int64_t *shapeA, int32_t rankB,
                       const int64_t *shapeB, int32_t &rank, int64_t *shape);

/// The bytes [begin, end) that the elements of a view lie in; empty without
/// elements.
struct MemoryRange {
  const uint8_t *begin = nullptr;
  const uint8_t *end = nullptr;
};
MemoryRange memoryRange(const View &x);
/// Whether the memory ranges of two views meet: if not, writing to one does not
/// change the other.
bool mayOverlap(const View &a, const View &b);
/// Same first element, type, shape and strides.
bool sameElements(const View &a, const View &b);

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_VIEW_H

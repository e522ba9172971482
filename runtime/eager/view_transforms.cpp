// Other views of the same elements.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/view.h"

#include <algorithm>

namespace ndl::eager {
namespace {

Status invalid(std::string text) {
  return {NDL_INVALID_ARGUMENT, std::move(text)};
}

/// `x` without shape, to be given one.
View sameMemory(const View &x, int32_t rank) {
  View result;
  result.storage = x.storage;
  result.dtype = x.dtype;
  result.offset = x.offset;
  result.rank = rank;
  return result;
}

Status checkReshape(const View &x, int32_t rank, const int64_t *shape) {
  if (rank < 0 || rank > maxRank)
    return invalid("an array has at most " + std::to_string(maxRank) +
                   " dimensions, not " + std::to_string(rank));
  bool valid = std::find_if(shape, shape + rank, [](int64_t extent) {
                 return extent < 0;
               }) == shape + rank;
  bool empty = std::find(shape, shape + rank, 0) != shape + rank;
  int64_t size = empty ? 0 : 1;
  for (int32_t d = 0; d < rank && valid && !empty; ++d)
    valid = !__builtin_mul_overflow(size, shape[d], &size);
  if (valid && size == x.size())
    return {};
  return invalid("cannot reshape an array of shape " +
                 formatShape(x.rank, x.shape) + " with " +
                 std::to_string(x.size()) + " elements to shape " +
                 formatShape(rank, shape));
}

/// Gives the dimensions [begin, end) of `result` strides so that they run
/// through the elements of `count` dimensions of extents > 1. False if these do
/// not lie at equal distances.
bool splitGroup(const int64_t *extents, const int64_t *strides, int32_t count,
                View &result, int32_t begin, int32_t end) {
  for (int32_t d = 0; d + 1 < count; ++d)
    if (strides[d] != strides[d + 1] * extents[d + 1])
      return false;
  int64_t stride = strides[count - 1];
  for (int32_t d = end - 1; d >= begin; --d) {
    result.strides[d] = stride;
    stride *= result.shape[d];
  }
  return true;
}

} // namespace

Status reshapeView(const View &x, int32_t rank, const int64_t *shape,
                   View &result, bool &possible) {
  if (Status status = checkReshape(x, rank, shape); !status.ok())
    return status;
  View made = sameMemory(x, rank);
  std::copy_n(shape, rank, made.shape);
  rowMajorStrides(rank, shape, made.strides);
  int64_t extents[maxRank], strides[maxRank];
  int32_t oldRank = 0;
  bool empty = false;
  for (int32_t d = 0; d < x.rank; ++d) {
    empty |= x.shape[d] == 0;
    if (x.shape[d] == 1)
      continue;
    extents[oldRank] = x.shape[d];
    strides[oldRank++] = x.strides[d];
  }
  possible = true;
  // Old and new dimensions fall into groups of equal numbers of elements.
  int32_t oldBegin = 0, newBegin = 0;
  while (!empty && oldBegin < oldRank && possible) {
    int32_t oldEnd = oldBegin + 1, newEnd = newBegin + 1;
    int64_t oldSize = extents[oldBegin], newSize = shape[newBegin];
    while (oldSize != newSize) {
      if (newSize < oldSize)
        newSize *= shape[newEnd++];
      else
        oldSize *= extents[oldEnd++];
    }
    possible = splitGroup(extents + oldBegin, strides + oldBegin,
                          oldEnd - oldBegin, made, newBegin, newEnd);
    oldBegin = oldEnd;
    newBegin = newEnd;
  }
  if (possible)
    result = std::move(made);
  return {};
}

Status permuteView(const View &x, const int32_t *axes, View &result) {
  uint32_t seen = 0;
  View made = sameMemory(x, x.rank);
  for (int32_t d = 0; d < x.rank; ++d) {
    int32_t axis = axes[d];
    if (axis < 0 || axis >= x.rank || (seen >> axis & 1))
      return invalid(
          "axes do not permute the " + std::to_string(x.rank) +
          " dimensions of the array: axis " + std::to_string(axis) +
          (axis < 0 || axis >= x.rank ? " is out of range" : " appears twice"));
    seen |= uint32_t(1) << axis;
    made.shape[d] = x.shape[axis];
    made.strides[d] = x.strides[axis];
  }
  result = std::move(made);
  return {};
}

Status broadcastView(const View &x, int32_t rank, const int64_t *shape,
                     View &result) {
  int32_t added = rank - x.rank;
  bool fits = rank <= maxRank && added >= 0;
  for (int32_t d = 0; d < x.rank && fits; ++d)
    fits = x.shape[d] == shape[added + d] ||
           (x.shape[d] == 1 && shape[added + d] >= 0);
  for (int32_t d = 0; d < added && fits; ++d)
    fits = shape[d] >= 0;
  if (!fits)
    return invalid("cannot broadcast an array of shape " +
                   formatShape(x.rank, x.shape) + " to shape " +
                   formatShape(rank, shape));
  int64_t size;
  if (Status status = checkShape(x.dtype, rank, shape, size); !status.ok())
    return status.in("cannot broadcast");
  View made = sameMemory(x, rank);
  for (int32_t d = 0; d < rank; ++d) {
    made.shape[d] = shape[d];
    bool stretched = d < added || x.shape[d - added] != shape[d];
    made.strides[d] = stretched ? 0 : x.strides[d - added];
  }
  result = std::move(made);
  return {};
}

Status broadcastShapes(int32_t rankA, const int64_t *shapeA, int32_t rankB,
                       const int64_t *shapeB, int32_t &rank, int64_t *shape) {
  int32_t most = std::max(rankA, rankB);
  for (int32_t d = 1; d <= most; ++d) {
    int64_t a = d <= rankA ? shapeA[rankA - d] : 1;
    int64_t b = d <= rankB ? shapeB[rankB - d] : 1;
    if (a != b && a != 1 && b != 1)
      return invalid("shapes " + formatShape(rankA, shapeA) + " and " +
                     formatShape(rankB, shapeB) +
                     " do not broadcast to a common shape");
    shape[most - d] = a == 1 ? b : a;
  }
  rank = most;
  return {};
}

} // namespace ndl::eager

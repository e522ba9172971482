// The loops that an operation runs over the elements of its operands.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/loop_nest.h"

#include <utility>

namespace ndl::eager {
namespace {

/// Of a stride; the distance matters, not the direction. Never negative, also
/// not of the lowest number.
uint64_t magnitude(int64_t stride) {
  return stride < 0 ? -static_cast<uint64_t>(stride)
                    : static_cast<uint64_t>(stride);
}

} // namespace

void LoopNest::add(const View &view) {
  if (numOperands == 0) {
    rank = view.rank;
    for (int32_t d = 0; d < rank; ++d)
      extents[d] = view.shape[d];
  }
  Operand &operand = operands[numOperands++];
  operand.data = view.data();
  operand.elementBytes = elementBytes(view.dtype);
  for (int32_t d = 0; d < rank; ++d)
    operand.strides[d] = view.strides[d];
}

void LoopNest::addBroadcast(const View &view) {
  Operand &operand = operands[numOperands++];
  operand.data = view.data();
  operand.elementBytes = elementBytes(view.dtype);
  int32_t added = rank - view.rank;
  for (int32_t d = 0; d < added; ++d)
    operand.strides[d] = 0;
  for (int32_t d = 0; d < view.rank; ++d)
    operand.strides[added + d] = view.shape[d] == 1 ? 0 : view.strides[d];
}

int64_t LoopNest::size() const {
  // Unsigned as in View::size().
  uint64_t product = 1;
  for (int32_t d = 0; d < rank; ++d)
    product *= static_cast<uint64_t>(extents[d]);
  return static_cast<int64_t>(product);
}

void LoopNest::dropUnits() {
  int32_t kept = 0;
  for (int32_t d = 0; d < rank; ++d) {
    if (extents[d] == 1)
      continue;
    extents[kept] = extents[d];
    for (int32_t i = 0; i < numOperands; ++i)
      operands[i].strides[kept] = operands[i].strides[d];
    ++kept;
  }
  rank = kept;
}

void LoopNest::flipNegative() {
  for (int32_t d = 0; d < rank; ++d) {
    if (operands[0].strides[d] >= 0)
      continue;
    advance(d, extents[d] - 1);
    for (int32_t i = 0; i < numOperands; ++i)
      operands[i].strides[d] = -operands[i].strides[d];
  }
}

/// Whether dimension `a` should be a loop inside of `b`.
bool LoopNest::runsInside(int32_t a, int32_t b) const {
  for (int32_t i = 0; i < numOperands; ++i) {
    uint64_t first = magnitude(operands[i].strides[a]);
    uint64_t second = magnitude(operands[i].strides[b]);
    if (first != second)
      return first < second;
  }
  return false;
}

void LoopNest::reorder() {
  for (int32_t end = 1; end < rank; ++end)
    for (int32_t d = end; d > 0 && runsInside(d - 1, d); --d) {
      std::swap(extents[d - 1], extents[d]);
      for (int32_t i = 0; i < numOperands; ++i)
        std::swap(operands[i].strides[d - 1], operands[i].strides[d]);
    }
}

void LoopNest::merge() {
  int32_t last = 0;
  for (int32_t d = 1; d < rank; ++d) {
    bool mergeable = true;
    for (int32_t i = 0; i < numOperands; ++i)
      mergeable &=
          operands[i].strides[last] == operands[i].strides[d] * extents[d];
    if (mergeable)
      extents[last] *= extents[d];
    else
      extents[++last] = extents[d];
    for (int32_t i = 0; i < numOperands; ++i)
      operands[i].strides[last] = operands[i].strides[d];
  }
  rank = last + 1;
}

void LoopNest::simplify(bool mayFlip, bool mayReorder) {
  dropUnits();
  if (rank == 0) {
    rank = 1;
    extents[0] = 1;
    for (int32_t i = 0; i < numOperands; ++i)
      operands[i].strides[0] = 1;
    return;
  }
  if (mayFlip)
    flipNegative();
  if (mayReorder)
    reorder();
  merge();
}

} // namespace ndl::eager

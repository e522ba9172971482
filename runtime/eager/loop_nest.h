// The loops that an operation runs over the elements of its operands.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_LOOP_NEST_H
#define NEEDLE_RUNTIME_EAGER_LOOP_NEST_H

#include "eager/view.h"

namespace ndl::eager {

/// Dimensions and, for each of several operands, a pointer and strides.
struct LoopNest {
  static constexpr int32_t maxOperands = 4;

  struct Operand {
    /// The element with all indices 0.
    uint8_t *data;
    int64_t elementBytes;
    /// In elements, one for each dimension.
    int64_t strides[maxRank];
  };

  int32_t rank = 0;
  int32_t numOperands = 0;
  int64_t extents[maxRank];
  Operand operands[maxOperands];

  LoopNest() {} // NOLINT: arrays stay uninitialized

  /// Adds a view that has the dimensions of the nest, or sets them if it is the
  /// first operand.
  void add(const View &view);
  /// Adds a view broadcast to the dimensions of the nest by NumPy's rules. The
  /// caller knows that it does.
  void addBroadcast(const View &view);

  int64_t size() const;

  /// Brings the nest into a form that covers the same combinations of elements
  /// with as few dimensions as possible: drops those of extent 1, turns those
  /// in which the first operand runs backwards if `mayFlip`, orders them so
  /// that the first operand (and, among equals, the second, …) has its smallest
  /// stride innermost if `mayReorder`, and merges neighbours that all operands
  /// run through as if they were one. Afterwards the rank is at least 1.
  void simplify(bool mayFlip = true, bool mayReorder = true);

  /// Moves an operand along a dimension.
  void advance(int32_t dim, int64_t steps) {
    for (int32_t i = 0; i < numOperands; ++i) {
      Operand &operand = operands[i];
      operand.data += steps * operand.strides[dim] * operand.elementBytes;
    }
  }

private:
  void dropUnits();
  void flipNegative();
  void reorder();
  void merge();
  bool runsInside(int32_t a, int32_t b) const;
};

/// Steps through the first `dims` dimensions of a nest like an odometer; the
/// nest's pointers follow.
class Odometer {
public:
  Odometer(LoopNest &nest, int32_t dims) : nest(nest), dims(dims) {
    for (int32_t d = 0; d < dims; ++d)
      index[d] = 0;
  }
  /// To the next combination; false after the last, with the pointers back at
  /// the start.
  bool next() {
    for (int32_t d = dims - 1; d >= 0; --d) {
      if (++index[d] < nest.extents[d]) {
        nest.advance(d, 1);
        return true;
      }
      index[d] = 0;
      nest.advance(d, 1 - nest.extents[d]);
    }
    return false;
  }

private:
  LoopNest &nest;
  int32_t dims;
  int64_t index[maxRank];
};

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_LOOP_NEST_H

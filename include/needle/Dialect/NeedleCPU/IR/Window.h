//===- Window.h - How a kernel moves over images ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The attribute `window` of contractions, and M and K of a contraction with or
// without one.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLECPU_IR_WINDOW_H
#define NEEDLE_DIALECT_NEEDLECPU_IR_WINDOW_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include <array>
#include <optional>

namespace needle::cpu {

/// The windows of KH×KW pixels that are the rows of a left-hand side. Pairs are
/// height and width.
struct Window {
  std::array<int64_t, 2> kernel, strides;
  /// Top, bottom, left, right.
  std::array<int64_t, 4> padding;
  std::array<int64_t, 2> dilations;
  int64_t groups = 1;

  /// Products of centered integers, at most 255², whose sums f32 holds exactly.
  static constexpr int64_t mostExactTaps = (1 << 24) / (255 * 255);

  static constexpr size_t numValues = 11;
  /// From the values of the attribute, numValues of them.
  static Window of(llvm::ArrayRef<int64_t> values) {
    return {{values[0], values[1]},
            {values[2], values[3]},
            {values[4], values[5], values[6], values[7]},
            {values[8], values[9]},
            values[10]};
  }
  mlir::DenseI64ArrayAttr toAttr(mlir::MLIRContext *context) const {
    return mlir::DenseI64ArrayAttr::get(
        context,
        {kernel[0], kernel[1], strides[0], strides[1], padding[0], padding[1],
         padding[2], padding[3], dilations[0], dilations[1], groups});
  }

  /// What the padding leaves room for beyond the kernel, along height or width.
  int64_t getRoom(unsigned i) const {
    return padding[2 * i] + padding[2 * i + 1] -
           (kernel[i] - 1) * dilations[i] - 1;
  }
  int64_t getExtent(unsigned i, int64_t size) const {
    return mlir::ShapedType::isDynamic(size)
               ? size
               : (size + getRoom(i)) / strides[i] + 1;
  }
  /// Channels that a window takes of each pixel.
  int64_t getChannels(int64_t all) const {
    return mlir::ShapedType::isDynamic(all) ? all : all / groups;
  }
  /// Each pixel is a window.
  bool isPointwise() const {
    return kernel[0] * kernel[1] == 1 && strides[0] * strides[1] == 1 &&
           padding == std::array<int64_t, 4>{} && groups == 1;
  }
};

/// M and K of a contraction, dynamic where `lhs` does not tell; `values` are
/// those of a window.
struct ContractionExtents {
  int64_t rows, depth;
};
ContractionExtents
getContractionExtents(mlir::ShapedType lhs, bool transposed,
                      std::optional<llvm::ArrayRef<int64_t>> values);

} // namespace needle::cpu

#endif // NEEDLE_DIALECT_NEEDLECPU_IR_WINDOW_H

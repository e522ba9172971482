//===- ConvolutionBuilder.h - What convolutions are built of ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Filters as matrices, images as rows of pixels.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CONVERSION_CONVOLUTIONBUILDER_H
#define NEEDLE_LIB_CONVERSION_CONVOLUTIONBUILDER_H

#include "ContractionBuilder.h"

namespace needle {

/// Some elements of a kernel: from `first`, so many, `step` apart, which may be
/// negative.
struct Taps {
  int64_t first, count, step;

  static Taps all(int64_t size) { return {0, size, 1}; }
  bool areAll(int64_t size) const {
    return first == 0 && count == size && step == 1;
  }
};

/// Some of a filter KH×KW×C×O.
struct FilterPart {
  Taps rows, columns;
};

class ConvolutionBuilder : public ContractionBuilder {
public:
  using ContractionBuilder::ContractionBuilder;

  /// A filter, or a part of one, as a matrix K×N of a converted type. A weight
  /// where `filter`, of the operation that is converted, is constant.
  /// `converted` is its converted value.
  mlir::Value getFilterMatrix(mlir::Value filter, mlir::Value converted);
  mlir::Value getFilterMatrix(mlir::Value filter, mlir::Value converted,
                              const FilterPart &part);

  /// The weights of a depthwise convolution as needle_cpu.qmatmul takes them,
  /// if `filter` is a constant that can be read; else null.
  mlir::Value getDepthwiseWeights(mlir::Value filter,
                                  const IntegerEncoding &encoding);

  /// N×H×W×C as a matrix of N·H·W rows.
  mlir::Value flattenPixels(mlir::Value images);
  /// The opposite, to the shape `sizes`.
  mlir::Value unflattenPixels(mlir::Value rows,
                              llvm::ArrayRef<mlir::OpFoldResult> sizes);
  /// An uninitialized matrix of the pixels of images of shape `sizes`.
  mlir::Value createPixels(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                           mlir::Type element);
};

} // namespace needle

#endif // NEEDLE_LIB_CONVERSION_CONVOLUTIONBUILDER_H

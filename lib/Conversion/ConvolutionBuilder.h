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

/// Elements of a kernel along height or width that are a stride apart: for each
/// phase of `count` from `first` on as many as `taps`.
struct KernelPhases {
  int64_t stride, first, count, taps;
};

class ConvolutionBuilder : public ContractionBuilder {
public:
  using ContractionBuilder::ContractionBuilder;

  /// A filter KH×KW×C×O of a converted type as a matrix K×N. A weight where
  /// `filter`, of the operation that is converted, is constant. `converted` is
  /// its converted value.
  mlir::Value getFilterMatrix(mlir::Value filter, mlir::Value converted);

  /// Likewise a constant filter of integers in which each `merged` groups are
  /// one of as many times the channels: other groups' have the zero point for a
  /// weight. Null if the filter cannot be read.
  mlir::Value getMergedMatrix(mlir::Value filter,
                              const IntegerEncoding &encoding, int64_t groups,
                              int64_t merged);

  /// Likewise phases of a filter of f32, as a matrix of (taps, last first, and
  /// C) × (phases and O).
  mlir::Value getPhaseMatrix(mlir::Value filter, mlir::Value converted,
                             const KernelPhases &rows,
                             const KernelPhases &columns);

  /// The weights of a depthwise convolution as needle_cpu.qmatmul takes them,
  /// if `filter` is a constant that can be read; else null.
  mlir::Value getDepthwiseWeights(mlir::Value filter,
                                  const IntegerEncoding &encoding);
  /// Likewise of groups of two or four channels; null, too, if their sums may
  /// not be exact in f32.
  mlir::Value getSmallGroupWeights(mlir::Value filter,
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

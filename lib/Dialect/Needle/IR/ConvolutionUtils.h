//===- ConvolutionUtils.h - What convolutions share -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shapes of needle.conv2d, needle.qconv2d and needle.conv_transpose2d.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_DIALECT_NEEDLE_IR_CONVOLUTIONUTILS_H
#define NEEDLE_LIB_DIALECT_NEEDLE_IR_CONVOLUTIONUTILS_H

#include "needle/Dialect/Needle/IR/Needle.h"

namespace needle {

/// The operands and attributes of a convolution as far as its shape depends on
/// them.
struct ConvolutionShape {
  mlir::RankedTensorType input, filter;
  /// Null without a bias.
  mlir::RankedTensorType bias;
  llvm::ArrayRef<int64_t> strides, padding;
  /// Of a transposed convolution {1, 1} and 1.
  llvm::ArrayRef<int64_t> dilations;
  int64_t groups = 1;
  /// Of a transposed convolution only.
  llvm::ArrayRef<int64_t> outputPadding;

  /// The extent of spatial dimension `i` (0 or 1) that the kernel spans.
  int64_t getSpan(unsigned i) const {
    return (filter.getDimSize(i) - 1) * dilations[i] + 1;
  }
  int64_t getPadding(unsigned i) const {
    return padding[2 * i] + padding[2 * i + 1];
  }
};

/// The shape N×OH×OW×O of a convolution. Emits an error for the operation
/// `opName` that names the operand, attribute or dimension that does not fit.
mlir::FailureOr<llvm::SmallVector<int64_t>>
inferConvolutionShape(std::optional<mlir::Location> loc, llvm::StringRef opName,
                      const ConvolutionShape &shape);
mlir::FailureOr<llvm::SmallVector<int64_t>>
inferTransposedConvolutionShape(std::optional<mlir::Location> loc,
                                llvm::StringRef opName,
                                const ConvolutionShape &shape);

inline mlir::RankedTensorType getTensorType(mlir::Value value) {
  return value ? llvm::cast<mlir::RankedTensorType>(value.getType())
               : mlir::RankedTensorType();
}

/// That of a conv2d or qconv2d, from the operation or its adaptor.
template <typename OpOrAdaptor>
ConvolutionShape getConvolutionShape(OpOrAdaptor &op) {
  return {getTensorType(op.getInput()),
          getTensorType(op.getFilter()),
          getTensorType(op.getBias()),
          op.getStrides(),
          op.getPadding(),
          op.getDilations(),
          static_cast<int64_t>(op.getGroups()),
          {}};
}

/// Which dimensions of a convolution agree but the spatial ones.
ShapeRule getChannelRule(mlir::Value input, mlir::Value filter,
                         mlir::Value bias, mlir::Value result);

/// Adds to `rule` that dimension `dim` of the result is `extent`, of the same
/// dimension of the input.
void addComputed(ShapeRule &rule, unsigned dim, mlir::Value input,
                 mlir::Value result, mlir::AffineExpr extent);

/// The rule of a conv2d or qconv2d.
ShapeRule getConvolutionRule(const ConvolutionShape &shape, mlir::Value input,
                             mlir::Value filter, mlir::Value bias,
                             mlir::Value result);

} // namespace needle

#endif // NEEDLE_LIB_DIALECT_NEEDLE_IR_CONVOLUTIONUTILS_H

//===- PanelBuilder.h - Packed right-hand sides -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the panels that contractions read their right-hand side from.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CONVERSION_PANELBUILDER_H
#define NEEDLE_LIB_CONVERSION_PANELBUILDER_H

#include "ConversionUtils.h"

namespace needle {

/// Builds packed right-hand sides with panels of `panel` columns.
class PanelBuilder {
public:
  PanelBuilder(mlir::OpBuilder &builder, mlir::Location loc, int64_t panel)
      : builder(builder), loc(loc), panel(panel) {}

  /// The destination of pack_rhs for the matrices in the last two dimensions of
  /// `rhs`: panels of f32, or of pairs of integers. N is static where there are
  /// several groups of columns.
  mlir::Value createPanels(mlir::Value rhs, bool transposed, mlir::Type element,
                           int64_t groups = 1);

  /// pack_rhs of a matrix of f32.
  mlir::Value packFloat(mlir::Value rhs, mlir::Value panels, bool transposed,
                        int64_t groups = 1);

protected:
  mlir::OpBuilder &builder;
  mlir::Location loc;

private:
  mlir::Value ceilDiv(mlir::Value size, int64_t divisor);

  int64_t panel;
};

} // namespace needle

#endif // NEEDLE_LIB_CONVERSION_PANELBUILDER_H

//===- PanelBuilder.cpp - Packed right-hand sides -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PanelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace needle;

/// ceil(size / divisor) of a dimension.
Value PanelBuilder::ceilDiv(Value size, int64_t divisor) {
  Value sum = arith::AddIOp::create(
      builder, loc, size,
      arith::ConstantIndexOp::create(builder, loc, divisor - 1));
  return arith::DivUIOp::create(
      builder, loc, sum, arith::ConstantIndexOp::create(builder, loc, divisor));
}

Value PanelBuilder::createPanels(Value rhs, bool transposed, Type element,
                                 int64_t groups) {
  bool isFloat = element.isF32();
  auto type = cast<RankedTensorType>(rhs.getType());
  unsigned batch = type.getRank() - 2;
  unsigned kDim = batch + (transposed ? 1 : 0), nDim = 2 * batch + 1 - kDim;
  int64_t n = type.getDimSize(nDim), k = type.getDimSize(kDim);
  bool isNarrow = element.isInteger(8);
  if (!ShapedType::isDynamic(n))
    n = groups * llvm::divideCeilSigned(n / groups, panel);
  if (!ShapedType::isDynamic(k) && !isFloat) {
    int64_t quads = static_cast<int64_t>(llvm::divideCeil(k, 4));
    k = isNarrow ? quads + 1 : 2 * quads;
  }
  SmallVector<int64_t> shape{n, k, panel};
  if (!isFloat)
    shape.push_back(isNarrow ? 4 : 2);
  return createEmpty(builder, loc, RankedTensorType::get(shape, element),
                     [&](unsigned dim) -> Value {
                       Value size =
                           createDim(builder, loc, rhs, dim == 0 ? nDim : kDim);
                       if (dim == 0)
                         return ceilDiv(size, panel);
                       if (isFloat)
                         return size;
                       Value quads = ceilDiv(size, 4);
                       Value one =
                           arith::ConstantIndexOp::create(builder, loc, 1);
                       return arith::AddIOp::create(builder, loc, quads,
                                                    isNarrow ? one : quads);
                     });
}

Value PanelBuilder::packFloat(Value rhs, Value panels, bool transposed,
                              int64_t groups) {
  return cpu::PackRhsOp::create(builder, loc, panels.getType(), rhs,
                                /*zero_point=*/Value(), panels, transposed,
                                /*source_unsigned=*/false,
                                /*zero_points=*/DenseI32ArrayAttr(), groups)
      .getResult(0);
}

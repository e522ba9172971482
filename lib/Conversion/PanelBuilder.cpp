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

Value PanelBuilder::createPanels(Value rhs, bool transposed, Type element) {
  bool isFloat = element.isF32();
  auto type = cast<RankedTensorType>(rhs.getType());
  unsigned batch = type.getRank() - 2;
  unsigned kDim = batch + (transposed ? 1 : 0), nDim = 2 * batch + 1 - kDim;
  auto shrink = [](int64_t size, int64_t divisor) {
    return ShapedType::isDynamic(size)
               ? size
               : static_cast<int64_t>(llvm::divideCeil(size, divisor));
  };
  int64_t step = isFloat ? 1 : 2;
  SmallVector<int64_t> shape{shrink(type.getDimSize(nDim), panel),
                             shrink(type.getDimSize(kDim), step), panel};
  if (!isFloat)
    shape.push_back(2);
  return createEmpty(
      builder, loc, RankedTensorType::get(shape, element), [&](unsigned dim) {
        Value size = createDim(builder, loc, rhs, dim == 0 ? nDim : kDim);
        int64_t divisor = dim == 0 ? panel : step;
        return divisor == 1 ? size : ceilDiv(size, divisor);
      });
}

Value PanelBuilder::packFloat(Value rhs, Value panels, bool transposed) {
  return cpu::PackRhsOp::create(builder, loc, panels.getType(), rhs,
                                /*zero_point=*/Value(), panels, transposed,
                                /*source_unsigned=*/false,
                                /*zero_points=*/DenseI32ArrayAttr())
      .getResult(0);
}

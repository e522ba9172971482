//===- LowerExpandShape.cpp - Expanded shapes are casts -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns memref.expand_shape of contiguous buffers into casts, whatever number
// of their sizes is dynamic.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "needle/Codegen/CPU/Passes.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPULOWEREXPANDSHAPE
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;

namespace {

struct LowerExpandShapePass
    : needle::cpu::impl::CPULowerExpandShapeBase<LowerExpandShapePass> {
  void runOnOperation() override {
    getOperation()->walk([](memref::ExpandShapeOp op) {
      if (op.getSrcType().getLayout().isIdentity() &&
          op.getResultType().getLayout().isIdentity())
        lower(op);
    });
  }

private:
  static void lower(memref::ExpandShapeOp op) {
    OpBuilder builder(op);
    SmallVector<OpFoldResult> sizes = op.getMixedOutputShape();
    SmallVector<OpFoldResult> strides(sizes.size());
    OpFoldResult stride = builder.getIndexAttr(1);
    for (size_t i = sizes.size(); i-- > 0;) {
      strides[i] = stride;
      stride = multiply(builder, op.getLoc(), stride, sizes[i]);
    }
    Value cast = memref::ReinterpretCastOp::create(
        builder, op.getLoc(), op.getResultType(), op.getSrc(),
        builder.getIndexAttr(0), sizes, strides);
    op.replaceAllUsesWith(cast);
    op.erase();
  }

  static OpFoldResult multiply(OpBuilder &builder, Location loc, OpFoldResult a,
                               OpFoldResult b) {
    std::optional<int64_t> x = getConstantIntValue(a);
    std::optional<int64_t> y = getConstantIntValue(b);
    if (x && y)
      return builder.getIndexAttr(*x * *y);
    return builder.createOrFold<arith::MulIOp>(
        loc, getValueOrCreateConstantIndexOp(builder, loc, a),
        getValueOrCreateConstantIndexOp(builder, loc, b));
  }
};

} // namespace

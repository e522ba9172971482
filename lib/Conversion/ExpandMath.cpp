//===- ExpandMath.cpp - math operations as arith operations ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Replaces math operations that would become calls of a math library.
//
//===----------------------------------------------------------------------===//

#include "ExpandMath.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "needle/Conversion/Passes.h"

namespace needle {
#define GEN_PASS_DEF_EXPANDMATH
#include "needle/Conversion/Passes.h.inc"
} // namespace needle

using namespace mlir;
using namespace needle;

namespace {

/// %y = math.exp %x : vector<8xf32>
/// → arith operations on vector<8xf32> and vector<8xi32>
template <typename OpT, Value (*expand)(OpBuilder &, Location, Value)>
struct ExpandUnary : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "not of f32");
    rewriter.replaceOp(op, expand(rewriter, op.getLoc(), op.getOperand()));
    return success();
  }
};

/// %z = math.powf %x, %y : f32 → arith operations on f64
struct ExpandPow : OpRewritePattern<math::PowFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::PowFOp op,
                                PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "not of f32");
    rewriter.replaceOp(
        op, expandPow(rewriter, op.getLoc(), op.getLhs(), op.getRhs()));
    return success();
  }
};

struct ExpandMathPass : needle::impl::ExpandMathBase<ExpandMathPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandUnary<math::ExpOp, expandExp>,
                 ExpandUnary<math::LogOp, expandLog>,
                 ExpandUnary<math::TanhOp, expandTanh>, ExpandPow>(
        &getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace

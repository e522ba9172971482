//===- FuseEpilogue.cpp - Bias and activation into contractions -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes the bias and the activation function behind a contraction part of it.
//
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/Needle/Transforms/Passes.h"

namespace needle {
#define GEN_PASS_DEF_FUSEEPILOGUEPASS
#include "needle/Dialect/Needle/Transforms/Passes.h.inc"
} // namespace needle

using namespace needle;
using namespace mlir;

/// The contraction that `user` alone uses, through `value`; none if it already
/// has an activation function, behind which nothing can be added.
static EpilogueOpInterface getFusable(Value value, Operation *user) {
  auto op = value.getDefiningOp<EpilogueOpInterface>();
  if (!op || !value.hasOneUse() || op->getBlock() != user->getBlock() ||
      op.getActivation() != Activation::None)
    return {};
  return op;
}

/// Replaces `user` by `op` with the given bias and activation, standing where
/// the user stood: the bias may be defined behind the old operation.
static void fuse(PatternRewriter &rewriter, EpilogueOpInterface op,
                 Operation *user, Value bias, Activation activation) {
  Operation *fused = op.cloneWithEpilogue(
      rewriter, rewriter.getFusedLoc({op.getLoc(), user->getLoc()}),
      user->getResult(0).getType(), bias, activation);
  rewriter.replaceOp(user, fused);
  rewriter.eraseOp(op);
}

/// Whether adding `bias` to a tensor of type `result` adds one number to each
/// column.
static bool isBias(RankedTensorType bias, RankedTensorType result) {
  int64_t n = result.getShape().back();
  if (ShapedType::isDynamic(n) || bias.getRank() == 0 ||
      bias.getRank() > result.getRank() || bias.getShape().back() != n)
    return false;
  return llvm::all_of(bias.getShape().drop_back(),
                      [](int64_t size) { return size == 1; });
}

namespace {

/// add(matmul(x, w), b)  →  matmul(x, w) bias(b); likewise conv2d
struct FuseBias : OpRewritePattern<AddOp> {
  FuseBias(MLIRContext *context, Pass::Statistic &count)
      : OpRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(AddOp add,
                                PatternRewriter &rewriter) const override {
    if (succeeded(fuseOperand(add, add.getLhs(), add.getRhs(), rewriter)) ||
        succeeded(fuseOperand(add, add.getRhs(), add.getLhs(), rewriter)))
      return success();
    return rewriter.notifyMatchFailure(add,
                                       "not a contraction plus a bias of N");
  }

private:
  Pass::Statistic &count;

  LogicalResult fuseOperand(AddOp add, Value product, Value bias,
                            PatternRewriter &rewriter) const {
    EpilogueOpInterface op = getFusable(product, add);
    auto biasType = cast<RankedTensorType>(bias.getType());
    if (!op || op.getBias() ||
        !isBias(biasType, cast<RankedTensorType>(product.getType())))
      return failure();
    if (biasType.getRank() > 1)
      bias = ReshapeOp::create(rewriter, add.getLoc(),
                               RankedTensorType::get(biasType.getShape().back(),
                                                     biasType.getElementType()),
                               bias);
    fuse(rewriter, op, add, bias, Activation::None);
    ++count;
    return success();
  }
};

/// relu(matmul(x, w))  →  matmul(x, w) {activation = relu}; likewise conv2d
struct FuseRelu : OpRewritePattern<ReluOp> {
  FuseRelu(MLIRContext *context, Pass::Statistic &count)
      : OpRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(ReluOp relu,
                                PatternRewriter &rewriter) const override {
    EpilogueOpInterface op = getFusable(relu.getOperand(), relu);
    if (!op)
      return rewriter.notifyMatchFailure(relu,
                                         "not the only user of a contraction");
    fuse(rewriter, op, relu, op.getBias(), Activation::Relu);
    ++count;
    return success();
  }

private:
  Pass::Statistic &count;
};

struct FuseEpiloguePass : needle::impl::FuseEpiloguePassBase<FuseEpiloguePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseBias>(&getContext(), numBiases);
    patterns.add<FuseRelu>(&getContext(), numActivations);
    // Only these patterns: no folding, which canonicalize is for.
    GreedyRewriteConfig config;
    config.enableFolding(false);
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(
            applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace

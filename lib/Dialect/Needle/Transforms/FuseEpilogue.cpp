//===- FuseEpilogue.cpp - Bias and activation into matmul -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes the bias and the activation function behind a matrix multiplication
// part of it.
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

/// The matmul that `user` alone uses, through `value`; none if it already has
/// an activation function, behind which nothing can be added.
static MatmulOp getFusableMatmul(Value value, Operation *user) {
  auto matmul = value.getDefiningOp<MatmulOp>();
  if (!matmul || !value.hasOneUse() || matmul->getBlock() != user->getBlock() ||
      matmul.getActivation() != Activation::None)
    return {};
  return matmul;
}

/// Replaces `user` by `matmul` with the given bias and activation, standing
/// where the user stood: the bias may be defined behind the old matmul.
static void fuse(PatternRewriter &rewriter, MatmulOp matmul, Operation *user,
                 Value bias, Activation activation) {
  auto fused = MatmulOp::create(
      rewriter, rewriter.getFusedLoc({matmul.getLoc(), user->getLoc()}),
      user->getResult(0).getType(), matmul.getLhs(), matmul.getRhs(), bias,
      matmul.getTransposeLhs(), matmul.getTransposeRhs(), activation);
  fused->setDiscardableAttrs(matmul->getDiscardableAttrDictionary());
  rewriter.replaceOp(user, fused);
  rewriter.eraseOp(matmul);
}

/// Whether adding `bias` to a matrix of type `result` adds one number to each
/// column.
static bool isBias(RankedTensorType bias, RankedTensorType result) {
  int64_t n = result.getShape().back();
  if (ShapedType::isDynamic(n))
    return false;
  return bias.getShape() == llvm::ArrayRef<int64_t>{n} ||
         bias.getShape() == llvm::ArrayRef<int64_t>{1, n};
}

namespace {

/// add(matmul(x, w), b)  →  matmul(x, w) bias(b)
struct FuseBias : OpRewritePattern<AddOp> {
  FuseBias(MLIRContext *context, Pass::Statistic &count)
      : OpRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(AddOp add,
                                PatternRewriter &rewriter) const override {
    if (succeeded(fuseOperand(add, add.getLhs(), add.getRhs(), rewriter)) ||
        succeeded(fuseOperand(add, add.getRhs(), add.getLhs(), rewriter)))
      return success();
    return rewriter.notifyMatchFailure(add, "not a matmul plus a bias of N");
  }

private:
  Pass::Statistic &count;

  LogicalResult fuseOperand(AddOp add, Value product, Value bias,
                            PatternRewriter &rewriter) const {
    MatmulOp matmul = getFusableMatmul(product, add);
    auto biasType = cast<RankedTensorType>(bias.getType());
    if (!matmul || matmul.getBias() || !isBias(biasType, matmul.getType()))
      return failure();
    if (biasType.getRank() == 2)
      bias = ReshapeOp::create(rewriter, add.getLoc(),
                               RankedTensorType::get(biasType.getShape().back(),
                                                     biasType.getElementType()),
                               bias);
    fuse(rewriter, matmul, add, bias, Activation::None);
    ++count;
    return success();
  }
};

/// relu(matmul(x, w))  →  matmul(x, w) {activation = relu}
struct FuseRelu : OpRewritePattern<ReluOp> {
  FuseRelu(MLIRContext *context, Pass::Statistic &count)
      : OpRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(ReluOp relu,
                                PatternRewriter &rewriter) const override {
    MatmulOp matmul = getFusableMatmul(relu.getOperand(), relu);
    if (!matmul)
      return rewriter.notifyMatchFailure(relu, "not the only user of a matmul");
    fuse(rewriter, matmul, relu, matmul.getBias(), Activation::Relu);
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

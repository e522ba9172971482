//===- FuseElementwise.cpp - Merges elementwise operations ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fuses producers into consumers from the top down, each pair once. Upstream's
// pass applies the same rewrite greedily, which takes quadratic time for chains
// and leaves alone what has several users.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "needle/Codegen/CPU/Passes.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUFUSEELEMENTWISE
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using namespace needle::cpu;

/// Operations in a fused body: a longer one spills registers, and each fusion
/// copies the body.
static constexpr size_t largestBody = 64;
/// Operations that are rather computed again for each element of a larger
/// consumer than stored.
static constexpr size_t cheapBody = 2;

namespace {

size_t countOps(linalg::GenericOp op) {
  return llvm::range_size(op.getBody()->without_terminator());
}

/// Whether all other users of the producer come after the consumer, so that
/// they can use what the fused operation yields in the producer's place.
bool isFirstUser(linalg::GenericOp producer, linalg::GenericOp consumer) {
  return llvm::all_of(producer->getUsers(), [&](Operation *user) {
    if (user == consumer)
      return true;
    // A body may read a tensor by its index: that of the consumer needs what
    // the producer has stored.
    Operation *ancestor = consumer->getBlock()->findAncestorOpInBlock(*user);
    return ancestor && ancestor != consumer &&
           consumer->isBeforeInBlock(ancestor);
  });
}

bool shouldFuse(OpOperand &operand) {
  auto consumer = cast<linalg::GenericOp>(operand.getOwner());
  auto producer = operand.get().getDefiningOp<linalg::GenericOp>();
  if (!producer || producer->getBlock() != consumer->getBlock() ||
      !linalg::areElementwiseOpsFusable(&operand))
    return false;
  size_t producerOps = countOps(producer);
  if (producerOps + countOps(consumer) > largestBody)
    return false;
  bool sameDomain = consumer.getMatchingIndexingMap(&operand).isPermutation();
  if (!sameDomain && producerOps > cheapBody)
    return false;
  if (llvm::all_of(producer->getUsers(),
                   [&](Operation *user) { return user == consumer; }))
    return true;
  return sameDomain && consumer.getNumReductionLoops() == 0 &&
         isFirstUser(producer, consumer);
}

struct FuseElementwisePass
    : public needle::cpu::impl::CPUFuseElementwiseBase<FuseElementwisePass> {
  using CPUFuseElementwiseBase::CPUFuseElementwiseBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](Block *block) {
      for (Operation &op : llvm::make_early_inc_range(*block))
        if (auto consumer = dyn_cast<linalg::GenericOp>(op))
          fuseInto(rewriter, consumer);
    });
    // What several parts of a body read is one operand.
    RewritePatternSet patterns(&getContext());
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }

private:
  void fuseInto(IRRewriter &rewriter, linalg::GenericOp consumer) {
    while (consumer) {
      linalg::GenericOp fused;
      for (OpOperand *operand : consumer.getDpsInputOperands())
        if (shouldFuse(*operand) && (fused = fuse(rewriter, *operand)))
          break;
      consumer = fused;
    }
  }

  linalg::GenericOp fuse(IRRewriter &rewriter, OpOperand &operand) {
    Operation *consumer = operand.getOwner();
    Operation *producer = operand.get().getDefiningOp();
    rewriter.setInsertionPoint(consumer);
    auto result = linalg::fuseElementwiseOps(rewriter, &operand);
    if (failed(result))
      return {};
    // The fused operation may still read another result of the producer; it is
    // fused next.
    for (auto [original, replacement] : result->replacements)
      rewriter.replaceUsesWithIf(original, replacement, [&](OpOperand &use) {
        return use.getOwner() != result->fusedOp;
      });
    rewriter.eraseOp(consumer);
    if (isOpTriviallyDead(producer))
      rewriter.eraseOp(producer);
    ++numFused;
    return cast<linalg::GenericOp>(result->fusedOp);
  }
};

} // namespace

//===- CollapseLoops.cpp - Fewer loops over contiguous buffers ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Merges adjacent dimensions of linalg.generic on buffers, so that innermost
// loops are long whatever the shape, and vectorize.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/PatternMatch.h"
#include "needle/Conversion/Passes.h"

namespace needle {
#define GEN_PASS_DEF_COLLAPSELOOPS
#include "needle/Conversion/Passes.h.inc"
} // namespace needle

using namespace mlir;

/// Whether the operand's indices hold all these loops in sequence, over memory
/// without gaps, or none of them. Pairs of them would not tell: an extent of 1
/// goes together with either neighbour, whatever the strides.
static bool isContiguous(Value operand, AffineMap map,
                         ArrayRef<int64_t> loops) {
  SmallVector<int64_t> positions;
  for (int64_t loop : loops)
    if (std::optional<unsigned> position =
            map.getResultPosition(getAffineDimExpr(loop, map.getContext())))
      positions.push_back(*position);
  if (positions.empty())
    return true;
  if (positions.size() != loops.size())
    return false;
  for (auto [i, position] : llvm::enumerate(positions))
    if (position != positions.front() + int64_t(i))
      return false;
  auto type = cast<MemRefType>(operand.getType());
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    if (i > positions.front() && i <= positions.back())
      groups.back().push_back(i);
    else
      groups.push_back({i});
  }
  return memref::CollapseShapeOp::isGuaranteedCollapsible(type, groups);
}

/// The sequences of loops that can be one.
static SmallVector<ReassociationIndices> findGroups(linalg::GenericOp op) {
  auto iterators = op.getIteratorTypesArray();
  SmallVector<ReassociationIndices> groups;
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    if (loop > 0 && iterators[loop] == iterators[loop - 1]) {
      groups.back().push_back(loop);
      if (llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
            return isContiguous(operand.get(),
                                op.getMatchingIndexingMap(&operand),
                                groups.back());
          }))
        continue;
      groups.back().pop_back();
    }
    groups.push_back({loop});
  }
  return groups;
}

static LogicalResult collapse(linalg::GenericOp op, RewriterBase &rewriter) {
  auto isSimple = [](Value operand, AffineMap map) {
    return isa<MemRefType>(operand.getType()) && map.isProjectedPermutation();
  };
  // The body of an operation with index semantics counts the loops as they are.
  if (!op.hasPureBufferSemantics() || op.hasIndexSemantics() ||
      !llvm::all_of_zip(op->getOperands(), op.getIndexingMapsArray(), isSimple))
    return success();
  SmallVector<ReassociationIndices> groups = findGroups(op);
  if (groups.size() == op.getNumLoops())
    return success();
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::CollapseResult> result =
      linalg::collapseOpIterationDims(op, groups, rewriter);
  if (failed(result))
    return op.emitOpError("cannot merge loops over contiguous buffers");
  rewriter.eraseOp(op);
  return success();
}

namespace {

struct CollapseLoopsPass
    : public needle::impl::CollapseLoopsBase<CollapseLoopsPass> {
  void runOnOperation() override {
    SmallVector<linalg::GenericOp> ops;
    getOperation()->walk([&](linalg::GenericOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::GenericOp op : ops)
      if (failed(collapse(op, rewriter)))
        return signalPassFailure();
  }
};

} // namespace

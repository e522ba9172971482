//===- PlanMemory.cpp - Buffers to one arena, weights to one section ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Replaces every allocation of an entry point by a view of its arena and every
// weight by a view of the weight section.
//
//===----------------------------------------------------------------------===//

#include "ArenaFunction.h"
#include "WeightSection.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "needle/Codegen/CPU/ArenaLayout.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Passes.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUPLANMEMORY
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using namespace needle::cpu;

namespace {

/// Positions of the operations in the body of an entry point.
using Order = DenseMap<Operation *, int64_t>;

/// From the first to the last operation of the body that uses the buffer or a
/// view of it; nothing if there is none. Erases deallocations.
std::optional<Lifetime> getLifetime(memref::AllocOp alloc,
                                    const BufferViewFlowAnalysis &views,
                                    const Order &order) {
  Block *body = alloc->getBlock();
  std::optional<Lifetime> lifetime;
  for (Value view : views.resolve(alloc.getResult()))
    for (Operation *user : llvm::make_early_inc_range(view.getUsers())) {
      if (isa<memref::DeallocOp>(user)) {
        user->erase();
        continue;
      }
      int64_t at = order.at(body->findAncestorOpInBlock(*user));
      lifetime = lifetime ? Lifetime{std::min(lifetime->first, at),
                                     std::max(lifetime->last, at)}
                          : Lifetime{at, at};
    }
  return lifetime;
}

LogicalResult verifyAlloc(memref::AllocOp alloc, func::FuncOp entry) {
  MemRefType type = alloc.getType();
  if (alloc->getBlock() != &entry.front())
    return alloc.emitOpError("cannot be planned: it is executed conditionally "
                             "or repeatedly");
  if (!type.getLayout().isIdentity() || type.getMemorySpace() ||
      !alloc.getSymbolOperands().empty())
    return alloc.emitOpError("cannot be planned: ")
           << type << " has a layout or memory space";
  if (!type.getElementType().isIntOrIndexOrFloat())
    return alloc.emitOpError("cannot be planned: its element type is ")
           << type.getElementType();
  return success();
}

/// Plans one entry point.
class EntryPlanner {
public:
  EntryPlanner(func::FuncOp entry, WeightSection &weights)
      : entry(entry), weights(weights) {}

  LogicalResult planWeights();
  LogicalResult planBuffers();

  unsigned numBuffers = 0;
  unsigned numSlots = 0;

private:
  LogicalResult collect();
  void replace(memref::AllocOp alloc, Value offset);

  func::FuncOp entry;
  WeightSection &weights;
  SmallVector<memref::AllocOp> staticAllocs, dynamicAllocs;
  SmallVector<StaticBuffer> staticBuffers;
  SmallVector<DynamicBuffer> dynamicBuffers;
};

LogicalResult EntryPlanner::planWeights() {
  Value section = getRuntimeArgument(entry, RuntimeArg::Weights);
  WalkResult result = entry.walk([&](WeightOp weight) {
    auto type = dyn_cast<MemRefType>(weight.getType());
    if (!type || !type.getLayout().isIdentity()) {
      weight.emitOpError("must be a contiguous buffer here, but is ")
          << weight.getType();
      return WalkResult::interrupt();
    }
    std::string reason;
    FailureOr<int64_t> offset = weights.place(weight.getValue(), reason);
    if (failed(offset)) {
      weight.emitOpError("cannot be stored: ") << reason;
      return WalkResult::interrupt();
    }
    OpBuilder builder(weight);
    Value at =
        arith::ConstantIndexOp::create(builder, weight.getLoc(), *offset);
    auto view = memref::ViewOp::create(builder, weight.getLoc(), type, section,
                                       at, ValueRange());
    weight.replaceAllUsesWith(view.getResult());
    weight.erase();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult EntryPlanner::collect() {
  SmallVector<memref::AllocOp> allocs;
  entry.walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
  Order order;
  for (Operation &op : entry.front())
    order[&op] = order.size();
  BufferViewFlowAnalysis views(entry);

  struct Dynamic {
    Lifetime lifetime;
    unsigned index;
    memref::AllocOp alloc;
  };
  SmallVector<Dynamic> dynamic;
  for (memref::AllocOp alloc : allocs) {
    if (failed(verifyAlloc(alloc, entry)))
      return failure();
    std::optional<Lifetime> lifetime = getLifetime(alloc, views, order);
    if (!lifetime) {
      alloc.erase();
      continue;
    }
    ++numBuffers;
    std::optional<int64_t> bytes = getStaticBytes(alloc.getType());
    if (!bytes)
      return alloc.emitOpError("is larger than any memory");
    if (!alloc.getType().hasStaticShape()) {
      dynamic.push_back({*lifetime, unsigned(dynamic.size()), alloc});
      continue;
    }
    staticAllocs.push_back(alloc);
    staticBuffers.push_back({*lifetime, *bytes});
  }
  llvm::sort(dynamic, [](const Dynamic &a, const Dynamic &b) {
    return std::tuple(a.lifetime.first, a.index) <
           std::tuple(b.lifetime.first, b.index);
  });
  for (auto &[lifetime, index, alloc] : dynamic) {
    DynamicBuffer buffer{lifetime, *getStaticBytes(alloc.getType()), {}};
    for (Value size : alloc.getDynamicSizes())
      buffer.factors.push_back(uintptr_t(size.getAsOpaquePointer()));
    llvm::sort(buffer.factors);
    dynamicAllocs.push_back(alloc);
    dynamicBuffers.push_back(std::move(buffer));
  }
  return success();
}

LogicalResult EntryPlanner::planBuffers() {
  if (failed(collect()))
    return failure();
  int64_t staticBytes = placeStaticBuffers(staticBuffers);
  numSlots = assignSlots(dynamicBuffers);

  ArenaFunction function(entry, staticBytes, numSlots);
  for (auto [alloc, buffer] : llvm::zip_equal(dynamicAllocs, dynamicBuffers))
    if (failed(function.addToSlot(buffer.slot, alloc)))
      return failure();
  SmallVector<Value> offsets = function.finish();

  for (auto [alloc, buffer] : llvm::zip_equal(dynamicAllocs, dynamicBuffers))
    replace(alloc, offsets[buffer.slot]);
  for (auto [alloc, buffer] : llvm::zip_equal(staticAllocs, staticBuffers)) {
    OpBuilder builder(alloc);
    replace(alloc, arith::ConstantIndexOp::create(builder, alloc.getLoc(),
                                                  buffer.offset));
  }
  return success();
}

/// memref.alloc(%d) : T  →  memref.view %arena[offset][%d] : T
void EntryPlanner::replace(memref::AllocOp alloc, Value offset) {
  OpBuilder builder(alloc);
  auto view =
      memref::ViewOp::create(builder, alloc.getLoc(), alloc.getType(),
                             getRuntimeArgument(entry, RuntimeArg::Arena),
                             offset, alloc.getDynamicSizes());
  alloc.replaceAllUsesWith(view.getResult());
  alloc.erase();
}

struct PlanMemoryPass : needle::cpu::impl::CPUPlanMemoryBase<PlanMemoryPass> {
  void runOnOperation() override {
    WeightSection weights;
    for (auto entry :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (!isEntryPoint(entry))
        continue;
      EntryPlanner planner(entry, weights);
      if (failed(verifyBufferEntryPoint(entry)) ||
          failed(planner.planWeights()) || failed(planner.planBuffers()))
        return signalPassFailure();
      numBuffers += planner.numBuffers;
      numSlots += planner.numSlots;
    }
    numWeights += weights.getNumWeights();
    if (Attribute section = weights.build(&getContext()))
      getOperation()->setAttr(weightsAttr, section);
  }
};

} // namespace

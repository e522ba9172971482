//===- MarkSteps.cpp - Announce each step to the runtime ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers the kernels of each entry point, records what they are, and calls the
// frame's markStep before each.
//
//===----------------------------------------------------------------------===//

#include "FrameAccess.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "needle-rt/abi.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Passes.h"
#include "needle/Dialect/NeedleCPU/IR/Window.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CheckedArithmetic.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUMARKSTEPS
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using namespace needle::cpu;

namespace {

bool isStep(Operation *op) {
  return isa<linalg::LinalgOp, LoopLikeOpInterface, MatmulOp, QMatmulOp,
             QMatmulBlockwiseOp, PackRhsOp>(op);
}

/// What kind of loop nest an operation is or becomes.
StringRef classify(Operation *step) {
  auto op = dyn_cast<linalg::LinalgOp>(step);
  if (!op)
    return step->getNumResults() > 0 ? "reduce" : "loop";
  if (op.getNumReductionLoops() > 0)
    return "reduce";
  bool moves = llvm::hasSingleElement(op.getBlock()->getOperations());
  if (!moves)
    return "elementwise";
  Value moved = op.getBlock()->getTerminator()->getOperand(0);
  auto argument = dyn_cast<BlockArgument>(moved);
  if (!argument || op.isScalar(&op->getOpOperand(argument.getArgNumber())))
    return "fill";
  return llvm::all_of(op.getIndexingMapsArray(),
                      [](AffineMap map) { return map.isIdentity(); })
             ? "copy"
             : "transpose";
}

/// The locations of an operation and of all in its body: loops that have been
/// fused are known by their bodies.
Location getFullLocation(Operation *op) {
  SmallVector<Location> locations;
  op->walk([&](Operation *part) {
    if (!part->hasTrait<OpTrait::IsTerminator>())
      locations.push_back(part->getLoc());
  });
  return FusedLoc::get(op->getContext(), locations);
}

/// The needle operations that a location goes back to, see TagOrigins.
void collectOrigins(Location location, SetVector<StringRef> &origins) {
  auto fused = dyn_cast<FusedLoc>(location);
  if (!fused)
    return;
  if (auto tag = dyn_cast_or_null<StringAttr>(fused.getMetadata()))
    origins.insert(tag.getValue());
  for (Location part : fused.getLocations())
    collectOrigins(part, origins);
}

/// Terms in one sum of a contraction; dynamic if that is not static.
template <typename Op>
int64_t getDepth(Op op) {
  return getContractionExtents(op.getLhs().getType(), op.getTransposeLhs(),
                               op.getWindow())
      .depth;
}
int64_t getDepth(QMatmulBlockwiseOp op) {
  return cast<ShapedType>(op.getLhs().getType()).getDimSize(1);
}

/// M·N·K of a contraction; -1 if that is not static or beyond an int64.
int64_t countMacs(Operation *op) {
  auto count = [](auto op) -> int64_t {
    auto dest = cast<ShapedType>(op.getDest().getType());
    int64_t depth = getDepth(op);
    if (!dest.hasStaticShape() || ShapedType::isDynamic(depth))
      return -1;
    std::optional<int64_t> macs = depth;
    for (int64_t extent : dest.getShape())
      macs = macs ? llvm::checkedMul(*macs, extent) : std::nullopt;
    return macs.value_or(-1);
  };
  return TypeSwitch<Operation *, int64_t>(op)
      .Case<MatmulOp, QMatmulOp, QMatmulBlockwiseOp>(count)
      .Default([](Operation *) { return 0; });
}

DictionaryAttr describe(Operation *op) {
  Builder builder(op->getContext());
  Location location = getFullLocation(op);
  SetVector<StringRef> origins;
  collectOrigins(location, origins);
  std::string origin = origins.empty() ? op->getName().getStringRef().str()
                                       : llvm::join(origins, " + ");
  auto kernel = op->getAttrOfType<StringAttr>(kernelAttr);
  if (!kernel && isa<linalg::LinalgOp, LoopLikeOpInterface>(op))
    kernel = builder.getStringAttr(classify(op));
  if (!kernel)
    return {};
  auto note = op->getAttrOfType<StringAttr>(kernelNoteAttr);
  return builder.getDictionaryAttr({
      builder.getNamedAttr("kernel", kernel),
      builder.getNamedAttr("op", builder.getStringAttr(origin)),
      builder.getNamedAttr("location",
                           builder.getStringAttr(formatLocation(location))),
      builder.getNamedAttr("note", note ? note : builder.getStringAttr("")),
      builder.getNamedAttr("macs", builder.getI64IntegerAttr(countMacs(op))),
  });
}

LogicalResult markSteps(func::FuncOp entry) {
  if (failed(verifyBufferEntryPoint(entry)))
    return failure();
  SmallVector<Operation *> steps;
  for (Operation &op : entry.front())
    if (isStep(&op))
      steps.push_back(&op);
  SmallVector<Attribute> records;
  for (Operation *op : steps) {
    records.push_back(describe(op));
    if (!records.back())
      return op->emitOpError("has no kernel: attribute '")
             << kernelAttr << "' is missing";
  }
  entry->setAttr(stepsAttr, ArrayAttr::get(entry.getContext(), records));
  if (steps.empty())
    return success();

  ImplicitLocOpBuilder builder(entry.getLoc(), &entry.front().front());
  Value frame = getRuntimeArgument(entry, RuntimeArg::Frame);
  Value runtime = loadFramePointer(builder, frame, FrameWord::Runtime);
  Value mark = loadFramePointer(builder, frame, FrameWord::MarkStep);
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(entry.getContext()),
                                  {runtime.getType(), builder.getI64Type()});
  auto emitMark = [&](int64_t step) {
    Value index = LLVM::ConstantOp::create(builder, builder.getI64Type(), step);
    LLVM::CallOp::create(builder, type, ValueRange{mark, runtime, index});
  };
  for (auto [i, op] : llvm::enumerate(steps)) {
    builder.setInsertionPoint(op);
    builder.setLoc(op->getLoc());
    emitMark(i);
  }
  builder.setInsertionPointAfter(steps.back());
  emitMark(NDL_STEP_END);
  return success();
}

struct MarkStepsPass : needle::cpu::impl::CPUMarkStepsBase<MarkStepsPass> {
  void runOnOperation() override {
    for (auto entry : getOperation().getOps<func::FuncOp>())
      if (isEntryPoint(entry) && failed(markSteps(entry)))
        return signalPassFailure();
  }
};

} // namespace

//===- ProveByteDots.cpp - Saturating dot products where they are exact ---===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides for each constant right-hand side of i8 how it is multiplied.
//
//===----------------------------------------------------------------------===//

#include "KernelSelection.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "needle/Codegen/CPU/ByteDots.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Passes.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUPROVEBYTEDOTS
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using needle::ConstantData;
using namespace needle::cpu;

/// A weight of `values` in a blob named after that of `like`.
template <typename T>
static Value createWeight(OpBuilder &builder, WeightOp like, StringRef suffix,
                          ArrayRef<int64_t> shape, Type element,
                          ArrayRef<T> values) {
  std::string name = "weights";
  if (auto blob = dyn_cast<DenseResourceElementsAttr>(like.getValue()))
    name = blob.getRawHandle().getKey().str();
  auto type = RankedTensorType::get(shape, element);
  auto attribute = DenseResourceElementsAttr::get(
      type, (name + suffix).str(),
      HeapAsmResourceBlob::allocateAndCopyInferAlign(values));
  return WeightOp::create(builder, like.getLoc(), type, attribute);
}

namespace {

struct ProveByteDotsPass
    : public needle::cpu::impl::CPUProveByteDotsBase<ProveByteDotsPass> {
  using CPUProveByteDotsBase::CPUProveByteDotsBase;

  void runOnOperation() override {
    const CPUTarget *description = lookupCPUTarget(getOperation(), target);
    if (!description)
      return signalPassFailure();
    // Quads are exact whatever the weights.
    if (!description->has(DotForm::Bytes) || description->has(DotForm::Quads))
      return;
    WalkResult result = getOperation().walk([&](QMatmulOp op) {
      return failed(decide(op, *description)) ? WalkResult::interrupt()
                                              : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult decide(QMatmulOp op, const CPUTarget &description) {
    auto weight = op.getRhs().getDefiningOp<WeightOp>();
    auto type = dyn_cast<RankedTensorType>(op.getRhs().getType());
    if (!weight || !type || !type.getElementType().isInteger(8) ||
        op.getByteSteps() != 0 || type.getNumElements() == 0)
      return success();
    ArrayRef<int64_t> shape = type.getShape();
    int64_t groups = shape[1] - 1;
    // Sums beyond i32 are formed of pairs, by a kernel that reads rhs alone.
    ContractionKernels kernels = selectKernels(op, description);
    if (!kernels.narrow ||
        (kernels.wide && 4 * groups > getMaxDepth(*kernels.narrow)))
      return success();
    auto data =
        ConstantData<int8_t>::get(weight.getValue(), type.getNumElements());
    if (!data)
      return op.emitOpError("cannot read the elements of its constant rhs");
    std::vector<int8_t> storage;
    ByteDecision decision =
        chooseByteDots({data->getValues(storage), shape[0], groups, shape[2]});
    op->setAttr(kernelNoteAttr,
                StringAttr::get(op.getContext(), decision.note));
    if (decision.steps == 0)
      return success();
    op.setByteSteps(decision.steps);
    ++numProven;
    if (decision.split)
      split(op, weight, *decision.split);
    return success();
  }

  ///   %w = needle_cpu.weight → main and rest, main + rest = %w
  void split(QMatmulOp op, WeightOp weight, const SplitWeights &parts) {
    OpBuilder builder(op);
    Type i8 = builder.getI8Type(), i32 = builder.getI32Type();
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(op.getRhs().getType()).getShape();
    op.getRhsMutable().assign(
        createWeight<int8_t>(builder, weight, "_main", shape, i8, parts.main));
    op.getRestMutable().assign(createWeight<int8_t>(
        builder, weight, "_rest", {shape[0], parts.extra, shape[2], 4}, i8,
        parts.rest));
    op.getRestGroupsMutable().assign(
        createWeight<int32_t>(builder, weight, "_rest_groups",
                              {shape[0], parts.extra}, i32, parts.restGroups));
    if (weight->use_empty())
      weight.erase();
    ++numSplit;
  }
};

} // namespace

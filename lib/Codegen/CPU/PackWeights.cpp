//===- PackWeights.cpp - Packs constant right-hand sides ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluates needle_cpu.pack_rhs of constants at compile time.
//
//===----------------------------------------------------------------------===//

#include "PackBlockwise.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "needle/Codegen/CPU/Packing.h"
#include "needle/Codegen/CPU/Passes.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUPACKWEIGHTS
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using namespace needle;
using namespace needle::cpu;

/// A weight that holds `packed`, in a blob named after `hint`.
template <typename T>
static ElementsAttr makeWeight(RankedTensorType type, StringRef hint,
                               ArrayRef<T> packed) {
  // An empty blob does not survive being printed and parsed.
  if (packed.empty())
    return DenseElementsAttr::get(type, ArrayRef<T>());
  return DenseResourceElementsAttr::get(
      type, hint, HeapAsmResourceBlob::allocateAndCopyInferAlign(packed));
}

static std::string getBlobName(ElementsAttr value) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    return resource.getRawHandle().getKey().str() + "_packed";
  return "packed";
}

/// Packs the constant `value` for `op`.
static FailureOr<ElementsAttr> packConstant(PackRhsOp op, ElementsAttr value) {
  auto destType = cast<RankedTensorType>(op.getDest().getType());
  bool transposed = op.getTransposed();
  ArrayRef<int64_t> shape = value.getShapedType().getShape();
  RhsShape rhs{shape[transposed ? 1 : 0], shape[transposed ? 0 : 1], transposed,
               static_cast<int64_t>(op.getGroups())};
  std::string name = getBlobName(value);
  int64_t panel = destType.getDimSize(2);
  int64_t numElements = value.getNumElements();
  if (destType.getElementType().isF32()) {
    auto data = ConstantData<float>::get(value, numElements);
    if (!data)
      return failure();
    std::vector<float> storage;
    return makeWeight<float>(
        destType, name, packFloatRhs(data->getValues(storage), rhs, panel));
  }
  auto data = ConstantData<int8_t>::get(value, numElements);
  if (!data)
    return failure();
  std::vector<int8_t> storage;
  ArrayRef<int8_t> source = data->getValues(storage);
  if (destType.getElementType().isInteger(8))
    return makeWeight<int8_t>(destType, name,
                              packIntegerRhs(source, rhs, panel));
  static constexpr int32_t noZeroPoint[] = {0};
  ArrayRef<int32_t> zeroPoints = op.getZeroPoints().value_or(noZeroPoint);
  return makeWeight<int16_t>(
      destType, name,
      packWideRhs(source, op.getSourceUnsigned(), zeroPoints, rhs, panel));
}

namespace {

struct PackWeightsPass
    : public needle::cpu::impl::CPUPackWeightsBase<PackWeightsPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    WalkResult result = getOperation().walk([&](PackRhsOp op) {
      return failed(packIfConstant(op, rewriter)) ? WalkResult::interrupt()
                                                  : WalkResult::advance();
    });
    if (!result.wasInterrupted())
      result = getOperation().walk([&](PackBlockwiseOp op) {
        ++numPacked;
        return failed(packBlockwise(op, rewriter)) ? WalkResult::interrupt()
                                                   : WalkResult::advance();
      });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  /// pack_rhs(weight) → weight
  LogicalResult packIfConstant(PackRhsOp op, IRRewriter &rewriter) {
    auto weight = op.getSource().getDefiningOp<WeightOp>();
    if (!weight || op.getZeroPoint() || op.getResults().empty())
      return success();
    FailureOr<ElementsAttr> packed = packConstant(op, weight.getValue());
    if (failed(packed))
      return op.emitOpError("cannot read the elements of its constant source");
    rewriter.setInsertionPoint(op);
    rewriter.replaceOpWithNewOp<WeightOp>(op, op.getResult(0).getType(),
                                          *packed);
    if (weight->use_empty())
      rewriter.eraseOp(weight);
    ++numPacked;
    return success();
  }
};

} // namespace

//===- BlockwiseOps.cpp - Products with 4-bit weights ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and memory effects of pack_blockwise and qmatmul_blockwise.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/NeedleCPU/IR/BlockwiseLayout.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"
#include "needle/Quantization/Blockwise.h"

using namespace mlir;
using namespace needle::cpu;

/// The layout that attributes describe, or an error at `op`.
static FailureOr<BlockwiseLayout> getLayout(Operation *op, int64_t blockSize,
                                            int64_t panel, bool asymmetric) {
  if (!needle::isValidBlockSize(blockSize))
    return op->emitOpError()
           << "block_size must be a power of two from " << needle::kMinBlockSize
           << " to " << needle::kMaxBlockSize << ", got " << blockSize;
  if (panel < 4 || panel % 4 != 0)
    return op->emitOpError()
           << "panel must be a positive multiple of 4, got " << panel;
  return BlockwiseLayout{blockSize, asymmetric, panel};
}

//===----------------------------------------------------------------------===//
// pack_blockwise
//===----------------------------------------------------------------------===//

LogicalResult PackBlockwiseOp::verify() {
  FailureOr<BlockwiseLayout> layout =
      getLayout(*this, getBlockSize(), getPanel(), bool(getZeroPoints()));
  if (failed(layout))
    return failure();
  RankedTensorType source = getSource().getType();
  if (!source.hasStaticShape())
    return emitOpError() << "source must have a static shape, got " << source;
  int64_t depth = source.getDimSize(0), columns = source.getDimSize(1);
  int64_t perBlock[] = {layout->blocks(depth), columns};
  for (auto [name, value] : {std::pair<StringRef, Value>("scales", getScales()),
                             {"zero_points", getZeroPoints()}})
    if (value && cast<ShapedType>(value.getType()).getShape() !=
                     ArrayRef<int64_t>(perBlock))
      return emitOpError() << name << " must have shape " << perBlock[0] << "x"
                           << columns << ", got " << value.getType();
  int64_t expected[] = {layout->panels(columns), layout->panelBytes(depth)};
  if (getType().getShape() != ArrayRef<int64_t>(expected))
    return emitOpError() << "result must have shape " << expected[0] << "x"
                         << expected[1] << ", got " << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// qmatmul_blockwise
//===----------------------------------------------------------------------===//

void QMatmulBlockwiseOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : (*this)->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    bool isWorkspace = operand.get() == getWorkspace();
    if (isWorkspace || isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    if (isWorkspace || isDpsInput(&operand))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

/// Either tensors or memrefs, of rank 2 and the expected elements; kernels take
/// those but lhs with contiguous rows.
static LogicalResult verifyOperands(QMatmulBlockwiseOp op) {
  Type f32 = Float32Type::get(op.getContext());
  Type i8 = IntegerType::get(op.getContext(), 8);
  bool onTensors = isa<TensorType>(op.getDest().getType());
  for (auto [name, value, element] :
       {std::tuple<StringRef, Value, Type>("lhs", op.getLhs(), f32),
        {"rhs", op.getRhs(), i8},
        {"dest", op.getDest(), f32},
        {"workspace", op.getWorkspace(), i8}}) {
    if (!value)
      continue;
    auto type = cast<ShapedType>(value.getType());
    if (type.getRank() != 2 || type.getElementType() != element)
      return op.emitOpError() << name << " must have rank 2 and element type "
                              << element << ", but is " << type;
    if (isa<TensorType>(type) != onTensors)
      return op.emitOpError("mixes tensors and memrefs");
    auto memref = dyn_cast<MemRefType>(type);
    if (memref && name != "lhs" && !memref.isLastDimUnitStride())
      return op.emitOpError()
             << name << " must have contiguous rows, but is " << memref;
  }
  if (op.getWorkspace() && onTensors)
    return op.emitOpError("has a workspace on memrefs only");
  return success();
}

LogicalResult QMatmulBlockwiseOp::verify() {
  FailureOr<BlockwiseLayout> layout =
      getLayout(*this, getBlockSize(), getPanel(), getAsymmetric());
  if (failed(layout) || failed(verifyOperands(*this)))
    return failure();
  auto same = [&](int64_t a, StringRef aName, int64_t b, StringRef bName) {
    if (ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b)
      return LogicalResult::success();
    return LogicalResult(emitOpError() << aName << " is " << a << ", but "
                                       << bName << " is " << b);
  };
  ShapedType lhs = getLhs().getType(), rhs = getRhs().getType();
  ShapedType dest = getDest().getType();
  int64_t depth = lhs.getDimSize(1), columns = dest.getDimSize(1);
  if (failed(
          same(lhs.getDimSize(0), "M of lhs", dest.getDimSize(0), "M of dest")))
    return failure();
  if (!ShapedType::isDynamic(columns) &&
      failed(same(rhs.getDimSize(0), "the number of panels",
                  layout->panels(columns), "N divided by the panel width")))
    return failure();
  if (ShapedType::isDynamic(depth))
    return success();
  return same(rhs.getDimSize(1), "the size of a panel",
              layout->panelBytes(depth), "what K asks for");
}

//===- PackBlockwise.cpp - Packs constant 4-bit weights -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackBlockwise.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "needle/Codegen/CPU/BlockwiseKernel.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Quantization/Blockwise.h"

using namespace mlir;
using namespace needle;
using namespace needle::cpu;

namespace {
/// The elements of a constant operand.
template <typename T>
struct Elements {
  std::vector<T> storage;
  ArrayRef<T> values;

  /// An error at `op` if `operand` is not constant.
  LogicalResult read(PackBlockwiseOp op, StringRef name, Value operand) {
    auto weight = operand.getDefiningOp<WeightOp>();
    if (!weight)
      return op.emitError() << "the " << name
                            << " of a 4-bit weight are not constant; compiled "
                               "code needs its integers, scales and zero "
                               "points as constants";
    auto data = ConstantData<T>::get(weight.getValue(),
                                     weight.getValue().getNumElements());
    if (!data)
      return op.emitError() << "cannot read the elements of the " << name;
    values = data->getValues(storage);
    return success();
  }
};
} // namespace

/// An error at `op` if some of `values` do not fit 4 bits.
static LogicalResult verify4Bits(PackBlockwiseOp op, StringRef name,
                                 ArrayRef<int8_t> values, bool isUnsigned) {
  std::optional<int64_t> wider = findWiderThan4Bits(values, isUnsigned);
  if (!wider)
    return success();
  int8_t value = values[*wider];
  return op.emitError() << "the " << name << " of a 4-bit weight must be from "
                        << (isUnsigned ? "0 to 15" : "-8 to 7")
                        << ", but element " << *wider << " is "
                        << (isUnsigned ? int(uint8_t(value)) : int(value));
}

LogicalResult needle::cpu::packBlockwise(PackBlockwiseOp op,
                                         RewriterBase &rewriter) {
  Elements<int8_t> stored, zeroPoints;
  Elements<float> scales;
  bool asymmetric = bool(op.getZeroPoints());
  if (failed(stored.read(op, "integers", op.getSource())) ||
      failed(scales.read(op, "scales", op.getScales())) ||
      failed(verify4Bits(op, "integers", stored.values, asymmetric)))
    return failure();
  if (asymmetric &&
      (failed(zeroPoints.read(op, "zero points", op.getZeroPoints())) ||
       failed(verify4Bits(op, "zero points", zeroPoints.values, true))))
    return failure();

  RankedTensorType source = op.getSource().getType();
  BlockwiseLayout layout{static_cast<int64_t>(op.getBlockSize()), asymmetric,
                         static_cast<int64_t>(op.getPanel())};
  ArrayRef<int8_t> zeros = zeroPoints.values;
  std::vector<int8_t> packed = packBlockwise(
      layout, source.getDimSize(0), source.getDimSize(1), stored.values,
      scales.values,
      {reinterpret_cast<const uint8_t *>(zeros.data()), zeros.size()});
  // An empty blob does not survive being printed and parsed.
  ElementsAttr value = packed.empty()
                           ? ElementsAttr(DenseElementsAttr::get(
                                 op.getType(), ArrayRef<int8_t>(packed)))
                           : DenseResourceElementsAttr::get(
                                 op.getType(), "blockwise_packed",
                                 HeapAsmResourceBlob::allocateAndCopyInferAlign(
                                     ArrayRef<int8_t>(packed)));
  SmallVector<Value> operands(op->getOperands());
  rewriter.setInsertionPoint(op);
  rewriter.replaceOpWithNewOp<WeightOp>(op, op.getType(), value);
  for (Value operand : operands)
    if (operand.use_empty())
      rewriter.eraseOp(operand.getDefiningOp());
  return success();
}

//===- BufferizableOpInterface.cpp - From tensors to memrefs --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How one-shot bufferization turns needle_cpu operations into themselves on
// memrefs.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace {

/// Whether kernels can read `buffer` where it lies. Of images only the channels
/// are neighbours, a matrix has any strides, and all else is one block.
template <typename OpT>
bool isReadInPlace(OpT op, OpOperand &operand, MemRefType buffer) {
  if constexpr (llvm::is_one_of<OpT, needle::cpu::MatmulOp,
                                needle::cpu::QMatmulOp>::value) {
    if (op.isDpsInit(&operand) || buffer.getRank() == 0)
      return true;
    if (&operand == &op.getLhsMutable())
      return !op.getWindow() || buffer.isLastDimUnitStride();
    bool isRow = buffer.getRank() == 1 && buffer.isLastDimUnitStride();
    return isRow || buffer.getLayout().isIdentity();
  }
  return true;
}

/// A copy of `buffer` as one block.
FailureOr<Value> copyToBlock(RewriterBase &rewriter, Location loc, Value buffer,
                             const BufferizationOptions &options) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(memref::DimOp::create(rewriter, loc, buffer, i));
  auto block = MemRefType::get(type.getShape(), type.getElementType());
  FailureOr<Value> copy = options.createAlloc(rewriter, loc, block, sizes);
  if (failed(copy) ||
      failed(options.createMemCpy(rewriter, loc, buffer, *copy)))
    return failure();
  return copy;
}

///   %r = needle_cpu.matmul ins(%a, %b) outs(%dest) -> tensor<…>
/// → needle_cpu.matmul ins(%a, %b) outs(%dest) on memrefs; %r is %dest.
/// Inputs that do not lie as kernels read them are copied.
template <typename OpT>
struct DestinationOpModel
    : DstBufferizableOpInterfaceExternalModel<DestinationOpModel<OpT>, OpT> {
  /// The destination is overwritten as a whole, so what it held is never read
  /// and needs no copy.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &state) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    SmallVector<Value> buffers;
    for (OpOperand &operand : op->getOpOperands()) {
      FailureOr<Value> buffer =
          getBuffer(rewriter, operand.get(), options, state);
      if (failed(buffer))
        return failure();
      if (!isReadInPlace(cast<OpT>(op), operand,
                         cast<MemRefType>(buffer->getType())))
        buffer = copyToBlock(rewriter, op->getLoc(), *buffer, options);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    auto newOp = cast<DestinationStyleOpInterface>(
        clone(rewriter, op, /*newResultTypes=*/TypeRange(), buffers));
    replaceOpWithBufferizedValues(rewriter, op,
                                  newOp.getDpsInitOperand(0)->get());
    return success();
  }
};

///   needle_cpu.weight dense<…> -> tensor<4xf32>
/// → needle_cpu.weight dense<…> -> memref<4xf32>, never written.
struct WeightModel
    : BufferizableOpInterface::ExternalModel<WeightModel,
                                             needle::cpu::WeightOp> {
  bool isWritable(Operation *, Value, const AnalysisState &) const {
    return false;
  }

  FailureOr<BufferLikeType> getBufferType(Operation *, Value value,
                                          const BufferizationOptions &,
                                          const BufferizationState &,
                                          SmallVector<Value> &) const {
    auto type = cast<RankedTensorType>(value.getType());
    return cast<BufferLikeType>(
        MemRefType::get(type.getShape(), type.getElementType()));
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &,
                          BufferizationState &) const {
    auto weight = cast<needle::cpu::WeightOp>(op);
    auto type = cast<RankedTensorType>(weight.getResult().getType());
    replaceOpWithNewBufferizedOp<needle::cpu::WeightOp>(
        rewriter, op, MemRefType::get(type.getShape(), type.getElementType()),
        weight.getValue());
    return success();
  }
};

} // namespace

void needle::cpu::registerBufferizableOpInterfaceModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, NeedleCPUDialect *) {
    WeightOp::attachInterface<WeightModel>(*context);
    PackRhsOp::attachInterface<DestinationOpModel<PackRhsOp>>(*context);
    MatmulOp::attachInterface<DestinationOpModel<MatmulOp>>(*context);
    QMatmulOp::attachInterface<DestinationOpModel<QMatmulOp>>(*context);
    QMatmulBlockwiseOp::attachInterface<DestinationOpModel<QMatmulBlockwiseOp>>(
        *context);
  });
}

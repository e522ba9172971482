//===- ShapeUtils.cpp - Shapes of needle's operations -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Infers, verifies and reifies shapes for the operation families.
//
//===----------------------------------------------------------------------===//

#include "ShapeUtils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace needle;

FailureOr<int64_t> needle::mergeDims(int64_t lhs, int64_t rhs) {
  if (ShapedType::isDynamic(lhs))
    return rhs;
  if (ShapedType::isDynamic(rhs) || lhs == rhs)
    return lhs;
  return failure();
}

/// Dimension `i` counted from the end, 1 where the shape has none.
static int64_t dimFromEnd(ArrayRef<int64_t> shape, size_t i) {
  return i < shape.size() ? shape[shape.size() - 1 - i] : 1;
}

FailureOr<SmallVector<int64_t>>
needle::inferBroadcastShape(std::optional<Location> loc, StringRef opName,
                            RankedTensorType lhs, RankedTensorType rhs) {
  size_t rank = std::max(lhs.getRank(), rhs.getRank());
  SmallVector<int64_t> shape(rank);
  for (size_t i = 0; i < rank; ++i) {
    int64_t l = dimFromEnd(lhs.getShape(), i);
    int64_t r = dimFromEnd(rhs.getShape(), i);
    FailureOr<int64_t> dim = l == 1 ? r : r == 1 ? l : mergeDims(l, r);
    if (failed(dim))
      return emitOptionalError(loc, "'", opName, "' op cannot broadcast lhs ",
                               lhs, " with rhs ", rhs, ": dimension ",
                               rank - 1 - i, " of the result is ", l,
                               " in lhs and ", r, " in rhs");
    shape[rank - 1 - i] = *dim;
  }
  return shape;
}

SmallVector<OpFoldResult> needle::reifyBroadcast(OpBuilder &builder,
                                                 Location loc, Value result,
                                                 Value lhs, Value rhs) {
  auto lhsType = cast<RankedTensorType>(lhs.getType());
  auto rhsType = cast<RankedTensorType>(rhs.getType());
  int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
  SmallVector<std::pair<Value, int64_t>> sources;
  for (int64_t i = 0; i < rank; ++i) {
    int64_t l = i - (rank - lhsType.getRank());
    int64_t r = i - (rank - rhsType.getRank());
    bool fromLhs = r < 0 || (l >= 0 && lhsType.getDimSize(l) != 1);
    sources.push_back(fromLhs ? std::pair(lhs, l) : std::pair(rhs, r));
  }
  return reifyDims(builder, loc, result, sources);
}

static LogicalResult verifyRank(std::optional<Location> loc, StringRef opName,
                                StringRef operand, RankedTensorType type,
                                int64_t rank, StringRef layout) {
  if (type.getRank() == rank)
    return success();
  return emitOptionalError(loc, "'", opName, "' op ", operand,
                           " must have rank ", rank, " (", layout, "), got ",
                           type);
}

FailureOr<SmallVector<int64_t>>
needle::inferMatmulShape(std::optional<Location> loc, StringRef opName,
                         const MatmulOperandTypes &types) {
  auto [lhs, rhs, bias, transposeLhs, transposeRhs] = types;
  if (failed(verifyRank(loc, opName, "lhs", lhs, 2,
                        transposeLhs ? "K x M" : "M x K")) ||
      failed(verifyRank(loc, opName, "rhs", rhs, 2,
                        transposeRhs ? "N x K" : "K x N")) ||
      (bias && failed(verifyRank(loc, opName, "bias", bias, 1, "N"))))
    return failure();
  int64_t lhsK = lhs.getDimSize(transposeLhs ? 0 : 1);
  int64_t rhsK = rhs.getDimSize(transposeRhs ? 1 : 0);
  if (failed(mergeDims(lhsK, rhsK)))
    return emitOptionalError(loc, "'", opName, "' op K differs: it is ", lhsK,
                             " in lhs ", lhs, ", but ", rhsK, " in rhs ", rhs);
  int64_t n = rhs.getDimSize(transposeRhs ? 0 : 1);
  if (bias) {
    FailureOr<int64_t> merged = mergeDims(n, bias.getDimSize(0));
    if (failed(merged))
      return emitOptionalError(loc, "'", opName, "' op N differs: it is ", n,
                               " in rhs ", rhs, ", but ", bias.getDimSize(0),
                               " in bias ", bias);
    n = *merged;
  }
  return SmallVector<int64_t>{lhs.getDimSize(transposeLhs ? 1 : 0), n};
}

LogicalResult needle::verifySameShape(Operation *op, Value operand,
                                      Value result) {
  if (succeeded(verifyCompatibleShape(operand.getType(), result.getType())))
    return success();
  return op->emitOpError() << "result must have the shape of the operand "
                           << operand.getType() << ", got " << result.getType();
}

SmallVector<OpFoldResult>
needle::reifyDims(OpBuilder &builder, Location loc, Value result,
                  ArrayRef<std::pair<Value, int64_t>> sources) {
  auto type = cast<RankedTensorType>(result.getType());
  SmallVector<OpFoldResult> dims;
  for (auto [size, source] : llvm::zip_equal(type.getShape(), sources))
    dims.push_back(
        ShapedType::isDynamic(size)
            ? tensor::getMixedSize(builder, loc, source.first, source.second)
            : OpFoldResult(builder.getIndexAttr(size)));
  return dims;
}

SmallVector<OpFoldResult> needle::reifySameShape(OpBuilder &builder,
                                                 Location loc, Value result,
                                                 Value operand) {
  SmallVector<std::pair<Value, int64_t>> sources;
  int64_t rank = cast<RankedTensorType>(operand.getType()).getRank();
  for (int64_t i = 0; i < rank; ++i)
    sources.emplace_back(operand, i);
  return reifyDims(builder, loc, result, sources);
}

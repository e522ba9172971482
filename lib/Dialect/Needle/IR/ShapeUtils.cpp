//===- ShapeUtils.cpp - Shapes of needle's operations -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Infers and verifies shapes for the operation families.
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
                            ValueRange operands,
                            ArrayRef<StringLiteral> roles) {
  auto typeOf = [&](size_t operand) {
    return cast<RankedTensorType>(operands[operand].getType());
  };
  int64_t rank = 0;
  for (size_t k = 0; k < roles.size(); ++k)
    rank = std::max(rank, typeOf(k).getRank());
  SmallVector<int64_t> shape(rank, 1);
  for (int64_t i = 0; i < rank; ++i) {
    int64_t &dim = shape[rank - 1 - i];
    size_t source = 0;
    for (size_t k = 0; k < roles.size(); ++k) {
      int64_t other = dimFromEnd(typeOf(k).getShape(), i);
      FailureOr<int64_t> merged = dim == 1     ? other
                                  : other == 1 ? dim
                                               : mergeDims(dim, other);
      if (failed(merged))
        return emitOptionalError(
            loc, "'", opName, "' op cannot broadcast ", roles[source], " ",
            typeOf(source), " with ", roles[k], " ", typeOf(k), ": dimension ",
            rank - 1 - i, " of the result is ", dim, " in ", roles[source],
            " and ", other, " in ", roles[k]);
      if (dim == 1 || (ShapedType::isDynamic(dim) && *merged != dim))
        source = k;
      dim = *merged;
    }
  }
  return shape;
}

LogicalResult needle::verifyAxes(std::optional<Location> loc, StringRef opName,
                                 RankedTensorType type,
                                 ArrayRef<int64_t> axes) {
  int64_t previous = -1;
  for (int64_t axis : axes) {
    if (axis < 0 || axis >= type.getRank())
      return emitOptionalError(loc, "'", opName, "' op axis ", axis,
                               " does not exist in ", type);
    if (axis <= previous)
      return emitOptionalError(loc, "'", opName,
                               "' op axes must be ascending, but ", axis,
                               " follows ", previous);
    previous = axis;
  }
  return success();
}

FailureOr<SmallVector<int64_t>>
needle::inferReductionShape(std::optional<Location> loc, StringRef opName,
                            RankedTensorType type, ArrayRef<int64_t> axes,
                            bool keepDims) {
  if (failed(verifyAxes(loc, opName, type, axes)))
    return failure();
  SmallVector<int64_t> shape;
  for (auto [i, size] : llvm::enumerate(type.getShape())) {
    if (!llvm::is_contained(axes, static_cast<int64_t>(i)))
      shape.push_back(size);
    else if (keepDims)
      shape.push_back(1);
  }
  return shape;
}

/// At least the two dimensions of a matrix.
static LogicalResult verifyMatrix(std::optional<Location> loc, StringRef opName,
                                  StringRef operand, RankedTensorType type,
                                  StringRef layout) {
  if (type.getRank() >= 2)
    return success();
  return emitOptionalError(loc, "'", opName, "' op ", operand,
                           " must have rank 2 (", layout, ") or more, got ",
                           type);
}

/// The dimensions before those of the matrices.
static FailureOr<SmallVector<int64_t>>
inferBatchShape(std::optional<Location> loc, StringRef opName,
                RankedTensorType lhs, RankedTensorType rhs) {
  ArrayRef<int64_t> l = lhs.getShape().drop_back(2);
  ArrayRef<int64_t> r = rhs.getShape().drop_back(2);
  SmallVector<int64_t> shape(std::max(l.size(), r.size()));
  for (size_t i = 0; i < shape.size(); ++i) {
    int64_t a = dimFromEnd(l, i), b = dimFromEnd(r, i);
    FailureOr<int64_t> dim = a == 1 ? b : b == 1 ? a : mergeDims(a, b);
    if (failed(dim))
      return emitOptionalError(loc, "'", opName, "' op batch dimension ",
                               shape.size() - 1 - i, " of the result is ", a,
                               " in lhs ", lhs, ", but ", b, " in rhs ", rhs);
    shape[shape.size() - 1 - i] = *dim;
  }
  return shape;
}

FailureOr<SmallVector<int64_t>>
needle::inferMatmulShape(std::optional<Location> loc, StringRef opName,
                         const MatmulOperandTypes &types) {
  auto [lhs, rhs, bias, transposeLhs, transposeRhs] = types;
  if (failed(verifyMatrix(loc, opName, "lhs", lhs,
                          transposeLhs ? "K x M" : "M x K")) ||
      failed(verifyMatrix(loc, opName, "rhs", rhs,
                          transposeRhs ? "N x K" : "K x N")))
    return failure();
  if (bias && bias.getRank() != 1)
    return emitOptionalError(loc, "'", opName,
                             "' op bias must have rank 1 (N), got ", bias);
  auto fromEnd = [](RankedTensorType type, bool last) {
    return type.getDimSize(type.getRank() - (last ? 1 : 2));
  };
  int64_t lhsK = fromEnd(lhs, !transposeLhs);
  int64_t rhsK = fromEnd(rhs, transposeRhs);
  if (failed(mergeDims(lhsK, rhsK)))
    return emitOptionalError(loc, "'", opName, "' op K differs: it is ", lhsK,
                             " in lhs ", lhs, ", but ", rhsK, " in rhs ", rhs);
  int64_t n = fromEnd(rhs, !transposeRhs);
  if (bias) {
    FailureOr<int64_t> merged = mergeDims(n, bias.getDimSize(0));
    if (failed(merged))
      return emitOptionalError(loc, "'", opName, "' op N differs: it is ", n,
                               " in rhs ", rhs, ", but ", bias.getDimSize(0),
                               " in bias ", bias);
    n = *merged;
  }
  FailureOr<SmallVector<int64_t>> shape =
      inferBatchShape(loc, opName, lhs, rhs);
  if (failed(shape))
    return failure();
  shape->append({fromEnd(lhs, transposeLhs), n});
  return shape;
}

LogicalResult needle::verifySameShape(Operation *op, Value operand,
                                      Value result) {
  if (succeeded(verifyCompatibleShape(operand.getType(), result.getType())))
    return success();
  return op->emitOpError() << "result must have the shape of the operand "
                           << operand.getType() << ", got " << result.getType();
}

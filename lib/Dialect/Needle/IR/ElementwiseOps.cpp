//===- ElementwiseOps.cpp - Unary and binary operations ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folding of the elementwise f32 operations. Folding
// computes in f32 as the operations do; identities that change a bit for some
// input (x + 0 makes +0 of -0) are not folded.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/Needle/IR/Predicate.h"
#include "needle/Quantization/NumericRules.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>

using namespace mlir;
using namespace needle;

/// The number of elements to compute for a constant of type `type`; none if it
/// should not be folded.
static std::optional<int64_t> getFoldedSize(RankedTensorType type,
                                            bool isSplat) {
  if (!type.hasStaticShape() ||
      (!isSplat && type.getNumElements() > kMaxFoldedElements))
    return std::nullopt;
  return isSplat ? std::min<int64_t>(1, type.getNumElements())
                 : type.getNumElements();
}

static Attribute foldUnary(Attribute operand, RankedTensorType operandType,
                           RankedTensorType type,
                           llvm::function_ref<float(float)> function) {
  if (!operand || operandType != type || !type.hasStaticShape())
    return {};
  auto data = ConstantData<float>::get(operand, type.getNumElements());
  std::optional<int64_t> size =
      data ? getFoldedSize(type, data->isSplat()) : std::nullopt;
  if (!size)
    return {};
  SmallVector<float> result(*size);
  for (int64_t i = 0; i < *size; ++i)
    result[i] = function((*data)[i]);
  return DenseElementsAttr::get(type, ArrayRef(result));
}

/// Row-major strides of `operand` in a result of rank `rank`, 0 along
/// dimensions that stretch.
static SmallVector<int64_t> getBroadcastStrides(RankedTensorType operand,
                                                int64_t rank) {
  SmallVector<int64_t> strides(rank, 0);
  int64_t stride = 1;
  for (int64_t i = operand.getRank() - 1; i >= 0; --i) {
    int64_t size = operand.getDimSize(i);
    strides[rank - operand.getRank() + i] = size == 1 ? 0 : stride;
    stride *= size;
  }
  return strides;
}

static int64_t linearIndex(int64_t position, ArrayRef<int64_t> shape,
                           ArrayRef<int64_t> strides) {
  int64_t index = 0;
  for (int64_t i = shape.size() - 1; i >= 0; --i) {
    index += position % shape[i] * strides[i];
    position /= shape[i];
  }
  return index;
}

static Attribute foldBinary(Operation *op, Attribute lhs, Attribute rhs,
                            llvm::function_ref<float(float, float)> function) {
  auto lhsType = cast<RankedTensorType>(op->getOperand(0).getType());
  auto rhsType = cast<RankedTensorType>(op->getOperand(1).getType());
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (!lhs || !rhs || !lhsType.hasStaticShape() || !rhsType.hasStaticShape())
    return {};
  auto l = ConstantData<float>::get(lhs, lhsType.getNumElements());
  auto r = ConstantData<float>::get(rhs, rhsType.getNumElements());
  if (!l || !r)
    return {};
  std::optional<int64_t> size =
      getFoldedSize(type, l->isSplat() && r->isSplat());
  if (!size)
    return {};
  auto lhsStrides = getBroadcastStrides(lhsType, type.getRank());
  auto rhsStrides = getBroadcastStrides(rhsType, type.getRank());
  SmallVector<float> result(*size);
  for (int64_t i = 0; i < *size; ++i)
    result[i] = function((*l)[linearIndex(i, type.getShape(), lhsStrides)],
                         (*r)[linearIndex(i, type.getShape(), rhsStrides)]);
  return DenseElementsAttr::get(type, ArrayRef(result));
}

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  return foldBinary(*this, adaptor.getLhs(), adaptor.getRhs(),
                    [](float x, float y) { return x + y; });
}
OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  return foldBinary(*this, adaptor.getLhs(), adaptor.getRhs(),
                    [](float x, float y) { return x - y; });
}
OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  return foldBinary(*this, adaptor.getLhs(), adaptor.getRhs(),
                    [](float x, float y) { return x * y; });
}
OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  return foldBinary(*this, adaptor.getLhs(), adaptor.getRhs(),
                    [](float x, float y) { return x / y; });
}
OpFoldResult MaximumOp::fold(FoldAdaptor adaptor) {
  return foldBinary(*this, adaptor.getLhs(), adaptor.getRhs(),
                    [](float x, float y) {
                      return llvm::maximum(llvm::APFloat(x), llvm::APFloat(y))
                          .convertToFloat();
                    });
}
OpFoldResult MinimumOp::fold(FoldAdaptor adaptor) {
  return foldBinary(*this, adaptor.getLhs(), adaptor.getRhs(),
                    [](float x, float y) {
                      return llvm::minimum(llvm::APFloat(x), llvm::APFloat(y))
                          .convertToFloat();
                    });
}

/// relu(relu(x)) → relu(x), abs(abs(x)) → abs(x).
template <typename Op>
static OpFoldResult foldIdempotent(Op op) {
  auto producer = op.getOperand().template getDefiningOp<Op>();
  if (producer && producer.getType() == op.getType())
    return producer.getResult();
  return {};
}

OpFoldResult ReluOp::fold(FoldAdaptor adaptor) {
  if (OpFoldResult folded = foldIdempotent(*this))
    return folded;
  return foldUnary(adaptor.getOperand(), getOperand().getType(), getType(),
                   [](float x) { return relu(x); });
}

OpFoldResult AbsOp::fold(FoldAdaptor adaptor) {
  if (OpFoldResult folded = foldIdempotent(*this))
    return folded;
  return foldUnary(adaptor.getOperand(), getOperand().getType(), getType(),
                   [](float x) { return std::fabs(x); });
}

OpFoldResult NegOp::fold(FoldAdaptor adaptor) {
  // neg(neg(x)) → x
  auto producer = getOperand().getDefiningOp<NegOp>();
  if (producer && producer.getOperand().getType() == getType())
    return producer.getOperand();
  return foldUnary(adaptor.getOperand(), getOperand().getType(), getType(),
                   [](float x) { return -x; });
}

OpFoldResult SqrtOp::fold(FoldAdaptor adaptor) {
  return foldUnary(adaptor.getOperand(), getOperand().getType(), getType(),
                   [](float x) { return std::sqrt(x); });
}

//===----------------------------------------------------------------------===//
// power
//===----------------------------------------------------------------------===//

namespace {

/// power(x, 1) → x, power(x, 2) → mul(x, x), power(x, -1) → div(1, x), which
/// are exact or rounded once, and have the special cases of powers.
struct ExpandSmallPower : OpRewritePattern<PowerOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PowerOp op,
                                PatternRewriter &rewriter) const override {
    DenseElementsAttr exponent;
    if (!matchPattern(op.getRhs(), m_Constant(&exponent)) ||
        !exponent.isSplat())
      return rewriter.notifyMatchFailure(op, "exponent differs by element");
    Value base = op.getLhs();
    if (base.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "base is stretched");
    float value = exponent.getSplatValue<float>();
    if (value == 1.0F) {
      rewriter.replaceOp(op, base);
    } else if (value == 2.0F) {
      rewriter.replaceOpWithNewOp<MulOp>(op, op.getType(), base, base);
    } else if (value == -1.0F) {
      auto type = RankedTensorType::get({}, rewriter.getF32Type());
      Value one = ConstantOp::create(rewriter, op.getLoc(), type,
                                     DenseElementsAttr::get(type, 1.0F));
      rewriter.replaceOpWithNewOp<DivOp>(op, op.getType(), one, base);
    } else {
      return rewriter.notifyMatchFailure(op, "needs more than one operation");
    }
    return success();
  }
};

} // namespace

void PowerOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                          MLIRContext *context) {
  results.add<ExpandSmallPower>(context);
}

//===----------------------------------------------------------------------===//
// compare and select
//===----------------------------------------------------------------------===//

bool needle::holds(Predicate predicate, float x, float y) {
  switch (predicate) {
  case Predicate::Eq:
    return x == y;
  case Predicate::Ne:
    return x != y;
  case Predicate::Lt:
    return x < y;
  case Predicate::Le:
    return x <= y;
  case Predicate::Gt:
    return x > y;
  case Predicate::Ge:
    return x >= y;
  }
  llvm_unreachable("no such predicate");
}

OpFoldResult CompareOp::fold(FoldAdaptor adaptor) {
  return foldBinary(*this, adaptor.getLhs(), adaptor.getRhs(),
                    [&](float x, float y) {
                      return holds(getPredicate(), x, y) ? 1.0F : 0.0F;
                    });
}

/// select(splat, x, y) → x or y, if that has the type of the result and no
/// shapes are left to compare at run time
OpFoldResult SelectOp::fold(FoldAdaptor adaptor) {
  auto condition = dyn_cast_or_null<DenseElementsAttr>(adaptor.getCondition());
  auto isStatic = [](Type type) {
    return cast<RankedTensorType>(type).hasStaticShape();
  };
  if (!condition || !condition.isSplat() ||
      !llvm::all_of(getOperandTypes(), isStatic))
    return {};
  Value chosen =
      condition.getSplatValue<float>() != 0.0F ? getOnTrue() : getOnFalse();
  return chosen.getType() == getType() ? OpFoldResult(chosen) : OpFoldResult();
}

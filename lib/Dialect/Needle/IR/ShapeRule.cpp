//===- ShapeRule.cpp - Which dimensions must agree ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Dialect/Needle/IR/ShapeRule.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace needle;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

ShapeRule ShapeRule::sameShape(Value operand, Value result) {
  ShapeRule rule;
  for (unsigned i = 0; i < typeOf(result).getRank(); ++i)
    rule.equal.push_back({{operand, i, "operand"}, {result, i, "result"}});
  return rule;
}

ShapeRule ShapeRule::broadcast(ValueRange operands,
                               ArrayRef<StringLiteral> roles, Value result) {
  ShapeRule rule;
  unsigned rank = typeOf(result).getRank();
  for (unsigned i = 0; i < rank; ++i) {
    EqualDimensions equal;
    for (auto [operand, role] : llvm::zip_equal(operands, roles)) {
      unsigned missing = rank - typeOf(operand).getRank();
      if (i >= missing && typeOf(operand).getDimSize(i - missing) != 1)
        equal.push_back({operand, i - missing, role});
    }
    equal.push_back({result, i, "result"});
    rule.equal.push_back(std::move(equal));
  }
  return rule;
}

ShapeRule ShapeRule::reduction(Value operand, ArrayRef<int64_t> axes,
                               bool keepDims, Value result) {
  ShapeRule rule;
  unsigned next = 0;
  for (unsigned i = 0; i < typeOf(operand).getRank(); ++i) {
    bool isReduced = llvm::is_contained(axes, i);
    if (!isReduced)
      rule.equal.push_back({{operand, i, "operand"}, {result, next, "result"}});
    if (!isReduced || keepDims)
      ++next;
  }
  return rule;
}

/// The first dimension equal to `index` of `result` that says more than it.
static std::optional<DimensionRef> findSource(const ShapeRule &rule,
                                              Value result, unsigned index) {
  for (const EqualDimensions &equal : rule.equal) {
    bool isHere = llvm::any_of(equal, [&](const DimensionRef &ref) {
      return ref.value == result && ref.index == index;
    });
    if (!isHere)
      continue;
    for (const DimensionRef &ref : equal)
      if (ref.value != result)
        return ref;
  }
  return std::nullopt;
}

static OpFoldResult reifyComputed(const ComputedDimension &computed,
                                  OpBuilder &builder, Location loc) {
  SmallVector<Value> extents;
  for (const DimensionRef &ref : computed.operands)
    extents.push_back(getValueOrCreateConstantIndexOp(
        builder, loc,
        tensor::getMixedSize(builder, loc, ref.value, ref.index)));
  return affine::expandAffineExpr(builder, loc, computed.extent, extents, {});
}

/// The extent of a dimension that is dynamic in `result`: a value, even where
/// the operands are more precise than the result and it is known.
static Value reifyDynamic(Value result, unsigned index, const ShapeRule &rule,
                          OpBuilder &builder, Location loc) {
  const auto *computed = llvm::find_if(rule.computed, [&](const auto &entry) {
    return entry.result.value == result && entry.result.index == index;
  });
  OpFoldResult extent;
  if (computed != rule.computed.end())
    extent = reifyComputed(*computed, builder, loc);
  else if (std::optional<DimensionRef> source = findSource(rule, result, index))
    extent = tensor::getMixedSize(builder, loc, source->value, source->index);
  else // Every operand stretches along it.
    extent = builder.getIndexAttr(1);
  return getValueOrCreateConstantIndexOp(builder, loc, extent);
}

void needle::detail::reifyByShapeRule(Operation *op, const ShapeRule &rule,
                                      OpBuilder &builder,
                                      ReifiedRankedShapedTypeDims &shapes) {
  Location loc = op->getLoc();
  for (Value result : op->getResults()) {
    SmallVector<OpFoldResult> &dims = shapes.emplace_back();
    for (auto [i, size] : llvm::enumerate(typeOf(result).getShape()))
      dims.push_back(ShapedType::isDynamic(size)
                         ? reifyDynamic(result, i, rule, builder, loc)
                         : OpFoldResult(builder.getIndexAttr(size)));
  }
}

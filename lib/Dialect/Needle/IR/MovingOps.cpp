//===- MovingOps.cpp - broadcast_to, reverse, slice, pad and concat -------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shapes and folding of the operations that move or repeat elements.
//
//===----------------------------------------------------------------------===//

#include "ShapeUtils.h"
#include "mlir/IR/Diagnostics.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace needle;

/// Emits an error unless `attribute` is there and has a value for each
/// dimension of `type`. Inference runs before the verifier has asked for it.
static LogicalResult verifyPerDim(std::optional<Location> loc, StringRef opName,
                                  StringRef name, DenseI64ArrayAttr attribute,
                                  RankedTensorType type) {
  if (!attribute)
    return emitOptionalError(loc, "'", opName, "' op requires attribute '",
                             name, "'");
  if (attribute.size() == type.getRank())
    return success();
  return emitOptionalError(loc, "'", opName, "' op attribute '", name,
                           "' must have ", type.getRank(),
                           " values, one for each dimension of ", type,
                           ", got ", attribute.size());
}

//===----------------------------------------------------------------------===//
// broadcast_to
//===----------------------------------------------------------------------===//

LogicalResult BroadcastToOp::verify() {
  RankedTensorType type = getOperand().getType(), resultType = getType();
  int64_t missing = resultType.getRank() - type.getRank();
  if (missing < 0)
    return emitOpError() << "cannot broadcast " << type << " to " << resultType
                         << ", which has fewer dimensions";
  for (int64_t i = 0; i < resultType.getRank(); ++i) {
    bool stretches = i < missing || type.getDimSize(i - missing) == 1;
    if (stretches && resultType.isDynamicDim(i))
      return emitOpError() << "dimension " << i << " of result " << resultType
                           << " must be static: no dimension of the operand "
                           << type << " says what it is";
    if (!stretches && failed(mergeDims(type.getDimSize(i - missing),
                                       resultType.getDimSize(i))))
      return emitOpError() << "cannot broadcast " << type << " to "
                           << resultType << ": dimension " << i
                           << " of the result is "
                           << type.getDimSize(i - missing) << " in the operand";
  }
  return success();
}

ShapeRule BroadcastToOp::getShapeRule() {
  static constexpr StringLiteral roles[] = {"operand"};
  return ShapeRule::broadcast(getOperand(), roles, getResult());
}

/// broadcast_to(x) → x if it has the type already; a splat stays one.
OpFoldResult BroadcastToOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  auto splat = dyn_cast_or_null<SplatElementsAttr>(adaptor.getOperand());
  if (splat && getType().hasStaticShape())
    return SplatElementsAttr::get(getType(), splat.getSplatValue<Attribute>());
  return {};
}

//===----------------------------------------------------------------------===//
// reverse
//===----------------------------------------------------------------------===//

LogicalResult ReverseOp::verify() {
  return verifyAxes(getLoc(), getOperationName(), getOperand().getType(),
                    getAxes());
}

/// reverse(x) → x without axes; reverse(reverse(x)) → x along equal ones
OpFoldResult ReverseOp::fold(FoldAdaptor) {
  Value source;
  if (getAxes().empty())
    source = getOperand();
  else if (auto inner = getOperand().getDefiningOp<ReverseOp>();
           inner && inner.getAxes() == getAxes())
    source = inner.getOperand();
  return source && source.getType() == getType() ? source : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// slice
//===----------------------------------------------------------------------===//

namespace {
/// What a slice takes along one dimension.
struct Taken {
  int64_t start, limit, step;

  bool isWhole() const { return start == 0 && limit == -1 && step == 1; }
};
} // namespace

/// The number of elements that are taken of a dimension.
static FailureOr<int64_t> inferSliceDim(std::optional<Location> loc,
                                        StringRef opName, RankedTensorType type,
                                        int64_t dim, Taken taken) {
  int64_t size = type.getDimSize(dim);
  if (ShapedType::isDynamic(size)) {
    if (taken.isWhole())
      return size;
    return emitOptionalError(loc, "'", opName, "' op dimension ", dim, " of ",
                             type,
                             " is dynamic and must be taken whole: start 0, "
                             "limit -1, step 1, got ",
                             taken.start, ", ", taken.limit, ", ", taken.step);
  }
  if (taken.step < 1)
    return emitOptionalError(loc, "'", opName, "' op step ", taken.step,
                             " of dimension ", dim, " must be positive");
  int64_t limit = taken.limit == -1 ? size : taken.limit;
  if (taken.start < 0 || taken.start > limit || limit > size)
    return emitOptionalError(loc, "'", opName, "' op cannot take elements ",
                             taken.start, " to ", limit, " of dimension ", dim,
                             " of ", type);
  return llvm::divideCeil(limit - taken.start, taken.step);
}

LogicalResult
SliceOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                          ValueRange operands, DictionaryAttr attributes,
                          OpaqueProperties properties, RegionRange regions,
                          SmallVectorImpl<Type> &inferredReturnTypes) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto type = cast<RankedTensorType>(operands[0].getType());
  StringRef name = getOperationName();
  if (failed(verifyPerDim(location, name, "starts", adaptor.getStartsAttr(),
                          type)) ||
      failed(verifyPerDim(location, name, "limits", adaptor.getLimitsAttr(),
                          type)) ||
      failed(
          verifyPerDim(location, name, "steps", adaptor.getStepsAttr(), type)))
    return failure();
  SmallVector<int64_t> shape;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    FailureOr<int64_t> size =
        inferSliceDim(location, name, type, i,
                      {adaptor.getStarts()[i], adaptor.getLimits()[i],
                       adaptor.getSteps()[i]});
    if (failed(size))
      return failure();
    shape.push_back(*size);
  }
  inferredReturnTypes.push_back(type.clone(shape));
  return success();
}

ShapeRule SliceOp::getShapeRule() {
  // Only dynamic dimensions need one, and those are taken whole.
  ShapeRule rule;
  RankedTensorType type = getOperand().getType();
  for (unsigned i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      rule.equal.push_back(
          {{getOperand(), i, "operand"}, {getResult(), i, "result"}});
  return rule;
}

/// slice(x) → x if it takes all of x
OpFoldResult SliceOp::fold(FoldAdaptor) {
  bool isWhole = llvm::all_of(getStarts(), [](int64_t s) { return s == 0; }) &&
                 llvm::all_of(getSteps(), [](int64_t s) { return s == 1; });
  return isWhole && getOperand().getType() == getType()
             ? OpFoldResult(getOperand())
             : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// pad
//===----------------------------------------------------------------------===//

/// The size of a dimension with its zeros.
static FailureOr<int64_t> inferPadDim(std::optional<Location> loc,
                                      StringRef opName, RankedTensorType type,
                                      int64_t dim, int64_t low, int64_t high,
                                      int64_t interior) {
  if (low < 0 || high < 0 || interior < 0)
    return emitOptionalError(loc, "'", opName,
                             "' op padding must not be negative, got ", low,
                             ", ", high, ", ", interior, " of dimension ", dim);
  int64_t size = type.getDimSize(dim);
  if (ShapedType::isDynamic(size)) {
    if (interior == 0)
      return size;
    return emitOptionalError(loc, "'", opName, "' op dimension ", dim, " of ",
                             type,
                             " is dynamic and cannot have zeros between its "
                             "elements");
  }
  int64_t gaps = std::max<int64_t>(size - 1, 0);
  std::optional<int64_t> total = llvm::checkedMulAdd(gaps, interior, size);
  total = total ? llvm::checkedAdd(*total, low) : total;
  total = total ? llvm::checkedAdd(*total, high) : total;
  if (!total)
    return emitOptionalError(loc, "'", opName, "' op padded dimension ", dim,
                             " of ", type, " overflows 63 bits");
  return *total;
}

LogicalResult
PadOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                        ValueRange operands, DictionaryAttr attributes,
                        OpaqueProperties properties, RegionRange regions,
                        SmallVectorImpl<Type> &inferredReturnTypes) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto type = cast<RankedTensorType>(operands[0].getType());
  StringRef name = getOperationName();
  if (failed(verifyPerDim(location, name, "low", adaptor.getLowAttr(), type)) ||
      failed(
          verifyPerDim(location, name, "high", adaptor.getHighAttr(), type)) ||
      failed(verifyPerDim(location, name, "interior", adaptor.getInteriorAttr(),
                          type)))
    return failure();
  SmallVector<int64_t> shape;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    FailureOr<int64_t> size =
        inferPadDim(location, name, type, i, adaptor.getLow()[i],
                    adaptor.getHigh()[i], adaptor.getInterior()[i]);
    if (failed(size))
      return failure();
    shape.push_back(*size);
  }
  inferredReturnTypes.push_back(type.clone(shape));
  return success();
}

ShapeRule PadOp::getShapeRule() {
  ShapeRule rule;
  RankedTensorType type = getOperand().getType();
  for (unsigned i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      rule.computed.push_back(
          {{getResult(), i, "result"},
           getAffineDimExpr(0, getContext()) + (getLow()[i] + getHigh()[i]),
           {{getOperand(), i, "operand"}}});
  return rule;
}

/// pad(x) → x without zeros
OpFoldResult PadOp::fold(FoldAdaptor) {
  auto none = [](ArrayRef<int64_t> widths) {
    return llvm::all_of(widths, [](int64_t width) { return width == 0; });
  };
  bool isIdentity = none(getLow()) && none(getHigh()) && none(getInterior()) &&
                    getOperand().getType() == getType();
  return isIdentity ? OpFoldResult(getOperand()) : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// concat
//===----------------------------------------------------------------------===//

LogicalResult
ConcatOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                           ValueRange operands, DictionaryAttr attributes,
                           OpaqueProperties properties, RegionRange regions,
                           SmallVectorImpl<Type> &inferredReturnTypes) {
  Adaptor adaptor(operands, attributes, properties, regions);
  StringRef name = getOperationName();
  if (operands.empty())
    return emitOptionalError(location, "'", name,
                             "' op takes at least one operand");
  if (!adaptor.getAxisAttr())
    return emitOptionalError(location, "'", name,
                             "' op requires attribute 'axis'");
  auto first = cast<RankedTensorType>(operands[0].getType());
  int64_t axis = adaptor.getAxis();
  if (axis < 0 || axis >= first.getRank())
    return emitOptionalError(location, "'", name, "' op axis ", axis,
                             " does not exist in ", first);
  SmallVector<int64_t> shape(first.getShape());
  for (auto [index, operand] : llvm::enumerate(operands.drop_front())) {
    auto type = cast<RankedTensorType>(operand.getType());
    if (type.getRank() != first.getRank())
      return emitOptionalError(location, "'", name, "' op operand #", index + 1,
                               " must have rank ", first.getRank(), ", got ",
                               type);
    for (int64_t i = 0; i < type.getRank(); ++i) {
      int64_t size = type.getDimSize(i);
      if (i == axis) {
        if (ShapedType::isDynamic(size) || ShapedType::isDynamic(shape[i])) {
          shape[i] = ShapedType::kDynamic;
          continue;
        }
        std::optional<int64_t> sum = llvm::checkedAdd(shape[i], size);
        if (!sum)
          return emitOptionalError(location, "'", name, "' op dimension ", i,
                                   " of the result overflows 63 bits");
        shape[i] = *sum;
        continue;
      }
      FailureOr<int64_t> merged = mergeDims(shape[i], size);
      if (failed(merged))
        return emitOptionalError(location, "'", name, "' op dimension ", i,
                                 " is ", shape[i], " in earlier operands, but ",
                                 size, " in operand #", index + 1, " ", type);
      shape[i] = *merged;
    }
  }
  inferredReturnTypes.push_back(first.clone(shape));
  return success();
}

ShapeRule ConcatOp::getShapeRule() {
  ShapeRule rule;
  unsigned axis = getAxis();
  for (unsigned i = 0; i < getType().getRank(); ++i) {
    if (i == axis)
      continue;
    EqualDimensions equal;
    for (Value operand : getOperands())
      equal.push_back({operand, i, "operand"});
    equal.push_back({getResult(), i, "result"});
    rule.equal.push_back(std::move(equal));
  }
  if (!llvm::any_of(getOperands(), [&](Value operand) {
        return cast<RankedTensorType>(operand.getType()).isDynamicDim(axis);
      }))
    return rule;
  ComputedDimension sum = {{getResult(), axis, "result"},
                           getAffineConstantExpr(0, getContext()),
                           {}};
  for (auto [index, operand] : llvm::enumerate(getOperands())) {
    sum.operands.push_back({operand, axis, "operand"});
    sum.extent = sum.extent + getAffineDimExpr(index, getContext());
  }
  rule.computed.push_back(std::move(sum));
  return rule;
}

/// concat(x) → x
OpFoldResult ConcatOp::fold(FoldAdaptor) {
  bool isIdentity =
      getNumOperands() == 1 && getOperand(0).getType() == getType();
  return isIdentity ? OpFoldResult(getOperand(0)) : OpFoldResult();
}

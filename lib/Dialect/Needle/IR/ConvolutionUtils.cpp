//===- ConvolutionUtils.cpp - What convolutions share ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConvolutionUtils.h"
#include "ShapeUtils.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace needle;

static constexpr StringLiteral dimensionNames[] = {"height", "width"};

/// Larger attributes than any image needs, so that sums of a few cannot
/// overflow.
static constexpr int64_t kMaxAttribute = (int64_t(1) << 31) - 1;

static LogicalResult verifyRank(std::optional<Location> loc, StringRef opName,
                                StringRef operand, RankedTensorType type,
                                int64_t rank, StringRef layout) {
  if (type.getRank() == rank)
    return success();
  return emitOptionalError(loc, "'", opName, "' op ", operand,
                           " must have rank ", rank, " (", layout, "), got ",
                           type);
}

/// `count` values of at least `least`.
static LogicalResult verifyValues(std::optional<Location> loc, StringRef opName,
                                  StringRef name, ArrayRef<int64_t> values,
                                  size_t count, int64_t least,
                                  StringRef meaning) {
  bool fits = llvm::all_of(values, [&](int64_t value) {
    return value >= least && value <= kMaxAttribute;
  });
  if (values.size() == count && fits)
    return success();
  return emitOptionalError(loc, "'", opName, "' op attribute '", name,
                           "' must have ", count, " values (", meaning,
                           ") from ", least, " to ", kMaxAttribute, ", got [",
                           values, "]");
}

static LogicalResult verifyOperands(std::optional<Location> loc,
                                    StringRef opName, StringRef filterLayout,
                                    const ConvolutionShape &shape) {
  if (failed(
          verifyRank(loc, opName, "input", shape.input, 4, "N x H x W x C")) ||
      failed(
          verifyRank(loc, opName, "filter", shape.filter, 4, filterLayout)) ||
      (shape.bias &&
       failed(verifyRank(loc, opName, "bias", shape.bias, 1, "O"))) ||
      failed(verifyValues(loc, opName, "strides", shape.strides, 2, 1,
                          "height, width")) ||
      failed(verifyValues(loc, opName, "padding", shape.padding, 4, 0,
                          "top, bottom, left, right")))
    return failure();
  for (unsigned i = 0; i < 2; ++i) {
    int64_t size = shape.filter.getDimSize(i);
    if (ShapedType::isDynamic(size) || size < 1 || size > kMaxAttribute)
      return emitOptionalError(loc, "'", opName, "' op ", dimensionNames[i],
                               " of filter ", shape.filter,
                               " must be static and from 1 to ", kMaxAttribute);
  }
  return success();
}

/// How many channels the filter takes of each pixel, and gives.
static FailureOr<int64_t> verifyChannels(std::optional<Location> loc,
                                         StringRef opName,
                                         const ConvolutionShape &shape) {
  int64_t channels = shape.input.getDimSize(3);
  int64_t depth = shape.filter.getDimSize(2);
  int64_t columns = shape.filter.getDimSize(3);
  if (shape.groups < 1 || shape.groups > kMaxAttribute)
    return emitOptionalError(loc, "'", opName, "' op groups must be from 1 to ",
                             kMaxAttribute, ", got ", shape.groups);
  if (shape.groups > 1 &&
      llvm::any_of(ArrayRef{channels, depth, columns}, ShapedType::isDynamic))
    return emitOptionalError(
        loc, "'", opName, "' op channels must be static with ", shape.groups,
        " groups, but input is ", shape.input, " and filter ", shape.filter);
  bool isKnown =
      !ShapedType::isDynamic(channels) && !ShapedType::isDynamic(depth);
  if (isKnown &&
      (channels % shape.groups != 0 || channels / shape.groups != depth))
    return emitOptionalError(loc, "'", opName, "' op input ", shape.input,
                             " has ", channels, " channels in ", shape.groups,
                             " groups, but filter ", shape.filter, " takes ",
                             depth, " of each");
  if (shape.groups > 1 && columns % shape.groups != 0)
    return emitOptionalError(
        loc, "'", opName, "' op the ", columns, " channels that filter ",
        shape.filter, " gives are not divisible by ", shape.groups, " groups");
  FailureOr<int64_t> merged =
      shape.bias ? mergeDims(columns, shape.bias.getDimSize(0)) : columns;
  if (failed(merged))
    return emitOptionalError(loc, "'", opName, "' op O differs: it is ",
                             columns, " in filter ", shape.filter, ", but ",
                             shape.bias.getDimSize(0), " in bias ", shape.bias);
  return merged;
}

FailureOr<SmallVector<int64_t>>
needle::inferConvolutionShape(std::optional<Location> loc, StringRef opName,
                              const ConvolutionShape &shape) {
  if (failed(verifyOperands(loc, opName, "KH x KW x C/groups x O", shape)) ||
      failed(verifyValues(loc, opName, "dilations", shape.dilations, 2, 1,
                          "height, width")))
    return failure();
  FailureOr<int64_t> columns = verifyChannels(loc, opName, shape);
  if (failed(columns))
    return failure();
  SmallVector<int64_t> result{shape.input.getDimSize(0)};
  for (unsigned i = 0; i < 2; ++i) {
    int64_t size = shape.input.getDimSize(1 + i);
    if (ShapedType::isDynamic(size)) {
      result.push_back(size);
      continue;
    }
    int64_t span = shape.getSpan(i);
    std::optional<int64_t> padded = llvm::checkedAdd(size, shape.getPadding(i));
    if (!padded)
      return emitOptionalError(loc, "'", opName, "' op the ", dimensionNames[i],
                               " of input ", shape.input,
                               " with its padding is beyond 63 bits");
    if (*padded < span)
      return emitOptionalError(loc, "'", opName, "' op the kernel spans ", span,
                               " of the ", dimensionNames[i], ", but input ",
                               shape.input, " has ", *padded,
                               " with its padding");
    result.push_back((*padded - span) / shape.strides[i] + 1);
  }
  result.push_back(*columns);
  return result;
}

FailureOr<SmallVector<int64_t>>
needle::inferTransposedConvolutionShape(std::optional<Location> loc,
                                        StringRef opName,
                                        const ConvolutionShape &shape) {
  if (failed(verifyOperands(loc, opName, "KH x KW x C x O", shape)) ||
      failed(verifyValues(loc, opName, "output_padding", shape.outputPadding, 2,
                          0, "height, width")))
    return failure();
  for (unsigned i = 0; i < 2; ++i)
    if (shape.outputPadding[i] >= shape.strides[i])
      return emitOptionalError(
          loc, "'", opName, "' op output_padding ", shape.outputPadding[i],
          " of the ", dimensionNames[i], " must be less than the stride ",
          shape.strides[i]);
  FailureOr<int64_t> columns = verifyChannels(loc, opName, shape);
  if (failed(columns))
    return failure();
  SmallVector<int64_t> result{shape.input.getDimSize(0)};
  for (unsigned i = 0; i < 2; ++i) {
    int64_t size = shape.input.getDimSize(1 + i);
    if (ShapedType::isDynamic(size)) {
      result.push_back(size);
      continue;
    }
    int64_t rest = shape.filter.getDimSize(i) + shape.outputPadding[i] -
                   shape.getPadding(i);
    std::optional<int64_t> extent =
        llvm::checkedMulAdd(size - 1, shape.strides[i], rest);
    if (size < 1 || !extent || *extent < 0)
      return emitOptionalError(
          loc, "'", opName, "' op a ", dimensionNames[i], " of ", size,
          " in input ", shape.input, " leaves no result: its extent would be ",
          extent ? Twine(*extent).str() : "beyond 63 bits");
    result.push_back(*extent);
  }
  result.push_back(*columns);
  return result;
}

ShapeRule needle::getChannelRule(Value input, Value filter, Value bias,
                                 Value result) {
  ShapeRule rule;
  rule.equal.push_back({{input, 0, "input"}, {result, 0, "result"}});
  EqualDimensions columns = {{filter, 3, "filter"}};
  if (bias)
    columns.push_back({bias, 0, "bias"});
  columns.push_back({result, 3, "result"});
  rule.equal.push_back(std::move(columns));
  return rule;
}

void needle::addComputed(ShapeRule &rule, unsigned dim, Value input,
                         Value result, AffineExpr extent) {
  // Static extents have been compared.
  if (getTensorType(input).isDynamicDim(dim) ||
      getTensorType(result).isDynamicDim(dim))
    rule.computed.push_back(
        {{result, dim, "result"}, extent, {{input, dim, "input"}}});
}

ShapeRule needle::getConvolutionRule(const ConvolutionShape &shape, Value input,
                                     Value filter, Value bias, Value result) {
  ShapeRule rule = getChannelRule(input, filter, bias, result);
  // With groups the channels are static and have been compared.
  if (shape.groups == 1)
    rule.equal.push_back({{input, 3, "input"}, {filter, 2, "filter"}});
  AffineExpr size = getAffineDimExpr(0, input.getContext());
  for (unsigned i = 0; i < 2; ++i) {
    int64_t room = shape.getPadding(i) - shape.getSpan(i);
    rule.least.push_back(
        {{input, 1 + i, "input"}, std::max<int64_t>(-room, 0)});
    addComputed(rule, 1 + i, input, result,
                (size + room).floorDiv(shape.strides[i]) + 1);
  }
  return rule;
}

//===- ConversionUtils.cpp - What the conversion patterns share -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builders of tensors and of elementwise loops.
//
//===----------------------------------------------------------------------===//

#include "ConversionUtils.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

using namespace mlir;

Value needle::createDim(OpBuilder &builder, Location loc, Value tensor,
                        int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.isDynamicDim(dim))
    return tensor::DimOp::create(builder, loc, tensor, dim);
  return arith::ConstantIndexOp::create(builder, loc, type.getDimSize(dim));
}

Value needle::createEmpty(OpBuilder &builder, Location loc,
                          RankedTensorType type,
                          function_ref<Value(unsigned)> sizeOf) {
  SmallVector<Value> sizes;
  for (unsigned i = 0, e = type.getRank(); i < e; ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(sizeOf(i));
  return tensor::EmptyOp::create(builder, loc, type, sizes);
}

Value needle::createEmptyLike(OpBuilder &builder, Location loc,
                              RankedTensorType type, Value like) {
  return createEmpty(builder, loc, type, [&](unsigned dim) {
    return createDim(builder, loc, like, dim);
  });
}

Value needle::createElementwise(OpBuilder &builder, Location loc,
                                ArrayRef<LoopInput> inputs, Value dest,
                                LoopBody body) {
  int64_t rank = cast<RankedTensorType>(dest.getType()).getRank();
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  for (const LoopInput &input : inputs) {
    operands.push_back(input.value);
    maps.push_back(input.map);
  }
  maps.push_back(builder.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      builder, loc, dest.getType(), operands, dest, maps, iterators,
      [&](OpBuilder &nested, Location nestedLoc, ValueRange args) {
        Value result = body(nested, nestedLoc, args.drop_back());
        linalg::YieldOp::create(nested, nestedLoc, result);
      });
  return generic.getResult(0);
}

Value needle::createFill(OpBuilder &builder, Location loc, Value dest,
                         float value) {
  Type element = cast<RankedTensorType>(dest.getType()).getElementType();
  return createElementwise(builder, loc, {}, dest,
                           [&](OpBuilder &b, Location l, ValueRange) -> Value {
                             return arith::ConstantOp::create(
                                 b, l, b.getFloatAttr(element, value));
                           });
}

Value needle::castTo(OpBuilder &builder, Location loc, Value value,
                     RankedTensorType type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(builder, loc, type, value);
}

Value needle::createWeight(OpBuilder &builder, Location loc,
                           ArrayRef<float> values) {
  auto type = RankedTensorType::get(static_cast<int64_t>(values.size()),
                                    builder.getF32Type());
  return cpu::WeightOp::create(builder, loc, type,
                               DenseElementsAttr::get(type, values));
}

Value needle::createWeight(OpBuilder &builder, Location loc,
                           ArrayRef<int32_t> values) {
  auto type = RankedTensorType::get(static_cast<int64_t>(values.size()),
                                    builder.getI32Type());
  return cpu::WeightOp::create(builder, loc, type,
                               DenseElementsAttr::get(type, values));
}

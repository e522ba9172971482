//===- Elementwise.cpp - Conversion of elementwise operations -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Unary and binary float operations become one loop nest each.
//
//===----------------------------------------------------------------------===//

#include "ConversionUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace mlir;
using namespace needle;

namespace {

/// The value of a constant that holds one value only.
std::optional<APFloat> getSplat(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto splat = constant ? dyn_cast<SplatElementsAttr>(constant.getValue())
                        : SplatElementsAttr();
  if (!splat)
    return std::nullopt;
  return splat.getSplatValue<APFloat>();
}

/// From the loops over `result` to the indices of `operand`: dimensions are
/// aligned at the last one, and one that is statically 1 stretches.
AffineMap getBroadcastMap(MLIRContext *context, RankedTensorType operand,
                          RankedTensorType result) {
  int64_t missing = result.getRank() - operand.getRank();
  SmallVector<AffineExpr> indices;
  for (int64_t i = 0; i < operand.getRank(); ++i) {
    bool stretches =
        operand.getDimSize(i) == 1 && result.getDimSize(missing + i) != 1;
    indices.push_back(stretches ? getAffineConstantExpr(0, context)
                                : getAffineDimExpr(missing + i, context));
  }
  return AffineMap::get(result.getRank(), 0, indices, context);
}

/// The size of the result in `dim`: that of an operand that does not stretch
/// there, or 1.
Value createBroadcastDim(OpBuilder &builder, Location loc, ValueRange operands,
                         int64_t rank, unsigned dim) {
  for (Value operand : operands) {
    auto type = cast<RankedTensorType>(operand.getType());
    int64_t index = dim - (rank - type.getRank());
    if (index >= 0 && type.getDimSize(index) != 1)
      return createDim(builder, loc, operand, index);
  }
  return arith::ConstantIndexOp::create(builder, loc, 1);
}

///   needle.add %a, %b : tensor<?x4xf32>, tensor<4xf32> -> tensor<?x4xf32>
/// → linalg.generic {(d0, d1) -> (d0, d1), (d0, d1) -> (d1)} ins(%a, %b)
///     { arith.addf }
/// A splat constant becomes a scalar of the body instead of an input.
template <typename OpT>
struct ConvertElementwise : OpConversionPattern<OpT> {
  using EmitScalar = Value (*)(OpBuilder &, Location, ValueRange);

  ConvertElementwise(const TypeConverter &converter, MLIRContext *context,
                     EmitScalar emitScalar)
      : OpConversionPattern<OpT>(converter, context), emitScalar(emitScalar) {}

  LogicalResult
  matchAndRewrite(OpT op, typename OpT::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = op.getResult().getType();
    ValueRange operands = adaptor.getOperands();
    SmallVector<LoopInput> inputs;
    SmallVector<std::optional<APFloat>> splats;
    for (auto [original, operand] : llvm::zip(op->getOperands(), operands)) {
      splats.push_back(getSplat(original));
      if (!splats.back())
        inputs.push_back(
            {operand,
             getBroadcastMap(op.getContext(),
                             cast<RankedTensorType>(operand.getType()), type)});
    }
    Value dest = createEmpty(rewriter, loc, type, [&](unsigned dim) {
      return createBroadcastDim(rewriter, loc, operands, type.getRank(), dim);
    });
    auto body = [&](OpBuilder &b, Location l, ValueRange args) {
      SmallVector<Value> scalars;
      unsigned next = 0;
      for (const std::optional<APFloat> &splat : splats)
        scalars.push_back(
            splat ? arith::ConstantFloatOp::create(b, l, b.getF32Type(), *splat)
                  : args[next++]);
      return emitScalar(b, l, scalars);
    };
    rewriter.replaceOp(op,
                       createElementwise(rewriter, loc, inputs, dest, body));
    return success();
  }

private:
  EmitScalar emitScalar;
};

/// The arith or math operation of the same meaning.
template <typename ScalarOpT>
Value emitBinary(OpBuilder &builder, Location loc, ValueRange args) {
  return ScalarOpT::create(builder, loc, args[0], args[1]);
}
template <typename ScalarOpT>
Value emitUnary(OpBuilder &builder, Location loc, ValueRange args) {
  return ScalarOpT::create(builder, loc, args[0]);
}

Value emitRelu(OpBuilder &builder, Location loc, ValueRange args) {
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0.0F));
  return arith::MaximumFOp::create(builder, loc, args[0], zero);
}

} // namespace

void needle::populateElementwisePatterns(const TypeConverter &converter,
                                         RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ConvertElementwise<AddOp>>(converter, context,
                                          emitBinary<arith::AddFOp>);
  patterns.add<ConvertElementwise<SubOp>>(converter, context,
                                          emitBinary<arith::SubFOp>);
  patterns.add<ConvertElementwise<MulOp>>(converter, context,
                                          emitBinary<arith::MulFOp>);
  patterns.add<ConvertElementwise<DivOp>>(converter, context,
                                          emitBinary<arith::DivFOp>);
  patterns.add<ConvertElementwise<MaximumOp>>(converter, context,
                                              emitBinary<arith::MaximumFOp>);
  patterns.add<ConvertElementwise<MinimumOp>>(converter, context,
                                              emitBinary<arith::MinimumFOp>);
  patterns.add<ConvertElementwise<ReluOp>>(converter, context, emitRelu);
  patterns.add<ConvertElementwise<NegOp>>(converter, context,
                                          emitUnary<arith::NegFOp>);
  patterns.add<ConvertElementwise<AbsOp>>(converter, context,
                                          emitUnary<math::AbsFOp>);
  patterns.add<ConvertElementwise<SqrtOp>>(converter, context,
                                           emitUnary<math::SqrtOp>);
}

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
  using EmitScalar = Value (*)(OpT, OpBuilder &, Location, ValueRange);

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
    // One operand stays an input: the folders of math operations would call the
    // math library of the machine that compiles.
    bool isConstant = llvm::all_of(op->getOperands(), [](Value original) {
      return getSplat(original).has_value();
    });
    for (auto [original, operand] : llvm::zip(op->getOperands(), operands)) {
      bool isInput = isConstant && splats.empty();
      splats.push_back(isInput ? std::nullopt : getSplat(original));
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
      return emitScalar(op, b, l, scalars);
    };
    rewriter.replaceOp(op,
                       createElementwise(rewriter, loc, inputs, dest, body));
    return success();
  }

private:
  EmitScalar emitScalar;
};

/// The arith or math operation of the same meaning.
template <typename OpT, typename ScalarOpT>
Value emitBinary(OpT, OpBuilder &builder, Location loc, ValueRange args) {
  return ScalarOpT::create(builder, loc, args[0], args[1]);
}
template <typename OpT, typename ScalarOpT>
Value emitUnary(OpT, OpBuilder &builder, Location loc, ValueRange args) {
  return ScalarOpT::create(builder, loc, args[0]);
}

Value emitConstant(OpBuilder &builder, Location loc, float value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getF32FloatAttr(value));
}

Value emitRelu(ReluOp, OpBuilder &builder, Location loc, ValueRange args) {
  return arith::MaximumFOp::create(builder, loc, args[0],
                                   emitConstant(builder, loc, 0.0F));
}

/// 1 / (1 + e^-x) for x ≥ 0 and e^x / (1 + e^x) below: e^-|x| cannot overflow,
/// and small results keep their precision.
Value emitSigmoid(SigmoidOp, OpBuilder &builder, Location loc,
                  ValueRange args) {
  Value one = emitConstant(builder, loc, 1.0F);
  Value magnitude = math::AbsFOp::create(builder, loc, args[0]);
  Value power = math::ExpOp::create(
      builder, loc, arith::NegFOp::create(builder, loc, magnitude));
  Value isBelow =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, args[0],
                            emitConstant(builder, loc, 0.0F));
  Value numerator = arith::SelectOp::create(builder, loc, isBelow, power, one);
  return arith::DivFOp::create(builder, loc, numerator,
                               arith::AddFOp::create(builder, loc, one, power));
}

arith::CmpFPredicate getPredicate(Predicate predicate) {
  switch (predicate) {
  case Predicate::Eq:
    return arith::CmpFPredicate::OEQ;
  case Predicate::Ne:
    return arith::CmpFPredicate::UNE;
  case Predicate::Lt:
    return arith::CmpFPredicate::OLT;
  case Predicate::Le:
    return arith::CmpFPredicate::OLE;
  case Predicate::Gt:
    return arith::CmpFPredicate::OGT;
  case Predicate::Ge:
    return arith::CmpFPredicate::OGE;
  }
  llvm_unreachable("no such predicate");
}

Value emitCompare(CompareOp op, OpBuilder &builder, Location loc,
                  ValueRange args) {
  Value holds = arith::CmpFOp::create(
      builder, loc, getPredicate(op.getPredicate()), args[0], args[1]);
  return arith::SelectOp::create(builder, loc, holds,
                                 emitConstant(builder, loc, 1.0F),
                                 emitConstant(builder, loc, 0.0F));
}

Value emitSelect(SelectOp, OpBuilder &builder, Location loc, ValueRange args) {
  Value isTrue =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, args[0],
                            emitConstant(builder, loc, 0.0F));
  return arith::SelectOp::create(builder, loc, isTrue, args[1], args[2]);
}

Value emitOperand(BroadcastToOp, OpBuilder &, Location, ValueRange args) {
  return args[0];
}

/// Adds the pattern of one operation at a time.
class PatternAdder {
public:
  PatternAdder(const TypeConverter &converter, RewritePatternSet &patterns)
      : converter(converter), patterns(patterns) {}

  template <typename OpT>
  void add(Value (*emit)(OpT, OpBuilder &, Location, ValueRange)) {
    patterns.add<ConvertElementwise<OpT>>(converter, patterns.getContext(),
                                          emit);
  }
  template <typename OpT, typename ScalarOpT>
  void unary() {
    add<OpT>(emitUnary<OpT, ScalarOpT>);
  }
  template <typename OpT, typename ScalarOpT>
  void binary() {
    add<OpT>(emitBinary<OpT, ScalarOpT>);
  }

private:
  const TypeConverter &converter;
  RewritePatternSet &patterns;
};

} // namespace

void needle::populateElementwisePatterns(const TypeConverter &converter,
                                         RewritePatternSet &patterns) {
  PatternAdder adder(converter, patterns);
  adder.binary<AddOp, arith::AddFOp>();
  adder.binary<SubOp, arith::SubFOp>();
  adder.binary<MulOp, arith::MulFOp>();
  adder.binary<DivOp, arith::DivFOp>();
  adder.binary<MaximumOp, arith::MaximumFOp>();
  adder.binary<MinimumOp, arith::MinimumFOp>();
  adder.binary<PowerOp, math::PowFOp>();
  adder.unary<NegOp, arith::NegFOp>();
  adder.unary<AbsOp, math::AbsFOp>();
  adder.unary<SqrtOp, math::SqrtOp>();
  adder.unary<ExpOp, math::ExpOp>();
  adder.unary<LogOp, math::LogOp>();
  adder.unary<TanhOp, math::TanhOp>();
  adder.add<ReluOp>(emitRelu);
  adder.add<SigmoidOp>(emitSigmoid);
  adder.add<CompareOp>(emitCompare);
  adder.add<SelectOp>(emitSelect);
  adder.add<BroadcastToOp>(emitOperand);
}

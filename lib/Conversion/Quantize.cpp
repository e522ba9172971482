//===- Quantize.cpp - Conversion between float and integer ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// quantize, dequantize, requantize and fake_quantize become one loop nest each
// that follows N1 and N3.
//
//===----------------------------------------------------------------------===//

#include "TypeParameters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Conversion/QuantizeEmitter.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace mlir;
using namespace needle;
using mlir::quant::QuantizedType;

namespace {

QuantizedType getQuantizedType(Value value) {
  return dyn_cast<QuantizedType>(
      cast<RankedTensorType>(value.getType()).getElementType());
}

/// A loop nest over the elements of one operand, whose parameters may be
/// further inputs.
class ElementLoops {
public:
  ElementLoops(OpBuilder &builder, Location loc, Value operand)
      : builder(builder), loc(loc), operand(operand),
        rank(cast<RankedTensorType>(operand.getType()).getRank()) {
    inputs.push_back({operand, builder.getMultiDimIdentityMap(rank)});
  }

  TypeParameters parametersOf(QuantizedType type) {
    return TypeParameters(builder, loc, type, rank, inputs);
  }
  /// Returns the index of the input.
  unsigned addScalar(Value value) {
    inputs.push_back({value, AffineMap::get(rank, 0, builder.getContext())});
    return inputs.size() - 1;
  }
  Value create(Type resultType, LoopBody body) {
    Value dest = createEmptyLike(builder, loc,
                                 cast<RankedTensorType>(resultType), operand);
    return createElementwise(builder, loc, inputs, dest, body);
  }

private:
  OpBuilder &builder;
  Location loc;
  Value operand;
  int64_t rank;
  SmallVector<LoopInput> inputs;
};

///   needle.quantize %x : tensor<4xf32> -> tensor<4x!quant.uniform<u8:f32,
///   0.5:3>>
/// → linalg.generic ins(%x) outs(tensor<4xi8>) { N1 }
struct ConvertQuantize : OpConversionPattern<QuantizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(QuantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ElementLoops loops(rewriter, op.getLoc(), adaptor.getOperand());
    TypeParameters parameters =
        loops.parametersOf(getQuantizedType(op.getResult()));
    rewriter.replaceOp(
        op, loops.create(getTypeConverter()->convertType(op.getType()),
                         [&](OpBuilder &b, Location loc, ValueRange args) {
                           return emitNarrow(
                               b, loc,
                               parameters.quantize(b, loc, args[0], args));
                         }));
    return success();
  }
};

///   needle.dequantize %q : tensor<4x!quant.uniform<u8:f32, 0.5:3>> ->
///   tensor<4xf32> needle.dequantize %q params(%s, %z) : tensor<4xui8> ->
///   tensor<4xf32>
/// → linalg.generic ins(%q [, %s, %z]) outs(tensor<4xf32>) { N3 }
struct ConvertDequantize : OpConversionPattern<DequantizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(DequantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ElementLoops loops(rewriter, op.getLoc(), adaptor.getOperand());
    Value result = getQuantizedType(op.getOperand())
                       ? withStatic(op, loops)
                       : withOperands(op, adaptor, loops);
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  static Value withStatic(DequantizeOp op, ElementLoops &loops) {
    QuantizedType type = getQuantizedType(op.getOperand());
    TypeParameters parameters = loops.parametersOf(type);
    return loops.create(op.getType(),
                        [&](OpBuilder &b, Location loc, ValueRange args) {
                          Value q = emitWiden(b, loc, args[0], type.isSigned());
                          return parameters.dequantize(b, loc, q, args);
                        });
  }

  static Value withOperands(DequantizeOp op, OpAdaptor adaptor,
                            ElementLoops &loops) {
    unsigned scale = loops.addScalar(adaptor.getScale());
    unsigned zeroPoint = loops.addScalar(adaptor.getZeroPoint());
    bool isSigned =
        op.getOperand().getType().getElementType().isSignedInteger();
    return loops.create(
        op.getType(), [&](OpBuilder &b, Location loc, ValueRange args) {
          Value q = emitWiden(b, loc, args[0], isSigned);
          return emitDequantize(b, loc, q, args[scale], args[zeroPoint]);
        });
  }
};

///   needle.requantize %q : tensor<4x!quant.uniform<u8:f32, 0.5>>
///     -> tensor<4x!quant.uniform<i8:f32, 0.25>>
/// → linalg.generic ins(%q) outs(tensor<4xi8>) { N3, N1 }
struct ConvertRequantize : OpConversionPattern<RequantizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(RequantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    QuantizedType from = getQuantizedType(op.getOperand());
    ElementLoops loops(rewriter, op.getLoc(), adaptor.getOperand());
    TypeParameters source = loops.parametersOf(from);
    TypeParameters target =
        loops.parametersOf(getQuantizedType(op.getResult()));
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
      Value q = emitWiden(b, loc, args[0], from.isSigned());
      Value x = source.dequantize(b, loc, q, args);
      return emitNarrow(b, loc, target.quantize(b, loc, x, args));
    };
    rewriter.replaceOp(
        op, loops.create(getTypeConverter()->convertType(op.getType()), body));
    return success();
  }
};

///   needle.fake_quantize %x {type = !quant.uniform<u8:f32, 0.5:128>}
/// → linalg.generic ins(%x) outs(tensor<4xf32>) { N1, N3 }
struct ConvertFakeQuantize : OpConversionPattern<FakeQuantizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(FakeQuantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ElementLoops loops(rewriter, op.getLoc(), adaptor.getOperand());
    TypeParameters parameters =
        loops.parametersOf(cast<QuantizedType>(op.getTypeAttr().getValue()));
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
      Value q = parameters.quantize(b, loc, args[0], args);
      return parameters.dequantize(b, loc, q, args);
    };
    rewriter.replaceOp(op, loops.create(op.getResult().getType(), body));
    return success();
  }
};

} // namespace

void needle::populateQuantizePatterns(const TypeConverter &converter,
                                      RewritePatternSet &patterns) {
  patterns.add<ConvertDequantize, ConvertFakeQuantize, ConvertQuantize,
               ConvertRequantize>(converter, patterns.getContext());
}

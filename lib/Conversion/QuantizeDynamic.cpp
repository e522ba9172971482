//===- QuantizeDynamic.cpp - Conversion of quantize_dynamic ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pass over the values finds their range, N2 turns it into parameters, and a
// second pass quantizes by N1.
//
//===----------------------------------------------------------------------===//

#include "TypeParameters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "needle/Conversion/NeedleToLinalg.h"
#include "needle/Conversion/QuantizeEmitter.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace mlir;
using namespace needle;

/// The elements in one dimension.
static Value flatten(OpBuilder &builder, Location loc, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getRank() == 1)
    return tensor;
  if (type.getRank() == 0)
    return tensor::ExpandShapeOp::create(builder, loc, type.clone({1}), tensor,
                                         ArrayRef<ReassociationIndices>());
  ReassociationIndices dims(llvm::to_vector<2>(llvm::seq(type.getRank())));
  int64_t size =
      type.hasStaticShape() ? type.getNumElements() : ShapedType::kDynamic;
  return tensor::CollapseShapeOp::create(builder, loc, type.clone({size}),
                                         tensor, ArrayRef{dims});
}

namespace {

/// Emits the search for the widened range of N2 as two maxima of integers: the
/// bits of a non-negative f32 are ordered like its value, so that the largest
/// magnitude of each sign is an integer maximum. NaN counts as 0, ±inf as
/// ±FLT_MAX. Integer maxima, unlike those of floats, may be reordered, so the
/// loop is vectorized without fast-math flags.
class RangeEmitter {
public:
  RangeEmitter(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  /// Returns {min, max}, f32, with min ≤ 0 ≤ max. No elements give {-0, 0}.
  std::pair<Value, Value> emit(Value flat) {
    Value begin = arith::ConstantIndexOp::create(b, loc, 0);
    Value step = arith::ConstantIndexOp::create(b, loc, 1);
    Value end = tensor::DimOp::create(b, loc, flat, 0);
    Value zero = i32(0);
    auto loop = scf::ForOp::create(
        b, loc, begin, end, step, ValueRange{zero, zero},
        [&](OpBuilder &nested, Location, Value i, ValueRange magnitudes) {
          OpBuilder::InsertionGuard guard(b);
          b.restoreInsertionPoint(nested.saveInsertionPoint());
          Value x = tensor::ExtractOp::create(b, loc, flat, i);
          emitStep(x, magnitudes);
        });
    Value negative =
        arith::BitcastOp::create(b, loc, b.getF32Type(), loop.getResult(0));
    Value max =
        arith::BitcastOp::create(b, loc, b.getF32Type(), loop.getResult(1));
    return {arith::NegFOp::create(b, loc, negative), max};
  }

private:
  Value i32(int32_t value) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }

  /// `magnitudes` are the largest magnitudes below and above zero so far.
  void emitStep(Value x, ValueRange magnitudes) {
    constexpr int32_t infinity = 0x7f800000, largest = 0x7f7fffff;
    Value zero = i32(0);
    Value bits = arith::BitcastOp::create(b, loc, b.getI32Type(), x);
    Value magnitude = arith::AndIOp::create(b, loc, bits, i32(0x7fffffff));
    Value isNaN = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt,
                                        magnitude, i32(infinity));
    Value finite = arith::MinSIOp::create(b, loc, magnitude, i32(largest));
    finite = arith::SelectOp::create(b, loc, isNaN, zero, finite);
    Value isNegative =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, bits, zero);
    Value below = arith::SelectOp::create(b, loc, isNegative, finite, zero);
    Value above = arith::SelectOp::create(b, loc, isNegative, zero, finite);
    below = arith::MaxSIOp::create(b, loc, magnitudes[0], below);
    above = arith::MaxSIOp::create(b, loc, magnitudes[1], above);
    scf::YieldOp::create(b, loc, ValueRange{below, above});
  }

  OpBuilder &b;
  Location loc;
};

///   %q, %s, %z = needle.quantize_dynamic %x
///     : tensor<?xf32> -> tensor<?xui8>, tensor<f32>, tensor<i32>
/// → %range:2 = scf.for … { tensor.extract %x[%i] … }
///   N2 in arith
///   %q = linalg.generic ins(%x) outs(tensor<?xi8>) { N1 }
struct ConvertQuantizeDynamic : OpConversionPattern<QuantizeDynamicOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(QuantizeDynamicOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value operand = adaptor.getOperand();
    auto [min, max] =
        RangeEmitter(rewriter, loc).emit(flatten(rewriter, loc, operand));
    Value scale, zeroPoint;
    std::tie(scale, zeroPoint) = emitUInt8Parameters(rewriter, loc, min, max);

    auto type = getTypeConverter()->convertType<RankedTensorType>(
        op.getResult().getType());
    Value dest = createEmptyLike(rewriter, loc, type, operand);
    AffineMap map = rewriter.getMultiDimIdentityMap(type.getRank());
    Value quantized = createElementwise(
        rewriter, loc, {{operand, map}}, dest,
        [&](OpBuilder &b, Location l, ValueRange args) {
          Value q = emitQuantize(b, l, args[0], scale, zeroPoint, 0, 255);
          return emitNarrow(b, l, q);
        });
    auto makeTensor = [&](Value scalar) -> Value {
      return tensor::FromElementsOp::create(
          rewriter, loc, RankedTensorType::get({}, scalar.getType()), scalar);
    };
    rewriter.replaceOp(op,
                       {quantized, makeTensor(scale), makeTensor(zeroPoint)});
    return success();
  }
};

} // namespace

void needle::populateQuantizeDynamicPatterns(const TypeConverter &converter,
                                             RewritePatternSet &patterns) {
  patterns.add<ConvertQuantizeDynamic>(converter, patterns.getContext());
}

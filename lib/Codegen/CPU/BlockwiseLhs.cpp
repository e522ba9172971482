//===- BlockwiseLhs.cpp - Rows for products with 4-bit weights ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows become contiguous and end in zeros up to a whole chunk. With integers
// each block of a row then is quantized (N9) and preceded by its scale and by
// what corrects the sum for the zero points of the weight.
//
//===----------------------------------------------------------------------===//

#include "BlockwiseKernel.h"
#include "needle/Conversion/QuantizeEmitter.h"
#include <cfloat>

using namespace mlir;
using namespace needle::cpu;

BlockwiseKernel::Rows BlockwiseKernel::emitRows(Value firstRow, Value rowCount,
                                                Value scratch) {
  Value depth = arg(BlockwiseArg::Depth);
  Rows rows;
  rows.stride = emitPreparedRowStride(b, spec, target, depth);
  rows.base = spec.isInteger()
                  ? b.advance(scratch, emitFloatRowBytes(b, layout, depth), i8)
                  : scratch;
  b.loop(b.i64(0), rowCount, 1, [&](Value row) {
    Value index = b.mul(b.add(firstRow, row), arg(BlockwiseArg::LhsRowStride));
    Value source = b.advance(arg(BlockwiseArg::Lhs), index, f32);
    Value dest = b.advance(rows.base, b.mul(row, rows.stride), i8);
    if (!spec.isInteger())
      return emitCopyRow(source, dest);
    emitCopyRow(source, scratch);
    emitQuantizeRow(scratch, dest);
  });
  return rows;
}

void BlockwiseKernel::emitCopyRow(Value source, Value dest) {
  Value depth = arg(BlockwiseArg::Depth);
  Value stride = arg(BlockwiseArg::LhsColStride);
  Value whole = b.sub(depth, b.rem(depth, b.i64(lanes)));
  Value vectorized = b.select(b.equal(stride, b.i64(1)), whole, b.i64(0));
  b.loop(b.i64(0), vectorized, lanes, [&](Value k) {
    b.store(b.load(f32s(), b.advance(source, k, f32), 4),
            b.advance(dest, k, f32), 4);
  });
  b.loop(vectorized, depth, 1, [&](Value k) {
    b.store(b.load(f32, b.advance(source, b.mul(k, stride), f32), 4),
            b.advance(dest, k, f32), 4);
  });
  b.loop(depth, b.mul(chunks, b.i64(layout.chunk())), 1,
         [&](Value k) { b.store(b.zero(f32), b.advance(dest, k, f32), 4); });
}

/// The scale of one block (N2): the quotient of f32 is that of f64 rounded, as
/// f64 has more than twice the bits.
Value BlockwiseKernel::emitBlockScale(Value source, Value count) {
  Value largest =
      b.loop(b.i64(0), count, lanes, b.zero(f32s()),
             [&](Value k, ValueRange carried) -> Values {
               Value values = b.load(f32s(), b.advance(source, k, f32), 4);
               Value bits = arith::AndIOp::create(
                   b, arith::BitcastOp::create(b, i32s(), values),
                   b.constant(SplatElementsAttr::get(
                       i32s(), b.getI32IntegerAttr(0x7fffffff))));
               Value magnitude = arith::BitcastOp::create(b, f32s(), bits);
               // Not greater than anything, a NaN counts for nothing.
               Value greater = arith::CmpFOp::create(
                   b, arith::CmpFPredicate::OGT, magnitude, carried[0]);
               return {b.select(greater, magnitude, carried[0])};
             })[0];
  Value max =
      vector::ReductionOp::create(b, vector::CombiningKind::MAXNUMF, largest);
  auto constant = [&](float value) {
    return b.constant(b.getF32FloatAttr(value));
  };
  auto less = [&](Value low, Value high) -> Value {
    return arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, low, high);
  };
  // An infinity counts as the largest number.
  max = b.select(less(max, constant(FLT_MAX)), max, constant(FLT_MAX));
  Value scale = arith::DivFOp::create(b, max, constant(127.0F));
  scale = b.select(less(scale, constant(FLT_MIN)), constant(FLT_MIN), scale);
  Value isZero =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, max, constant(0.0F));
  return b.select(isZero, constant(1.0F), scale);
}

/// Stores the quantized block and returns the sum of its integers.
Value BlockwiseKernel::emitQuantizeBlock(Value source, Value count, Value scale,
                                         Value dest) {
  Value zero = b.zero(i32);
  Value sums =
      b.loop(b.i64(0), count, lanes, b.zero(i32s()),
             [&](Value k, ValueRange carried) -> Values {
               Value values = b.load(f32s(), b.advance(source, k, f32), 4);
               Value stored =
                   emitQuantize(b, b.getLoc(), values, scale, zero, -127, 127);
               Value narrow;
               if (byteDot.empty()) {
                 // Products are formed of the pairs (0, 2) and (1, 3) of each
                 // four.
                 narrow = arith::TruncIOp::create(b, b.vec(lanes, i16), stored);
                 SmallVector<int64_t> order;
                 for (int64_t i = 0; i < int64_t(lanes); i += 4)
                   order.append({i, i + 2, i + 1, i + 3});
                 narrow = vector::ShuffleOp::create(b, narrow, narrow, order);
               } else {
                 narrow = arith::TruncIOp::create(b, b.vec(lanes, i8), stored);
               }
               Value place = b.mul(k, b.i64(elementBytes()));
               b.store(narrow, b.advance(dest, place, i8), elementBytes());
               return {b.add(carried[0], stored)};
             })[0];
  return vector::ReductionOp::create(b, vector::CombiningKind::ADD, sums);
}

void BlockwiseKernel::emitQuantizeRow(Value source, Value dest) {
  int64_t bytes = activationHeaderBytes + layout.blockSize * elementBytes();
  b.loop(b.i64(0), blocks, 1, [&](Value block) {
    Value from = b.advance(source, b.mul(block, b.i64(layout.blockSize)), f32);
    Value to = b.advance(dest, b.mul(block, b.i64(bytes)), i8);
    Value count = b.mul(chunksOf(block), b.i64(layout.chunk()));
    Value scale = emitBlockScale(from, count);
    Value elements = b.advance(to, b.i64(activationHeaderBytes), i8);
    Value sum = emitQuantizeBlock(from, count, scale, elements);
    // Weights are stored with their zero points added; without any of their
    // own it is 8.
    Value correction = b.sub(b.zero(i32), sum);
    if (!spec.asymmetric)
      correction = b.mul(correction, b.constant(b.getI32IntegerAttr(8)));
    b.store(scale, to, 4);
    b.store(correction, b.advance(to, b.i64(4), i8), 4);
  });
}

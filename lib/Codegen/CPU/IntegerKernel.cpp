//===- IntegerKernel.cpp - 8-bit contraction kernels ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each step along K loads the pairs of NR packed columns and broadcasts one
// pair of each row. Rows of lhs stay rows: they are widened to i16 with the
// zero point subtracted, so that no correction terms remain, and a stride of
// whole cache lines plus one keeps them apart in the cache.
//
//===----------------------------------------------------------------------===//

#include "IntegerKernel.h"
#include "DotProduct.h"

using namespace mlir;
using namespace needle::cpu;

void IntegerKernel::emitPrologue() {
  ContractionKernel::emitPrologue();
  lhsZeroPoint = arith::TruncIOp::create(b, i16, arg(KernelArg::LhsZeroPoint));
  if (!spec.wide)
    return;
  wideSums = b.stack(i64, tile.rows * tile.columns);
  wideTile = b.stack(i32, tile.rows * tile.columns);
}

/// Loads the pairs of one vector of columns, widened to i16.
Value IntegerKernel::emitLoadPairs(Value pointer, unsigned rhsBits) {
  VectorType wide = b.vec(2 * lanes, i16);
  if (rhsBits == 16)
    return b.load(wide, pointer, 4 * lanes);
  Value narrow = b.load(b.vec(2 * lanes, i8), pointer, 2 * lanes);
  return arith::ExtSIOp::create(b, wide, narrow);
}

SmallVector<Value> IntegerKernel::emitPairs(unsigned rows, Rows lhs,
                                            const Panel &panel, Value firstPair,
                                            Value lastPair) {
  VectorType sumType = b.vec(lanes, i32), pairType = b.vec(2 * lanes, i16);
  Type packed = panel.rhsBits == 8 ? i8 : i16;
  auto step = [&](Value base, ArrayRef<Value> elements, ValueRange sums) {
    SmallVector<Value> columns, next;
    for (unsigned v = 0; v < vectors(); ++v)
      columns.push_back(emitLoadPairs(
          b.advance(base, b.i64(2 * v * lanes), packed), panel.rhsBits));
    for (unsigned i = 0; i < rows; ++i) {
      Value pair = vector::BitCastOp::create(
          b, pairType, b.broadcast(b.load(i32, elements[i], 4), sumType));
      for (unsigned v = 0; v < vectors(); ++v)
        next.push_back(
            emitPairDot(b, target, sums[i * vectors() + v], pair, columns[v]));
    }
    return next;
  };
  unsigned pairBytes = 2 * tile.columns * panel.rhsBits / 8;
  lhs.base = b.advance(lhs.base, firstPair, i32);
  Value rhs = b.advance(panel.rhs, b.mul(firstPair, b.i64(pairBytes)), i8);
  SmallVector<Value> zeros(rows * vectors(), b.zero(sumType));
  return emitSteps(rows, lhs, 4, rhs, pairBytes, b.sub(lastPair, firstPair),
                   zeros, step);
}

SmallVector<Value> IntegerKernel::emitTile(unsigned rows, Rows lhs,
                                           const Panel &panel) {
  return emitPairs(rows, lhs, panel, b.i64(0), numPairs());
}

void IntegerKernel::emitPanels(const Block &block, Rows lhs) {
  auto emitAll = [&](Value widened) {
    b.loop(block.firstPanel, block.lastPanel, 1, [&](Value index) {
      Panel panel = emitPanel(index, block.firstRow);
      if (widened) {
        panel.rhs = emitWidenedPanel(panel.rhs, widened);
        panel.rhsBits = 16;
      }
      bool isVariant = !widened && widensPanels(spec);
      emitRowsOfPanel(panel, lhs, block.rowCount, /*leftInOneTile=*/!isVariant);
    });
  };
  if (!widensPanels(spec))
    return emitAll(nullptr);
  // Two tiles of rows widen a panel as fast in registers.
  b.ifThenElse(
      b.less(b.i64(2 * tile.rows), block.rowCount),
      [&] {
        Value stride = emitPackedRowStride(b, b.getLoc(), /*integer=*/true,
                                           arg(KernelArg::Depth));
        Value rows = b.min(arg(KernelArg::BlockRows), arg(KernelArg::Rows));
        emitAll(
            b.advance(emitWorkspace(block.worker), b.mul(rows, stride), i16));
      },
      [&] { emitAll(nullptr); });
}

/// Copies a panel of i8 to i16: each of its elements is read by many tiles.
Value IntegerKernel::emitWidenedPanel(Value rhs, Value scratch) {
  unsigned step = 2 * tile.columns;
  b.loop(b.i64(0), b.mul(numPairs(), b.i64(step)), step, [&](Value i) {
    Value narrow = b.load(b.vec(step, i8), b.advance(rhs, i, i8), step);
    Value wide = arith::ExtSIOp::create(b, b.vec(step, i16), narrow);
    b.store(wide, b.advance(scratch, i, i16), 2 * step);
  });
  return scratch;
}

ContractionKernel::Rows IntegerKernel::emitLhsRows(const Block &block) {
  Value scratch = emitWorkspace(block.worker);
  Value stride = emitPackedRowStride(b, b.getLoc(), /*integer=*/true,
                                     arg(KernelArg::Depth));
  Value source =
      b.advance(arg(KernelArg::Lhs),
                b.mul(block.firstRow, arg(KernelArg::LhsRowStride)), i8);
  emitPackRows(source, scratch, block.rowCount, stride);
  return {scratch, b.mul(stride, b.i64(2))};
}

void IntegerKernel::emitPackRows(Value source, Value dest, Value rowCount,
                                 Value destStride) {
  Value depth = arg(KernelArg::Depth);
  auto widen = [&](Type type, Value narrow) -> Value {
    if (spec.lhsUnsigned)
      return arith::ExtUIOp::create(b, type, narrow);
    return arith::ExtSIOp::create(b, type, narrow);
  };
  VectorType wide = b.vec(2 * lanes, i16), narrow = b.vec(2 * lanes, i8);
  Value zeroPoints = b.broadcast(lhsZeroPoint, wide);
  // Rows that are contiguous and fill a vector are widened in vectors, the last
  // of which ends where the row ends.
  Value vectorized =
      arith::AndIOp::create(b, b.equal(arg(KernelArg::LhsColStride), b.i64(1)),
                            b.less(b.i64(2 * lanes - 1), depth));
  Value lastVector = b.sub(depth, b.i64(2 * lanes));
  Value vectorEnd = b.select(vectorized, lastVector, b.i64(0));
  Value scalarBegin = b.select(vectorized, depth, b.i64(0));
  Value odd = b.equal(b.rem(depth, b.i64(2)), b.i64(1));

  b.loop(b.i64(0), rowCount, 1, [&](Value row) {
    Value from =
        b.advance(source, b.mul(row, arg(KernelArg::LhsRowStride)), i8);
    Value to = b.advance(dest, b.mul(row, destStride), i16);
    auto emitVector = [&](Value k) {
      Value values = widen(wide, b.load(narrow, b.advance(from, k, i8), 1));
      b.store(b.sub(values, zeroPoints), b.advance(to, k, i16), 2);
    };
    b.loop(b.i64(0), vectorEnd, 2 * lanes, emitVector);
    b.ifThen(vectorized, [&] { emitVector(lastVector); });
    b.loop(scalarBegin, depth, 1, [&](Value k) {
      Value at = b.mul(k, arg(KernelArg::LhsColStride));
      Value value = widen(i16, b.load(i8, b.advance(from, at, i8), 1));
      b.store(b.sub(value, lhsZeroPoint), b.advance(to, k, i16), 2);
    });
    // The last pair of an odd K.
    b.ifThen(odd, [&] { b.store(b.zero(i16), b.advance(to, depth, i16), 2); });
  });
}

Value IntegerKernel::emitFinish(Value sum, Value scale, Value bias) {
  if (spec.dest == DestKind::I32)
    return bias ? b.add(sum, bias) : sum;
  Value value = sum;
  if (spec.integerBias)
    value = b.add(value, arith::ExtSIOp::create(b, sum.getType(), bias));
  value = arith::SIToFPOp::create(b, b.shapedLike(sum, f32), value);
  value = arith::MulFOp::create(b, value, scale);
  return ContractionKernel::emitFinish(value, scale, bias);
}

void IntegerKernel::emitFinishedTile(unsigned rows, const Panel &panel,
                                     Rows lhs, Value dest) {
  if (!spec.wide)
    return ContractionKernel::emitFinishedTile(rows, panel, lhs, dest);
  Value count = b.i64(rows * tile.columns);
  b.loop(b.i64(0), count, 1, [&](Value i) {
    b.store(b.zero(i64), b.advance(wideSums, i, i64), 8);
  });
  Value pairs = numPairs();
  int64_t chunk = getMaxDepth(spec) / 2;
  b.loop(b.i64(0), pairs, chunk, [&](Value first) {
    Value last = b.min(b.add(first, b.i64(chunk)), pairs);
    SmallVector<Value> sums = emitPairs(rows, lhs, panel, first, last);
    for (auto [i, sum] : llvm::enumerate(sums))
      b.store(sum, b.advance(wideTile, b.i64(i * lanes), i32), 4);
    b.loop(b.i64(0), count, 1, [&](Value i) {
      Value part = arith::ExtSIOp::create(
          b, i64, b.load(i32, b.advance(wideTile, i, i32), 4));
      Value at = b.advance(wideSums, i, i64);
      b.store(b.add(b.load(i64, at, 8), part), at, 8);
    });
  });
  b.loop(b.i64(0), b.i64(rows), 1, [&](Value row) {
    Value from = b.advance(wideSums, b.mul(row, b.i64(tile.columns)), i64);
    Value to = b.advance(dest, b.mul(row, panel.destStride), i8);
    b.loop(b.i64(0), b.i64(tile.columns), 1, [&](Value column) {
      Value sum = b.load(i64, b.advance(from, column, i64), 8);
      Value scale = b.load(f32, b.advance(panel.scales, column, f32), 4);
      Value bias;
      if (spec.hasBias)
        bias = b.load(biasType(), b.advance(panel.bias, column, f32), 4);
      b.store(emitFinish(sum, scale, bias), b.advance(to, column, destType()),
              destBytes());
    });
  });
}

//===- IntegerKernel.cpp - 8-bit contraction kernels ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What lies around the inner loops: rows of lhs, panels, sums beyond i32.
//
//===----------------------------------------------------------------------===//

#include "IntegerKernel.h"

using namespace mlir;
using namespace needle::cpu;

void IntegerKernel::emitPrologue() {
  ContractionKernel::emitPrologue();
  lhsZeroPoint = arith::TruncIOp::create(b, i32, arg(KernelArg::LhsZeroPoint));
  if (changesSign())
    lhsZeroPoint =
        b.add(lhsZeroPoint,
              b.constant(b.getI32IntegerAttr(spec.lhsUnsigned ? -128 : 128)));
  if (widensPanels(spec))
    partSums = b.stack(i32, target.blockRows * tile.columns);
  if (spec.form == DotForm::Nibbles)
    splitQuad = b.stack(i8, 4);
  if (!spec.wide)
    return;
  wideSums = b.stack(i64, tile.rows * tile.columns);
  wideTile = b.stack(i32, tile.rows * tile.columns);
}

SmallVector<Value> IntegerKernel::emitTile(unsigned rows, Rows lhs,
                                           const Panel &panel) {
  if (spec.form == DotForm::Bytes)
    return emitBytes(rows, lhs, panel);
  if (spec.form == DotForm::Nibbles)
    return emitNibbles(rows, lhs, panel.rhs);
  // A single row would leave half of each matrix empty.
  if (spec.form == DotForm::Quads && quads.multipliesMatrices() && rows > 1)
    return emitMatrices(rows, lhs, panel.rhs);
  if (spec.form == DotForm::Quads)
    return emitQuads(rows, lhs, panel.rhs);
  if (panel.rhsBits == 16)
    return emitPairs(rows, lhs, panel.rhs, b.i64(0), numGroups());
  return emitPairsOfQuads(rows, lhs, panel.rhs, b.i64(0), numGroups());
}

void IntegerKernel::emitPanels(const Block &block, Rows lhs) {
  if (spec.form != DotForm::Pairs || spec.rhsBits == 16)
    return ContractionKernel::emitPanels(block, lhs);
  auto emitFewRows = [&] {
    unsigned tileRows = std::min(rowsOfQuads(), tile.rows);
    b.loop(block.firstPanel, block.lastPanel, 1, [&](Value index) {
      emitRowsOfPanel(emitPanel(index, block.firstRow), lhs, block.rowCount,
                      tileRows, /*leftInOneTile=*/true);
    });
  };
  if (!widensPanels(spec))
    return emitFewRows();
  // Three tiles of rows widen a panel as fast in registers.
  b.ifThenElse(
      b.less(b.i64(3 * rowsOfQuads()), block.rowCount),
      [&] {
        Value stride =
            emitPackedRowStride(b, b.getLoc(), spec, arg(KernelArg::Depth));
        Value rows = b.min(arg(KernelArg::BlockRows), arg(KernelArg::Rows));
        emitWidenedPanels(
            block, lhs,
            b.advance(emitWorkspace(block.worker), b.mul(rows, stride), i16));
      },
      emitFewRows);
}

static constexpr int64_t lineBytes = 64;

void IntegerKernel::emitWidenedPanels(const Block &block, Rows lhs,
                                      Value scratch) {
  Value groups = numGroups();
  // Parts of equal size; one even where K is 0.
  Value parts = b.max(b.ceilDiv(groups, mostGroupsOfPart), b.i64(1));
  Value size = b.ceilDiv(groups, parts);
  Value tiles = b.ceilDiv(block.rowCount, tile.rows);
  b.loop(block.firstPanel, block.lastPanel, 1, [&](Value index) {
    Panel panel = emitPanel(index, block.firstRow);
    Value packed = panel.rhs;
    panel.rhs = scratch;
    panel.rhsBits = 16;
    b.loop(b.i64(0), parts, 1, [&](Value i) {
      Value first = b.mul(i, size);
      Value last = b.min(b.add(first, size), groups);
      Value bytes = b.mul(size, b.i64(groupBytes()));
      Value narrow = b.advance(packed, b.mul(i, bytes), i8);
      part = {b.sub(last, first), b.equal(i, b.i64(0)), b.equal(last, groups),
              b.advance(narrow, bytes, i8), b.ceilDiv(bytes, lineBytes)};
      part->prefetchLines = b.ceilDiv(part->prefetchLines, tiles);
      emitWiden(narrow, scratch, part->groups);
      Rows own = lhs;
      own.base = b.advance(lhs.base, first, i64);
      emitRowsOfPanel(panel, own, block.rowCount, tile.rows,
                      /*leftInOneTile=*/tile.rows <= 6);
      part.reset();
    });
  });
}

/// The tile's share of what will be widened next.
void IntegerKernel::emitPrefetchOfNext(const Panel &panel) {
  Value tileIndex = b.div(panel.row, b.i64(tile.rows));
  Value first = b.mul(tileIndex, part->prefetchLines);
  Value last = b.add(first, part->prefetchLines);
  // In large blocks one round does, which branches predictably.
  constexpr int64_t linesOfRound = 4;
  b.loop(first, last, linesOfRound, [&](Value line) {
    Value from = b.advance(part->next, b.mul(line, b.i64(lineBytes)), i8);
    for (int64_t i = 0; i < linesOfRound; ++i)
      b.prefetch(b.advance(from, b.i64(i * lineBytes), i8));
  });
}

void IntegerKernel::emitPartOfTile(unsigned rows, const Panel &panel, Rows lhs,
                                   Value dest) {
  VectorType vector = b.vec(lanes, i32);
  Value at = b.advance(partSums, b.mul(panel.row, b.i64(tile.columns)), i32);
  unsigned alignment = 4 * lanes;
  unsigned numSums = rows * vectors();
  emitPrefetchOfNext(panel);
  SmallVector<Value> sums = b.select(
      part->isFirst, SmallVector<Type>(numSums, vector),
      [&] { return SmallVector<Value>(numSums, b.zero(vector)); },
      [&] {
        SmallVector<Value> soFar;
        for (unsigned i = 0; i < numSums; ++i)
          soFar.push_back(
              b.load(vector, b.advance(at, b.i64(i * lanes), i32), alignment));
        return soFar;
      });
  sums = emitPairs(rows, lhs, panel.rhs, b.i64(0), part->groups, sums);
  b.ifThenElse(
      part->isLast, [&] { emitEpilogue(rows, sums, panel, dest); },
      [&] {
        for (auto [i, sum] : llvm::enumerate(sums))
          b.store(sum, b.advance(at, b.i64(i * lanes), i32), alignment);
      });
}

//===----------------------------------------------------------------------===//
// Rows of lhs
//===----------------------------------------------------------------------===//

ContractionKernel::Rows IntegerKernel::emitLhsRows(const Block &block) {
  Value depth = arg(KernelArg::Depth);
  Value scratch = emitWorkspace(block.worker);
  Value stride = emitPackedRowStride(b, b.getLoc(), spec, depth);
  Value source = emitSource(block);
  Rows packed{scratch, b.mul(stride, b.i64(spec.lhsBytes()))};
  if (spec.form == DotForm::Nibbles) {
    emitPackNibbles(source, scratch, block.rowCount, stride);
    return packed;
  }
  auto pack = [&] { emitPackRows(source, scratch, block.rowCount, stride); };
  if (spec.form == DotForm::Pairs || changesSign()) {
    pack();
    return packed;
  }
  // Whole quads of rows that are contiguous are read where they are.
  Value inPlace =
      arith::AndIOp::create(b, b.equal(arg(KernelArg::LhsColStride), b.i64(1)),
                            b.equal(b.rem(depth, b.i64(4)), b.i64(0)));
  b.ifThenElse(inPlace, [] {}, pack);
  return {b.select(inPlace, source, packed.base),
          b.select(inPlace, arg(KernelArg::LhsRowStride), packed.stride)};
}

Value IntegerKernel::emitConvert(Value narrow) {
  if (spec.form != DotForm::Pairs) {
    if (!changesSign())
      return narrow;
    // x + 128 as u8, or x − 128 as i8.
    Type type = narrow.getType();
    Value sign = b.constant(b.getI8IntegerAttr(-128));
    if (auto vector = dyn_cast<VectorType>(type))
      sign = b.broadcast(sign, vector);
    return arith::XOrIOp::create(b, narrow, sign);
  }
  Type type = b.shapedLike(narrow, i16);
  Value zeroPoint = arith::TruncIOp::create(b, i16, lhsZeroPoint);
  if (auto vector = dyn_cast<VectorType>(type))
    zeroPoint = b.broadcast(zeroPoint, vector);
  Value wide = spec.lhsUnsigned
                   ? Value(arith::ExtUIOp::create(b, type, narrow))
                   : Value(arith::ExtSIOp::create(b, type, narrow));
  return b.sub(wide, zeroPoint);
}

/// splitPlace of a `k` that is known when the program runs.
static Value emitSplitPlace(KernelBuilder &b, Value k) {
  auto shifted = [&](Value bit, bool left) -> Value {
    Value one = b.i64(1);
    return left ? Value(arith::ShLIOp::create(b, bit, one))
                : Value(arith::ShRUIOp::create(b, bit, one));
  };
  auto masked = [&](int64_t mask) -> Value {
    return arith::AndIOp::create(b, k, b.i64(mask));
  };
  return b.add(masked(~int64_t(3)),
               b.add(shifted(masked(1), true), shifted(masked(2), false)));
}

/// Rows stay rows; a stride of whole cache lines plus one keeps them apart in
/// the cache.
void IntegerKernel::emitPackRows(Value source, Value dest, Value rowCount,
                                 Value destStride) {
  Value depth = arg(KernelArg::Depth);
  Type packed = b.getIntegerType(8 * spec.lhsBytes());
  unsigned count = 2 * lanes, bytes = spec.lhsBytes();
  // Rows that are contiguous and fill a vector are converted in vectors, the
  // last of which ends with the last whole quad.
  Value vectorized =
      arith::AndIOp::create(b, b.equal(arg(KernelArg::LhsColStride), b.i64(1)),
                            b.less(b.i64(count - 1), depth));
  Value quadEnd = b.mul(b.div(depth, b.i64(4)), b.i64(4));
  Value lastVector = b.sub(quadEnd, b.i64(count));
  Value vectorEnd = b.select(vectorized, lastVector, b.i64(0));
  Value scalarBegin = b.select(vectorized, quadEnd, b.i64(0));
  SmallVector<int64_t> places;
  for (int64_t i = 0; i < count; ++i)
    places.push_back(splitPlace(i));
  auto placeOf = [&](Value k) {
    return splitsQuads() ? emitSplitPlace(b, k) : k;
  };

  b.loop(b.i64(0), rowCount, 1, [&](Value row) {
    Value from =
        b.advance(source, b.mul(row, arg(KernelArg::LhsRowStride)), i8);
    Value to = b.advance(dest, b.mul(row, destStride), packed);
    auto emitVector = [&](Value k) {
      Value narrow = b.load(b.vec(count, i8), b.advance(from, k, i8), 1);
      if (splitsQuads())
        narrow = vector::ShuffleOp::create(b, narrow, narrow, places);
      b.store(emitConvert(narrow), b.advance(to, k, packed), bytes);
    };
    b.loop(b.i64(0), vectorEnd, count, emitVector);
    b.ifThen(vectorized, [&] { emitVector(lastVector); });
    b.loop(scalarBegin, depth, 1, [&](Value k) {
      Value at = b.mul(k, arg(KernelArg::LhsColStride));
      Value narrow = b.load(i8, b.advance(from, at, i8), 1);
      b.store(emitConvert(narrow), b.advance(to, placeOf(k), packed), bytes);
    });
    // What completes the last quad.
    b.loop(depth, b.roundUp(depth, 4), 1, [&](Value k) {
      b.store(b.zero(packed), b.advance(to, placeOf(k), packed), bytes);
    });
  });
}

//===----------------------------------------------------------------------===//
// From sums to results
//===----------------------------------------------------------------------===//

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

/// Adds up sums of i32 over parts of K that they cannot leave i32 in.
void IntegerKernel::emitWideSums(unsigned rows, const Panel &panel, Rows lhs) {
  Value count = b.i64(rows * tile.columns);
  b.loop(b.i64(0), count, 1, [&](Value i) {
    b.store(b.zero(i64), b.advance(wideSums, i, i64), 8);
  });
  Value groups = numGroups();
  int64_t chunk = getMaxDepth(spec) / 4;
  b.loop(b.i64(0), groups, chunk, [&](Value first) {
    Value last = b.min(b.add(first, b.i64(chunk)), groups);
    SmallVector<Value> sums =
        panel.rhsBits == 16
            ? emitPairs(rows, lhs, panel.rhs, first, last)
            : emitPairsOfQuads(rows, lhs, panel.rhs, first, last);
    for (auto [i, sum] : llvm::enumerate(sums))
      b.store(sum, b.advance(wideTile, b.i64(i * lanes), i32), 4);
    b.loop(b.i64(0), count, 1, [&](Value i) {
      Value part = arith::ExtSIOp::create(
          b, i64, b.load(i32, b.advance(wideTile, i, i32), 4));
      Value at = b.advance(wideSums, i, i64);
      b.store(b.add(b.load(i64, at, 8), part), at, 8);
    });
  });
}

void IntegerKernel::emitFinishedTile(unsigned rows, const Panel &panel,
                                     Rows lhs, Value dest) {
  if (part)
    return emitPartOfTile(rows, panel, lhs, dest);
  if (!spec.wide)
    return ContractionKernel::emitFinishedTile(rows, panel, lhs, dest);
  emitWideSums(rows, panel, lhs);
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

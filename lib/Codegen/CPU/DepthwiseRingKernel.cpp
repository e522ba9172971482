//===- DepthwiseRingKernel.cpp - Depthwise integers -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DepthwiseRingKernel.h"
#include "DotProduct.h"

using namespace mlir;
using namespace needle::cpu;

//===----------------------------------------------------------------------===//
// The ring
//===----------------------------------------------------------------------===//

void DepthwiseRingKernel::emitChannels(const Block &block,
                                       const Channels &channels) {
  Value ring = emitWorkspace(block.worker);
  Value width = patch(PatchArg::ResultWidth);
  Value hasTile = b.less(b.i64(pixels - 1), width);
  Value tileEnd = b.select(hasTile, width, b.i64(0));
  Value lastTile = b.sub(width, b.i64(pixels));
  Value ringRows = patch(PatchArg::RingRows);

  // Carried: up to which row of which image the ring is filled.
  SmallVector<Value> start = {b.i64(0), b.i64(-1)};
  b.loop(b.i64(0), block.rowCount, 1, start, [&](Value index, ValueRange full) {
    Value resultRow = b.add(block.firstRow, index);
    ResultRow row = emitResultRow(resultRow, channels);
    Value image = b.div(resultRow, patch(PatchArg::ResultHeight));
    // Counted from one that is not negative, so that it is a place in the ring.
    Value top = b.add(row.top, patch(PatchArg::Top));
    Value end = b.add(top, ringRows);
    Value first = b.select(b.equal(image, full[1]), b.max(full[0], top), top);
    b.loop(first, end, 1, [&](Value y) {
      Value ringRow = b.advance(
          ring, b.mul(b.rem(y, ringRows), patch(PatchArg::RingRowBytes)), i8);
      emitPackRow(row.image, b.sub(y, patch(PatchArg::Top)), ringRow, channels);
    });
    Value at = b.mul(b.rem(top, ringRows), patch(PatchArg::RingRowBytes));
    b.loop(b.i64(0), tileEnd, pixels, [&](Value x) {
      x = b.min(x, lastTile);
      emitStore(row, x, emitPixels(ring, at, x, pixels, channels), channels);
    });
    b.loop(tileEnd, width, 1, [&](Value x) {
      emitStore(row, x, emitPixels(ring, at, x, 1, channels), channels);
    });
    return SmallVector<Value>{end, image};
  });
}

SmallVector<Value> DepthwiseRingKernel::emitPixels(Value ring, Value start,
                                                   Value x, unsigned count,
                                                   const Channels &channels) {
  SmallVector<Value> carried(count * channels.vectors,
                             b.zero(lanesOf(channels, sumElement())));
  carried.push_back(start);
  // A position has 32 bits for each channel.
  Value column =
      b.mul(b.mul(x, b.i64(spec.depthwise.stride)), b.i64(channels.count()));
  Value rowBytes = patch(PatchArg::RingRowBytes);
  Value ringBytes = b.mul(patch(PatchArg::RingRows), rowBytes);
  Value stepBytes = b.mul(patch(PatchArg::DilationHeight), rowBytes);
  auto step = [&](Value i, ValueRange values) {
    SmallVector<Value> next(values);
    Value line = b.advance(b.advance(ring, values.back(), i8), column, i32);
    emitRingRow(i, line, count, channels, MutableArrayRef(next).drop_back());
    // The row behind the last of the ring is its first.
    Value behind = b.add(values.back(), stepBytes);
    next.back() =
        b.select(b.less(behind, ringBytes), behind, b.sub(behind, ringBytes));
    return next;
  };
  auto results =
      b.loop(b.i64(0), patch(PatchArg::KernelHeight), 1, carried, step);
  return llvm::to_vector_of<Value>(results.drop_back());
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

void DepthwisePairsKernel::emitPrologue() {
  DepthwiseRingKernel::emitPrologue();
  zeros = b.stack(i8, tile.columns);
  b.store(b.zero(b.vec(tile.columns, i8)), zeros, 1);
}

/// Two pixels and two weights of each channel, interleaved.
Value DepthwisePairsKernel::emitPairSum(Value pixels, Value weights, Value sum,
                                        const Channels &channels) {
  if (channels.lanes > 1)
    return emitPairDot(b, target, sum, pixels, weights);
  for (int64_t i = 0; i < 2; ++i) {
    auto widen = [&](Value pair) -> Value {
      Value value = vector::ExtractOp::create(b, pair, i);
      return arith::ExtSIOp::create(b, i32, value);
    };
    sum = b.add(sum, b.mul(widen(pixels), widen(weights)));
  }
  return sum;
}

/// The pixel at `at`, less the zero point.
Value DepthwisePairsKernel::emitLoadPixel(Value at, const Channels &channels) {
  VectorType wide = b.vec(channels.count(), i16);
  Value stored = b.load(b.vec(channels.count(), i8), at, 1);
  Value value = spec.lhsUnsigned
                    ? Value(arith::ExtUIOp::create(b, wide, stored))
                    : Value(arith::ExtSIOp::create(b, wide, stored));
  Value zeroPoint =
      arith::TruncIOp::create(b, i16, arg(KernelArg::LhsZeroPoint));
  return b.sub(value, b.broadcast(zeroPoint, wide));
}

/// Fills a row of the ring from row `row` of the image, which may be outside.
void DepthwisePairsKernel::emitPackRow(Value image, Value row, Value ringRow,
                                       const Channels &channels) {
  Value width = patch(PatchArg::Width), left = patch(PatchArg::Left);
  Value positions = patch(PatchArg::RingPositions);
  int64_t dilation = spec.depthwise.dilation;
  auto isBelow = [&](Value index, Value size) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, index, size);
  };
  Value rowInside = isBelow(row, patch(PatchArg::Height));
  Value line = b.advance(image, b.mul(row, patch(PatchArg::RowBytes)), i8);
  auto placeOf = [&](Value column) {
    return b.advance(line, b.mul(column, patch(PatchArg::PixelBytes)), i8);
  };
  auto store = [&](Value position, Value pixel, Value neighbour) {
    Value pair = vector::InterleaveOp::create(b, pixel, neighbour);
    Value at = b.mul(position, b.i64(2 * channels.count()));
    b.store(pair, b.advance(ringRow, at, i16), 4);
  };
  auto loadChecked = [&](Value position) {
    Value column = b.sub(position, left);
    Value isInside =
        arith::AndIOp::create(b, rowInside, isBelow(column, width));
    // The image may be empty: what lies beyond it is read nowhere.
    Value pixel =
        emitLoadPixel(b.select(isInside, placeOf(column), zeros), channels);
    return b.select(isInside, pixel, b.zero(pixel.getType()));
  };
  auto emitChecked = [&](Value begin, Value end) {
    b.loop(begin, end, 1, [&](Value position) {
      store(position, loadChecked(position),
            loadChecked(b.add(position, b.i64(dilation))));
    });
  };
  // Pixels [first, last) and their neighbours lie inside.
  Value first = b.select(rowInside, b.min(left, positions), b.i64(0));
  Value end = b.min(b.sub(b.add(width, left), b.i64(dilation)), positions);
  Value last = b.select(rowInside, b.max(end, first), first);
  emitChecked(b.i64(0), first);
  b.ifThen(b.less(first, last), [&] {
    auto load = [&](Value position) {
      return emitLoadPixel(placeOf(b.sub(position, left)), channels);
    };
    if (dilation != 1) {
      b.loop(first, last, 1, [&](Value position) {
        store(position, load(position), load(b.add(position, b.i64(dilation))));
      });
      return;
    }
    // Each pixel is the neighbour of the one before.
    b.loop(first, last, 1, load(first), [&](Value position, ValueRange pixel) {
      Value neighbour = load(b.add(position, b.i64(1)));
      store(position, pixel[0], neighbour);
      return SmallVector<Value>{neighbour};
    });
  });
  emitChecked(last, positions);
}

void DepthwisePairsKernel::emitRingRow(Value i, Value line, unsigned count,
                                       const Channels &channels,
                                       MutableArrayRef<Value> sums) {
  unsigned stride = spec.depthwise.stride;
  unsigned dilation = spec.depthwise.dilation;
  unsigned vectors = channels.vectors, elements = 2 * channels.lanes;
  VectorType pairType = b.vec(elements, i16);
  for (unsigned pair = 0; pair < pairs(); ++pair)
    for (unsigned v = 0; v < vectors; ++v) {
      // Weights are [KH][pairs][C][2].
      Value index = b.add(b.mul(i, b.i64(pairs())), b.i64(pair));
      Value at = b.add(b.mul(index, arg(KernelArg::Columns)),
                       b.add(channels.first, b.i64(v * channels.lanes)));
      Value weights =
          b.load(pairType, b.advance(arg(KernelArg::Rhs), at, i32), 4);
      for (unsigned p = 0; p < count; ++p) {
        unsigned place =
            (p * stride + 2 * pair * dilation) * 2 * channels.count() +
            v * elements;
        Value pixel = b.load(pairType, b.advance(line, b.i64(place), i16), 4);
        Value &sum = sums[p * vectors + v];
        sum = emitPairSum(pixel, weights, sum, channels);
      }
    }
}

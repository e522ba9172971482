//===- DepthwiseKernel.cpp - One channel at a time ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DepthwiseKernel.h"
#include "DotProduct.h"

using namespace mlir;
using namespace needle::cpu;

//===----------------------------------------------------------------------===//
// Floats and integers
//===----------------------------------------------------------------------===//

template <typename Base>
void DepthwiseKernel<Base>::emitPrologue() {
  Base::emitPrologue();
  ContextReader reader(this->b, this->arg(KernelArg::Patches));
  for (unsigned i = 0; i < unsigned(PatchArg::Count); ++i)
    patchArgs.push_back(reader.nextWord());
}

template <typename Base>
void DepthwiseKernel<Base>::emitPanels(const typename Base::Block &block,
                                       typename Base::Rows) {
  KernelBuilder &b = this->b;
  unsigned width = this->tile.columns;
  Value count = this->arg(KernelArg::Columns);
  // The last panel ends where the channels end, and may repeat some; too few
  // for a panel go one by one.
  b.ifThenElse(
      b.less(b.i64(width - 1), count),
      [&] {
        Value last = b.sub(count, b.i64(width));
        b.loop(b.i64(0), count, width, [&](Value first) {
          emitChannels(block,
                       {b.min(first, last), this->lanes, width / this->lanes});
        });
      },
      [&] {
        // Groups of several channels fill a panel at least.
        if (this->spec.depthwise.channels == 1)
          b.loop(b.i64(0), count, 1,
                 [&](Value first) { emitChannels(block, {first, 1, 1}); });
      });
}

template <typename Base>
typename DepthwiseKernel<Base>::ResultRow
DepthwiseKernel<Base>::emitResultRow(Value row, const Channels &channels) {
  KernelBuilder &b = this->b;
  Value height = patch(PatchArg::ResultHeight);
  Value image = b.div(row, height), y = b.rem(row, height);
  Type element = this->spec.integer ? this->i8 : this->f32;
  Value pixel = b.mul(b.mul(row, patch(PatchArg::ResultWidth)),
                      this->arg(KernelArg::DestRowStride));
  return {
      b.advance(b.advance(this->arg(KernelArg::Lhs),
                          b.mul(image, patch(PatchArg::ImageBytes)), this->i8),
                channels.first, element),
      b.sub(b.mul(y, patch(PatchArg::StrideHeight)), patch(PatchArg::Top)),
      b.advance(this->arg(KernelArg::Dest), b.add(pixel, channels.first),
                this->destType())};
}

template <typename Base>
void DepthwiseKernel<Base>::emitStore(const ResultRow &row, Value x,
                                      ArrayRef<Value> sums,
                                      const Channels &channels) {
  KernelBuilder &b = this->b;
  // Bytes of a pixel are stored together.
  if (this->spec.dest == DestKind::Q8 && channels.vectors > 1)
    return emitStore(row, x, this->emitJoin(sums, channels.vectors),
                     {channels.first, channels.count(), 1});
  auto load = [&](KernelArg which, Type type, unsigned vector) {
    Value at = b.add(channels.first, b.i64(vector * channels.lanes));
    return b.load(lanesOf(channels, type),
                  b.advance(this->arg(which), at, type), 4);
  };
  for (unsigned v = 0; v < channels.vectors; ++v) {
    Value scale, bias;
    if (this->hasScales())
      scale = load(KernelArg::Scales, this->f32, v);
    if (this->spec.hasBias)
      bias = load(KernelArg::Bias, this->biasType(), v);
    for (unsigned p = 0; p * channels.vectors < sums.size(); ++p) {
      Value at = b.mul(b.add(x, b.i64(p)), this->arg(KernelArg::DestRowStride));
      at = b.add(at, b.i64(v * channels.lanes));
      b.store(this->emitFinish(sums[p * channels.vectors + v], scale, bias),
              b.advance(row.dest, at, this->destType()), this->destBytes());
    }
  }
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

void DepthwiseFloatKernel::emitPrologue() {
  DepthwiseKernel::emitPrologue();
  zeros = b.stack(f32, tile.columns);
  b.store(b.zero(b.vec(tile.columns, f32)), zeros, 4);
}

/// Which rows of the kernel lie inside of the image, the first being at `top`.
DepthwiseFloatKernel::Range DepthwiseFloatKernel::emitRowsInside(Value top) {
  Value dilation = patch(PatchArg::DilationHeight);
  auto steps = [&](Value distance) {
    Value count = b.ceilDiv(distance, dilation);
    return b.min(b.max(count, b.i64(0)), patch(PatchArg::KernelHeight));
  };
  Value first = steps(b.sub(b.i64(0), top));
  return {first, b.max(steps(b.sub(patch(PatchArg::Height), top)), first)};
}

/// For each column of a vector the channel `index` of its group.
Value DepthwiseFloatKernel::emitChannelOfGroup(Value pixel, unsigned index) {
  int64_t share = spec.depthwise.channels;
  if (share == 1)
    return pixel;
  SmallVector<int64_t> lanesOfGroups;
  for (int64_t lane = 0; lane < int64_t(lanes); ++lane)
    lanesOfGroups.push_back(lane / share * share + index);
  return vector::ShuffleOp::create(b, pixel, pixel, lanesOfGroups);
}

SmallVector<Value> DepthwiseFloatKernel::emitPixels(const ResultRow &row,
                                                    Range rows, Value x,
                                                    unsigned count,
                                                    bool isInside,
                                                    const Channels &channels) {
  unsigned width = spec.depthwise.width, stride = spec.depthwise.stride;
  unsigned dilation = spec.depthwise.dilation;
  unsigned share = spec.depthwise.channels;
  Type type = lanesOf(channels, f32);
  unsigned vectors = channels.vectors;
  Value left = b.sub(b.mul(x, b.i64(stride)), patch(PatchArg::Left));
  auto isOnImage = [&](unsigned column) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                 b.add(left, b.i64(column)),
                                 patch(PatchArg::Width));
  };
  Value corner =
      b.advance(row.image, b.mul(left, patch(PatchArg::PixelBytes)), i8);
  SmallVector<Value> sums(count * vectors, b.zero(type));
  auto step = [&](Value i, ValueRange carried) {
    SmallVector<Value> next(carried);
    Value y = b.add(row.top, b.mul(i, patch(PatchArg::DilationHeight)));
    Value line = b.advance(corner, b.mul(y, patch(PatchArg::RowBytes)), i8);
    Value columns = arg(KernelArg::Columns);
    Value first =
        b.add(b.mul(b.mul(i, b.i64(width * share)), columns), channels.first);
    // Each pixel is loaded once, for all elements of the kernel it is under.
    llvm::SmallDenseMap<unsigned, Value> loaded;
    auto emitLoad = [&](unsigned column, Value offset) {
      Value from = b.advance(
          line, b.mul(patch(PatchArg::PixelBytes), b.i64(column)), i8);
      if (!isInside)
        from = b.select(isOnImage(column), from, zeros);
      return b.load(type, b.advance(from, offset, f32), 4);
    };
    for (unsigned j = 0; j < width * share; ++j)
      for (unsigned v = 0; v < vectors; ++v) {
        Value offset = b.i64(v * channels.lanes);
        Value at = b.add(first, b.mul(b.i64(j), columns));
        Value weight = b.load(
            type, b.advance(arg(KernelArg::Rhs), b.add(at, offset), f32), 4);
        for (unsigned p = 0; p < count; ++p) {
          unsigned column = p * stride + j / share * dilation;
          Value &pixel = loaded[column * vectors + v];
          if (!pixel)
            pixel = emitLoad(column, offset);
          Value &sum = next[p * vectors + v];
          sum = emitMultiplyAdd(b, target, weight,
                                emitChannelOfGroup(pixel, j % share), sum);
        }
      }
    return next;
  };
  return llvm::to_vector_of<Value>(
      b.loop(rows.first, rows.last, 1, sums, step));
}

void DepthwiseFloatKernel::emitRow(const ResultRow &row,
                                   const Channels &channels) {
  Value width = patch(PatchArg::ResultWidth);
  Value stride = patch(PatchArg::StrideWidth), left = patch(PatchArg::Left);
  Range rows = emitRowsInside(row.top);
  auto ceilDiv = [&](Value value) { return b.ceilDiv(value, stride); };
  // Results [inner, outer) take pixels of the image only.
  Value span = b.mul(b.sub(patch(PatchArg::KernelWidth), b.i64(1)),
                     patch(PatchArg::DilationWidth));
  Value inner = b.min(ceilDiv(left), width);
  Value room = b.sub(b.add(patch(PatchArg::Width), left), span);
  Value outer = b.min(b.max(ceilDiv(room), b.i64(0)), width);

  auto emitTiles = [&](Value begin, Value end, unsigned count, bool isInside) {
    b.loop(begin, end, count, [&](Value x) {
      // A tile at the end of the row may repeat some results.
      x = b.min(x, b.sub(width, b.i64(count)));
      emitStore(row, x, emitPixels(row, rows, x, count, isInside, channels),
                channels);
    });
  };
  b.ifThenElse(
      b.less(b.i64(pixels - 1), width),
      [&] {
        Value first = b.min(b.roundUp(inner, pixels), width);
        Value tiles =
            b.div(b.max(b.sub(outer, first), b.i64(0)), b.i64(pixels));
        Value last = b.add(first, b.mul(tiles, b.i64(pixels)));
        emitTiles(b.i64(0), first, pixels, /*isInside=*/false);
        emitTiles(first, last, pixels, /*isInside=*/true);
        emitTiles(last, width, pixels, /*isInside=*/false);
      },
      [&] { emitTiles(b.i64(0), width, 1, /*isInside=*/false); });
}

void DepthwiseFloatKernel::emitChannels(const Block &block,
                                        const Channels &channels) {
  b.loop(b.i64(0), block.rowCount, 1, [&](Value index) {
    emitRow(emitResultRow(b.add(block.firstRow, index), channels), channels);
  });
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

void DepthwiseIntegerKernel::emitPrologue() {
  DepthwiseKernel::emitPrologue();
  zeros = b.stack(i8, tile.columns);
  b.store(b.zero(b.vec(tile.columns, i8)), zeros, 1);
}

/// Two pixels and two weights of each channel, interleaved.
Value DepthwiseIntegerKernel::emitPairSum(Value pixels, Value weights,
                                          Value sum, const Channels &channels) {
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
Value DepthwiseIntegerKernel::emitLoadPixel(Value at,
                                            const Channels &channels) {
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
void DepthwiseIntegerKernel::emitPackRow(Value image, Value row, Value ringRow,
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

SmallVector<Value>
DepthwiseIntegerKernel::emitPixels(Value ring, Value start, Value x,
                                   unsigned count, const Channels &channels) {
  unsigned stride = spec.depthwise.stride;
  unsigned dilation = spec.depthwise.dilation;
  unsigned vectors = channels.vectors, elements = 2 * channels.lanes;
  VectorType pairType = b.vec(elements, i16);
  SmallVector<Value> carried(count * vectors, b.zero(lanesOf(channels, i32)));
  carried.push_back(start);
  Value column = b.mul(b.mul(x, b.i64(stride)), b.i64(2 * channels.count()));
  Value rowBytes = patch(PatchArg::RingRowBytes);
  Value ringBytes = b.mul(patch(PatchArg::RingRows), rowBytes);
  Value stepBytes = b.mul(patch(PatchArg::DilationHeight), rowBytes);
  auto step = [&](Value i, ValueRange values) {
    SmallVector<Value> next(values);
    Value line = b.advance(b.advance(ring, values.back(), i8), column, i16);
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
          Value &sum = next[p * vectors + v];
          sum = emitPairSum(pixel, weights, sum, channels);
        }
      }
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

void DepthwiseIntegerKernel::emitChannels(const Block &block,
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

template class needle::cpu::DepthwiseKernel<FloatKernel>;
template class needle::cpu::DepthwiseKernel<IntegerKernel>;

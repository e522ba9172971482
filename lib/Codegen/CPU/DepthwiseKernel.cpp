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

/// For each column of a vector the channel `index` of its group.
template <typename Base>
Value DepthwiseKernel<Base>::emitChannelOfGroup(Value pixel, unsigned index) {
  int64_t share = this->spec.depthwise.channels;
  if (share == 1)
    return pixel;
  SmallVector<int64_t> lanesOfGroups;
  for (int64_t lane = 0; lane < int64_t(this->lanes); ++lane)
    lanesOfGroups.push_back(lane / share * share + index);
  return vector::ShuffleOp::create(this->b, pixel, pixel, lanesOfGroups);
}

template <typename Base>
void DepthwiseKernel<Base>::emitKernelRow(
    Value i, unsigned count, const Channels &channels,
    MutableArrayRef<Value> sums,
    function_ref<Value(unsigned column, unsigned vector)> emitLoad) {
  KernelBuilder &b = this->b;
  const DepthwiseShape &shape = this->spec.depthwise;
  unsigned share = shape.channels, vectors = channels.vectors;
  Value columns = this->arg(KernelArg::Columns);
  Value first = b.add(b.mul(b.mul(i, b.i64(shape.width * share)), columns),
                      channels.first);
  // Each pixel is loaded once, for all elements of the kernel it is under.
  llvm::SmallDenseMap<unsigned, Value> loaded;
  for (unsigned j = 0; j < shape.width * share; ++j)
    for (unsigned v = 0; v < vectors; ++v) {
      Value at = b.add(b.add(first, b.mul(b.i64(j), columns)),
                       b.i64(v * channels.lanes));
      Value weight =
          b.load(lanesOf(channels, this->f32),
                 b.advance(this->arg(KernelArg::Rhs), at, this->f32), 4);
      for (unsigned p = 0; p < count; ++p) {
        unsigned column = p * shape.stride + j / share * shape.dilation;
        Value &pixel = loaded[column * vectors + v];
        if (!pixel)
          pixel = emitLoad(column, v);
        Value &sum = sums[p * vectors + v];
        sum = emitMultiplyAdd(b, this->target, weight,
                              emitChannelOfGroup(pixel, j % share), sum);
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

SmallVector<Value> DepthwiseFloatKernel::emitPixels(const ResultRow &row,
                                                    Range rows, Value x,
                                                    unsigned count,
                                                    bool isInside,
                                                    const Channels &channels) {
  Type type = lanesOf(channels, f32);
  Value left =
      b.sub(b.mul(x, b.i64(spec.depthwise.stride)), patch(PatchArg::Left));
  auto isOnImage = [&](unsigned column) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                 b.add(left, b.i64(column)),
                                 patch(PatchArg::Width));
  };
  Value corner =
      b.advance(row.image, b.mul(left, patch(PatchArg::PixelBytes)), i8);
  SmallVector<Value> sums(count * channels.vectors, b.zero(type));
  auto step = [&](Value i, ValueRange carried) {
    SmallVector<Value> next(carried);
    Value y = b.add(row.top, b.mul(i, patch(PatchArg::DilationHeight)));
    Value line = b.advance(corner, b.mul(y, patch(PatchArg::RowBytes)), i8);
    emitKernelRow(i, count, channels, next, [&](unsigned column, unsigned v) {
      Value from = b.advance(
          line, b.mul(patch(PatchArg::PixelBytes), b.i64(column)), i8);
      if (!isInside)
        from = b.select(isOnImage(column), from, zeros);
      return b.load(type, b.advance(from, b.i64(v * channels.lanes), f32), 4);
    });
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

template class needle::cpu::DepthwiseKernel<FloatKernel>;
template class needle::cpu::DepthwiseKernel<IntegerKernel>;

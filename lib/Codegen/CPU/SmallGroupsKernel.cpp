//===- SmallGroupsKernel.cpp - Integers of groups of two or four channels -===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In f32, where the vector of a pixel is permuted for each channel of a group.
// Its sums are exact, see Window::mostExactTaps, and in the form that rescaling
// takes.
//
//===----------------------------------------------------------------------===//

#include "DepthwiseRingKernel.h"

using namespace mlir;
using namespace needle::cpu;

void SmallGroupsKernel::emitPrologue() {
  DepthwiseRingKernel::emitPrologue();
  zeroPoint = arith::SIToFPOp::create(
      b, f32, arith::TruncIOp::create(b, i32, arg(KernelArg::LhsZeroPoint)));
}

Value SmallGroupsKernel::emitFinish(Value sum, Value scale, Value bias) {
  if (spec.dest == DestKind::I32)
    return DepthwiseRingKernel::emitFinish(
        arith::FPToSIOp::create(b, b.shapedLike(sum, i32), sum), scale, bias);
  return ContractionKernel::emitFinish(arith::MulFOp::create(b, sum, scale),
                                       scale, bias);
}

/// The pixel at `at`, less the zero point: a vector of f32 for each of
/// channels.
SmallVector<Value> SmallGroupsKernel::emitLoadPixel(Value at,
                                                    const Channels &channels) {
  SmallVector<Value> pixel;
  for (unsigned v = 0; v < channels.vectors; ++v) {
    Value stored = b.load(lanesOf(channels, i8),
                          b.advance(at, b.i64(v * channels.lanes), i8), 1);
    Type wide = lanesOf(channels, i32), type = lanesOf(channels, f32);
    Value value = spec.lhsUnsigned
                      ? Value(arith::ExtUIOp::create(b, wide, stored))
                      : Value(arith::ExtSIOp::create(b, wide, stored));
    value = arith::SIToFPOp::create(b, type, value);
    Value zero = zeroPoint;
    if (channels.lanes > 1)
      zero = b.broadcast(zero, cast<VectorType>(type));
    pixel.push_back(arith::SubFOp::create(b, value, zero));
  }
  return pixel;
}

/// Fills a row of the ring from row `row` of the image, which may be outside.
void SmallGroupsKernel::emitPackRow(Value image, Value row, Value ringRow,
                                    const Channels &channels) {
  Value left = patch(PatchArg::Left);
  Value positions = patch(PatchArg::RingPositions);
  Value line = b.advance(image, b.mul(row, patch(PatchArg::RowBytes)), i8);
  auto store = [&](Value position, ArrayRef<Value> pixel) {
    for (auto [v, value] : llvm::enumerate(pixel)) {
      Value at = b.add(b.mul(position, b.i64(channels.count())),
                       b.i64(int64_t(v) * channels.lanes));
      b.store(value, b.advance(ringRow, at, f32), 4);
    }
  };
  auto emitZeros = [&](Value begin, Value end) {
    SmallVector<Value> none(channels.vectors, b.zero(lanesOf(channels, f32)));
    b.loop(begin, end, 1, [&](Value position) { store(position, none); });
  };
  // Pixels [first, last) lie on the image.
  Value isOnImage = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, row,
                                          patch(PatchArg::Height));
  Value first = b.min(b.max(left, b.i64(0)), positions);
  first = b.select(isOnImage, first, positions);
  Value end = b.min(b.add(patch(PatchArg::Width), left), positions);
  Value last = b.max(end, first);
  emitZeros(b.i64(0), first);
  b.loop(first, last, 1, [&](Value position) {
    Value column = b.sub(position, left);
    Value at = b.advance(line, b.mul(column, patch(PatchArg::PixelBytes)), i8);
    store(position, emitLoadPixel(at, channels));
  });
  emitZeros(last, positions);
}

void SmallGroupsKernel::emitRingRow(Value i, Value line, unsigned count,
                                    const Channels &channels,
                                    MutableArrayRef<Value> sums) {
  emitKernelRow(i, count, channels, sums, [&](unsigned column, unsigned v) {
    Value place = b.i64(column * channels.count() + v * channels.lanes);
    return b.load(lanesOf(channels, f32), b.advance(line, place, f32), 4);
  });
}

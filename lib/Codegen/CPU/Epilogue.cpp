//===- Epilogue.cpp - What happens to sums before they are stored ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// N5 on registers: rescale, bias, activation, N1. Sums that exceed i32 (N4) go
// through i64 in memory instead.
//
//===----------------------------------------------------------------------===//

#include "ContractionKernel.h"
#include "needle/Conversion/QuantizeEmitter.h"

using namespace mlir;
using namespace needle::cpu;

/// `element`, or a vector of it where `like` is a vector.
static Type withShapeOf(Value like, Type element) {
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    return vector.clone(element);
  return element;
}

Value ContractionKernel::emitFinish(Value sum, Value scale, Value bias) {
  if (spec.dest == DestKind::I32)
    return bias ? b.add(sum, bias) : sum;
  Value value = sum;
  if (spec.integer) {
    if (spec.integerBias)
      value = b.add(value, arith::ExtSIOp::create(b, sum.getType(), bias));
    value = arith::SIToFPOp::create(b, withShapeOf(sum, f32), value);
    value = arith::MulFOp::create(b, value, scale);
  }
  if (spec.hasBias && !spec.integerBias)
    value = arith::AddFOp::create(b, value, bias);
  if (spec.activation == Activation::Relu)
    value = arith::MaximumFOp::create(b, value, b.zero(value.getType()));
  if (spec.dest == DestKind::F32)
    return value;
  value = emitQuantize(b, b.getLoc(), value, destScale, destZeroPoint,
                       spec.destMin, spec.destMax);
  return arith::TruncIOp::create(b, withShapeOf(sum, i8), value);
}

void ContractionKernel::emitEpilogue(unsigned rows, ArrayRef<Value> sums,
                                     const Panel &panel, Value dest) {
  SmallVector<Value> scales(vectors()), biases(vectors());
  for (unsigned v = 0; v < vectors(); ++v) {
    Value offset = b.i64(v * lanes);
    if (hasScales())
      scales[v] =
          b.load(b.vec(lanes, f32), b.advance(panel.scales, offset, f32), 4);
    if (spec.hasBias)
      biases[v] = b.load(b.vec(lanes, spec.integerBias ? i32 : f32),
                         b.advance(panel.bias, offset, f32), 4);
  }
  for (unsigned i = 0; i < rows; ++i) {
    if (i != 0)
      dest = b.advance(dest, panel.destStride, i8);
    for (unsigned v = 0; v < vectors(); ++v)
      b.store(emitFinish(sums[i * vectors() + v], scales[v], biases[v]),
              b.advance(dest, b.i64(v * lanes), destType()), destBytes());
  }
}

void ContractionKernel::emitWideTile(unsigned rows, const Panel &panel,
                                     Rows lhs, Value dest) {
  Value count = b.i64(rows * tile.columns);
  b.loop(b.i64(0), count, 1, [&](Value i) {
    b.store(b.zero(i64), b.advance(wideSums, i, i64), 8);
  });
  Value pairs = b.ceilDiv(arg(KernelArg::Depth), 2);
  int64_t chunk = getMaxDepth(spec) / 2;
  b.loop(b.i64(0), pairs, chunk, [&](Value first) {
    Value last = b.min(b.add(first, b.i64(chunk)), pairs);
    SmallVector<Value> sums = emitIntegerTile(rows, lhs, panel, first, last);
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
        bias = b.load(spec.integerBias ? i32 : f32,
                      b.advance(panel.bias, column, f32), 4);
      b.store(emitFinish(sum, scale, bias), b.advance(to, column, destType()),
              destBytes());
    });
  });
}

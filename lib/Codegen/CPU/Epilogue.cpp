//===- Epilogue.cpp - What happens to sums before they are stored ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// On registers: bias, activation, N1; what comes before it is the kernel's.
//
//===----------------------------------------------------------------------===//

#include "ContractionKernel.h"
#include "needle/Conversion/QuantizeEmitter.h"

using namespace mlir;
using namespace needle::cpu;

Value ContractionKernel::emitFinish(Value sum, Value /*scale*/, Value bias) {
  Value value = sum;
  if (spec.hasBias && !spec.integerBias)
    value = arith::AddFOp::create(b, value, bias);
  if (spec.activation == Activation::Relu)
    value = arith::MaximumFOp::create(b, value, b.zero(value.getType()));
  if (spec.dest == DestKind::F32)
    return value;
  value = emitQuantize(b, b.getLoc(), value, destScale, destZeroPoint,
                       spec.destMin, spec.destMax);
  return arith::TruncIOp::create(b, b.shapedLike(sum, i8), value);
}

void ContractionKernel::emitFinishedTile(unsigned rows, const Panel &panel,
                                         Rows lhs, Value dest) {
  emitEpilogue(rows, emitTile(rows, lhs, panel), panel, dest);
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
      biases[v] = b.load(b.vec(lanes, biasType()),
                         b.advance(panel.bias, offset, f32), 4);
  }
  forEachVector(rows, dest, panel.destStride, [&](unsigned i, Value at) {
    unsigned v = i % vectors();
    b.store(emitFinish(sums[i], scales[v], biases[v]), at, destBytes());
  });
}

void ContractionKernel::forEachVector(
    unsigned rows, Value dest, Value stride,
    function_ref<void(unsigned, Value)> visit) {
  for (unsigned i = 0; i < rows; ++i) {
    if (i != 0)
      dest = b.advance(dest, stride, i8);
    for (unsigned v = 0; v < vectors(); ++v)
      visit(i * vectors() + v, b.advance(dest, b.i64(v * lanes), destType()));
  }
}

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
  bool isRelu = spec.activation == Activation::Relu;
  if (spec.dest == DestKind::F32)
    return isRelu ? arith::MaximumFOp::create(b, value, b.zero(value.getType()))
                  : value;
  value = isRelu ? emitQuantizeRelu(b, b.getLoc(), value, destScale,
                                    destZeroPoint, spec.destMax)
                 : emitQuantize(b, b.getLoc(), value, destScale, destZeroPoint,
                                spec.destMin, spec.destMax);
  return arith::TruncIOp::create(b, b.shapedLike(sum, i8), value);
}

void ContractionKernel::emitFinishedTile(unsigned rows, const Panel &panel,
                                         Rows lhs, Value dest) {
  emitEpilogue(rows, emitTile(rows, lhs, panel), panel, dest);
}

void ContractionKernel::emitEpilogue(unsigned rows, ArrayRef<Value> sums,
                                     const Panel &panel, Value dest) {
  // Bytes of a row are stored together.
  SmallVector<Value> joined(sums);
  if (spec.dest == DestKind::Q8)
    joined = emitJoin(sums, vectors());
  unsigned perRow = joined.size() / rows, width = tile.columns / perRow;
  SmallVector<Value> scales(perRow), biases(perRow);
  for (unsigned v = 0; v < perRow; ++v) {
    Value offset = b.i64(v * width);
    if (hasScales())
      scales[v] =
          b.load(b.vec(width, f32), b.advance(panel.scales, offset, f32), 4);
    if (spec.hasBias)
      biases[v] = b.load(b.vec(width, biasType()),
                         b.advance(panel.bias, offset, f32), 4);
  }
  for (unsigned i = 0; i < joined.size(); ++i) {
    unsigned v = i % perRow;
    if (i != 0 && v == 0)
      dest = b.advance(dest, panel.destStride, i8);
    b.store(emitFinish(joined[i], scales[v], biases[v]),
            b.advance(dest, b.i64(v * width), destType()), destBytes());
  }
}

SmallVector<Value> ContractionKernel::emitJoin(ArrayRef<Value> parts,
                                               unsigned count) {
  SmallVector<Value> joined;
  for (; !parts.empty(); parts = parts.drop_front(count)) {
    Value all = parts.front();
    for (Value part : parts.slice(1, count - 1)) {
      auto type = cast<VectorType>(all.getType());
      int64_t lanesOfAll = type.getDimSize(0);
      auto lanesOfPart = cast<VectorType>(part.getType()).getDimSize(0);
      all = vector::ShuffleOp::create(
          b, all, part,
          llvm::to_vector(llvm::seq<int64_t>(0, lanesOfAll + lanesOfPart)));
    }
    joined.push_back(all);
  }
  return joined;
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

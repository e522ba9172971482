//===- Microkernel.cpp - The inner loops of contractions ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MR × NR accumulators stay in registers over all of K. Each step loads NR
// packed columns once and broadcasts one element (integers: a pair along K) of
// each row.
//
//===----------------------------------------------------------------------===//

#include "ContractionKernel.h"

using namespace mlir;
using namespace needle::cpu;

/// Rows whose elements are addressed from one pointer, as pointer, pointer +
/// stride and pointer + 2·stride: with a pointer for each of six rows the loop
/// runs out of scalar registers.
static constexpr unsigned rowsPerPointer = 3;

SmallVector<Value>
ContractionKernel::emitSteps(unsigned rows, Rows lhs, unsigned lhsStepBytes,
                             Value rhs, unsigned rhsStepBytes, Value count,
                             Type sumType, StepEmitter emitStep) {
  unsigned numSums = rows * vectors();
  SmallVector<Value> carried(numSums, b.zero(sumType));
  carried.push_back(rhs);
  Value pointerStride = b.mul(lhs.stride, b.i64(rowsPerPointer));
  for (unsigned i = 0; i < rows; i += rowsPerPointer)
    carried.push_back(i == 0 ? lhs.base
                             : b.advance(carried.back(), pointerStride, i8));
  Value twice = b.mul(lhs.stride, b.i64(2));

  auto body = [&](Value, ValueRange values) {
    Value columns = values[numSums];
    ValueRange pointers = values.drop_front(numSums + 1);
    SmallVector<Value> elements;
    for (unsigned i = 0; i < rows; ++i) {
      Value pointer = pointers[i / rowsPerPointer];
      unsigned offset = i % rowsPerPointer;
      elements.push_back(
          offset == 0
              ? pointer
              : b.advance(pointer, offset == 1 ? lhs.stride : twice, i8));
    }
    SmallVector<Value> next =
        emitStep(columns, elements, values.take_front(numSums));
    next.push_back(b.advance(columns, b.i64(rhsStepBytes), i8));
    for (Value pointer : pointers)
      next.push_back(b.advance(pointer, b.i64(lhsStepBytes), i8));
    return next;
  };
  return llvm::to_vector_of<Value>(
      b.loop(b.i64(0), count, 1, carried, body).take_front(numSums));
}

SmallVector<Value> ContractionKernel::emitFloatTile(unsigned rows, Rows lhs,
                                                    Value rhs) {
  VectorType vector = b.vec(lanes, f32);
  auto step = [&](Value base, ArrayRef<Value> elements, ValueRange sums) {
    SmallVector<Value> columns, next;
    for (unsigned v = 0; v < vectors(); ++v)
      columns.push_back(
          b.load(vector, b.advance(base, b.i64(v * lanes), f32), lanes * 4));
    for (unsigned i = 0; i < rows; ++i) {
      Value element = b.broadcast(b.load(f32, elements[i], 4), vector);
      for (unsigned v = 0; v < vectors(); ++v) {
        Value sum = sums[i * vectors() + v];
        // Not vector.fma, which leaves it to the back end whether to fuse.
        if (target.fusedMultiplyAdd)
          next.push_back(LLVM::FMAOp::create(b, element, columns[v], sum));
        else
          next.push_back(arith::AddFOp::create(
              b, sum, arith::MulFOp::create(b, element, columns[v])));
      }
    }
    return next;
  };
  return emitSteps(rows, lhs, 4, rhs, 4 * tile.columns, arg(KernelArg::Depth),
                   vector, step);
}

/// Loads the pairs of one vector of columns, widened to i16.
Value ContractionKernel::emitPairs(Value pointer, unsigned rhsBits) {
  VectorType wide = b.vec(2 * lanes, i16);
  if (rhsBits == 16)
    return b.load(wide, pointer, 4 * lanes);
  Value narrow = b.load(b.vec(2 * lanes, i8), pointer, 2 * lanes);
  return arith::ExtSIOp::create(b, wide, narrow);
}

SmallVector<Value> ContractionKernel::emitIntegerTile(unsigned rows, Rows lhs,
                                                      const Panel &panel,
                                                      Value firstPair,
                                                      Value lastPair) {
  VectorType sumType = b.vec(lanes, i32), pairType = b.vec(2 * lanes, i16);
  Type packed = panel.rhsBits == 8 ? i8 : i16;
  StringAttr dot = b.getStringAttr(target.pairDotIntrinsic);
  auto step = [&](Value base, ArrayRef<Value> elements, ValueRange sums) {
    SmallVector<Value> columns, next;
    for (unsigned v = 0; v < vectors(); ++v)
      columns.push_back(emitPairs(b.advance(base, b.i64(2 * v * lanes), packed),
                                  panel.rhsBits));
    for (unsigned i = 0; i < rows; ++i) {
      Value pair = vector::BitCastOp::create(
          b, pairType, b.broadcast(b.load(i32, elements[i], 4), sumType));
      for (unsigned v = 0; v < vectors(); ++v) {
        Value products = LLVM::CallIntrinsicOp::create(
                             b, sumType, dot, ValueRange{pair, columns[v]})
                             .getResult(0);
        next.push_back(b.add(sums[i * vectors() + v], products));
      }
    }
    return next;
  };
  unsigned pairBytes = 2 * tile.columns * panel.rhsBits / 8;
  lhs.base = b.advance(lhs.base, firstPair, i32);
  Value rhs = b.advance(panel.rhs, b.mul(firstPair, b.i64(pairBytes)), i8);
  return emitSteps(rows, lhs, 4, rhs, pairBytes, b.sub(lastPair, firstPair),
                   sumType, step);
}

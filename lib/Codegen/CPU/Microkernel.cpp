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

SmallVector<Value> ContractionKernel::rowPointers(unsigned rows, Rows lhs) {
  SmallVector<Value> pointers{lhs.base};
  for (unsigned i = 1; i < rows; ++i)
    pointers.push_back(b.advance(pointers.back(), lhs.stride, i8));
  return pointers;
}

SmallVector<Value> ContractionKernel::emitFloatTile(unsigned rows, Rows lhs,
                                                    Value rhs) {
  VectorType vector = b.vec(lanes, f32);
  SmallVector<Value> pointers = rowPointers(rows, lhs);
  SmallVector<Value> zeros(rows * vectors(), b.zero(vector));
  auto step = [&](Value k, ValueRange sums) {
    SmallVector<Value> columns, next;
    Value base = b.advance(rhs, b.mul(k, b.i64(tile.columns)), f32);
    for (unsigned v = 0; v < vectors(); ++v)
      columns.push_back(
          b.load(vector, b.advance(base, b.i64(v * lanes), f32), 16));
    for (unsigned i = 0; i < rows; ++i) {
      Value element =
          b.broadcast(b.load(f32, b.advance(pointers[i], k, f32), 4), vector);
      for (unsigned v = 0; v < vectors(); ++v) {
        Value sum = sums[i * vectors() + v];
        if (target.fusedMultiplyAdd)
          next.push_back(vector::FMAOp::create(b, element, columns[v], sum));
        else
          next.push_back(arith::AddFOp::create(
              b, sum, arith::MulFOp::create(b, element, columns[v])));
      }
    }
    return next;
  };
  return b.loop(b.i64(0), arg(KernelArg::Depth), 1, zeros, step);
}

/// Loads the pairs of one vector of columns, widened to i16.
Value ContractionKernel::emitPairs(Value pointer) {
  VectorType wide = b.vec(2 * lanes, i16);
  if (spec.rhsBits == 16)
    return b.load(wide, pointer, 16);
  Value narrow = b.load(b.vec(2 * lanes, i8), pointer, 16);
  return arith::ExtSIOp::create(b, wide, narrow);
}

SmallVector<Value> ContractionKernel::emitIntegerTile(unsigned rows, Rows lhs,
                                                      Value rhs,
                                                      Value firstPair,
                                                      Value lastPair) {
  VectorType sumType = b.vec(lanes, i32), pairType = b.vec(2 * lanes, i16);
  Type packed = spec.rhsBits == 8 ? i8 : i16;
  SmallVector<Value> pointers = rowPointers(rows, lhs);
  SmallVector<Value> zeros(rows * vectors(), b.zero(sumType));
  StringAttr dot = b.getStringAttr(target.pairDotIntrinsic);
  auto step = [&](Value pair, ValueRange sums) {
    SmallVector<Value> columns, next;
    Value base = b.advance(rhs, b.mul(pair, b.i64(2 * tile.columns)), packed);
    for (unsigned v = 0; v < vectors(); ++v)
      columns.push_back(
          emitPairs(b.advance(base, b.i64(2 * v * lanes), packed)));
    for (unsigned i = 0; i < rows; ++i) {
      Value both = b.load(i32, b.advance(pointers[i], pair, i32), 4);
      Value elements =
          vector::BitCastOp::create(b, pairType, b.broadcast(both, sumType));
      for (unsigned v = 0; v < vectors(); ++v) {
        Value products = LLVM::CallIntrinsicOp::create(
                             b, sumType, dot, ValueRange{elements, columns[v]})
                             .getResult(0);
        next.push_back(b.add(sums[i * vectors() + v], products));
      }
    }
    return next;
  };
  return b.loop(firstPair, lastPair, 1, zeros, step);
}

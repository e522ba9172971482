//===- Microkernel.cpp - The loop over K of a tile ------------------------===//
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
/// stride and pointer + 2·stride, where there would be too many pointers.
static unsigned rowsPerPointer(unsigned rows) { return rows <= 6 ? 1 : 3; }

SmallVector<Value>
ContractionKernel::emitSteps(unsigned rows, Rows lhs, unsigned lhsStepBytes,
                             Value rhs, unsigned rhsStepBytes, Value count,
                             ValueRange inits, StepEmitter emitStep,
                             unsigned unroll, Prefetch prefetch) {
  unsigned numSums = inits.size(), group = rowsPerPointer(rows);
  SmallVector<Value> carried(inits);
  carried.push_back(rhs);
  for (unsigned i = 0; i < rows; i += group) {
    Value pointer =
        b.advance(lhs.base, b.mul(lhs.stride, b.i64(int64_t(i))), i8);
    // Left to itself, LLVM computes the pointers of most rows anew in each
    // step. Where vector units share their ports with scalar ones, that takes
    // the place of multiplications. Of many rows it would keep too many
    // pointers.
    if (group == 1)
      pointer = LLVM::LaunderInvariantGroupOp::create(b, b.ptrType(), pointer);
    carried.push_back(pointer);
  }
  unsigned lastPointer = carried.size();
  if (prefetch.pointer)
    carried.push_back(prefetch.pointer);

  auto emitLoop = [&](Value begin, Value end, unsigned steps) {
    auto body = [&](Value, ValueRange values) {
      SmallVector<Value> next(values);
      if (prefetch.pointer) {
        b.prefetch(next.back());
        Value bytes = b.mul(prefetch.stepBytes, b.i64(int64_t(steps)));
        next.back() = b.advance(next.back(), bytes, i8);
      }
      for (unsigned step = 0; step < steps; ++step) {
        SmallVector<Value> elements;
        for (unsigned i = 0; i < rows; ++i)
          elements.push_back(
              b.advance(next[numSums + 1 + i / group],
                        b.mul(lhs.stride, b.i64(int64_t(i % group))), i8));
        SmallVector<Value> sums = emitStep(
            next[numSums], elements, ValueRange(next).take_front(numSums));
        llvm::copy(sums, next.begin());
        next[numSums] = b.advance(next[numSums], b.i64(rhsStepBytes), i8);
        for (unsigned i = numSums + 1; i < lastPointer; ++i)
          next[i] = b.advance(next[i], b.i64(lhsStepBytes), i8);
      }
      return next;
    };
    carried =
        llvm::to_vector_of<Value>(b.loop(begin, end, steps, carried, body));
  };
  Value whole = count;
  if (unroll > 1)
    whole = b.sub(count, b.rem(count, b.i64(int64_t(unroll))));
  emitLoop(b.i64(0), whole, unroll);
  if (unroll > 1)
    emitLoop(whole, count, 1);
  carried.truncate(numSums);
  return carried;
}

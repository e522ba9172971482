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
/// stride and pointer + 2·stride: with a pointer for each of six rows the loop
/// runs out of scalar registers.
static constexpr unsigned rowsPerPointer = 3;

SmallVector<Value>
ContractionKernel::emitSteps(unsigned rows, Rows lhs, unsigned lhsStepBytes,
                             Value rhs, unsigned rhsStepBytes, Value count,
                             ValueRange inits, StepEmitter emitStep,
                             Prefetch prefetch) {
  unsigned numSums = inits.size();
  SmallVector<Value> carried(inits);
  carried.push_back(rhs);
  Value pointerStride = b.mul(lhs.stride, b.i64(rowsPerPointer));
  for (unsigned i = 0; i < rows; i += rowsPerPointer)
    carried.push_back(i == 0 ? lhs.base
                             : b.advance(carried.back(), pointerStride, i8));
  unsigned numPointers = carried.size() - numSums - 1;
  if (prefetch.pointer)
    carried.push_back(prefetch.pointer);
  Value twice = b.mul(lhs.stride, b.i64(2));

  auto body = [&](Value, ValueRange values) {
    Value columns = values[numSums];
    ValueRange pointers = values.slice(numSums + 1, numPointers);
    if (prefetch.pointer)
      b.prefetch(values.back());
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
    if (prefetch.pointer)
      next.push_back(b.advance(values.back(), prefetch.stepBytes, i8));
    return next;
  };
  return llvm::to_vector_of<Value>(
      b.loop(b.i64(0), count, 1, carried, body).take_front(numSums));
}

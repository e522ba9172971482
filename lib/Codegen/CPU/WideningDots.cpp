//===- WideningDots.cpp - 8-bit contractions without a dot product --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For targets whose instructions multiply i16 to i32 without adding neighbours
// (NEON's smlal): one product for each column and element along K.
//
//===----------------------------------------------------------------------===//

#include "IntegerKernel.h"

using namespace mlir;
using namespace needle::cpu;

/// The elements of one vector of columns at each of the four places of a group,
/// i16, from pairs of i16 or quads of i8.
SmallVector<Value> IntegerKernel::loadPlaces(Value base, unsigned vector,
                                             unsigned rhsBits) {
  SmallVector<Value> sources;
  if (rhsBits == 8) {
    sources.push_back(arith::ExtSIOp::create(b, b.vec(4 * lanes, i16),
                                             loadQuads(base, 0, vector)));
  } else {
    for (unsigned pair = 0; pair < 2; ++pair) {
      unsigned at = (pair * vectors() + vector) * 2 * lanes;
      sources.push_back(b.load(b.vec(2 * lanes, i16),
                               b.advance(base, b.i64(at), i16), 4 * lanes));
    }
  }
  int64_t stride = rhsBits == 8 ? 4 : 2;
  SmallVector<Value> places;
  for (Value source : sources)
    for (int64_t place = 0; place < stride; ++place) {
      SmallVector<int64_t> ofColumns;
      for (int64_t column = 0; column < lanes; ++column)
        ofColumns.push_back(stride * column + place);
      places.push_back(vector::ShuffleOp::create(b, source, source, ofColumns));
    }
  return places;
}

SmallVector<Value> IntegerKernel::emitWidening(unsigned rows, Rows lhs,
                                               Value rhs, unsigned rhsBits,
                                               Value first, Value last,
                                               SmallVector<Value> sums) {
  VectorType sumType = b.vec(lanes, i32);
  auto widen = [&](Value value) -> Value {
    return arith::ExtSIOp::create(b, sumType, value);
  };
  auto step = [&](Value base, ArrayRef<Value> elements, ValueRange values) {
    SmallVector<SmallVector<Value>> columns;
    for (unsigned v = 0; v < vectors(); ++v)
      columns.push_back(loadPlaces(base, v, rhsBits));
    SmallVector<Value> next(values);
    for (unsigned i = 0; i < rows; ++i) {
      Value group = b.load(b.vec(4, i16), elements[i], 2);
      for (int64_t place = 0; place < 4; ++place) {
        // Quads are read as they are, but rows of lhs may be split.
        int64_t at = rhsBits == 8 && splitsQuads() ? splitPlace(place) : place;
        SmallVector<int64_t> everywhere(lanes, at);
        Value element =
            widen(vector::ShuffleOp::create(b, group, group, everywhere));
        for (unsigned v = 0; v < vectors(); ++v) {
          Value &sum = next[i * vectors() + v];
          sum = b.add(sum, b.mul(widen(columns[v][place]), element));
        }
      }
    }
    return next;
  };
  unsigned bytes = groupBytes() * rhsBits / 8;
  lhs.base = b.advance(lhs.base, first, i64);
  rhs = b.advance(rhs, b.mul(first, b.i64(bytes)), i8);
  if (sums.empty())
    sums.assign(rows * vectors(), b.zero(sumType));
  return emitSteps(rows, lhs, 8, rhs, bytes, b.sub(last, first), sums, step);
}

//===- NibbleDots.cpp - 8-bit contractions by halves of four bits ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vpmaddubsw saturates where it adds products of bytes, but not of halves of
// them: a = 16·h + l, and 16 bits hold what eight groups of l·w or h·w add up
// to, whatever the weights. That takes as many multiplications as pairs of i16
// but does not widen weights, which is most of the work for one row.
//
//===----------------------------------------------------------------------===//

#include "DotProduct.h"
#include "IntegerKernel.h"

using namespace mlir;
using namespace needle::cpu;

/// Groups of four along K whose products with halves of lhs 16 bits hold the
/// sums of: each lane has two products of at most 15·128 a group.
static constexpr unsigned groupsOfWindow = 8;
static_assert(groupsOfWindow * 2 * 15 * 128 <= INT16_MAX);

SmallVector<Value> IntegerKernel::emitNibbleDots(unsigned groups, Value columns,
                                                 ArrayRef<Value> elements,
                                                 ValueRange sums) {
  VectorType pairType = b.vec(2 * lanes, i16), quadType = b.vec(4 * lanes, i8);
  // By row and half, a vector for each of columns.
  SmallVector<Value> narrow(2 * sums.size());
  b.prefetchStream(columns, groups * groupBytes());
  for (unsigned group = 0; group < groups; ++group) {
    SmallVector<Value> quads;
    for (unsigned v = 0; v < vectors(); ++v)
      quads.push_back(loadQuads(columns, group, v));
    for (auto [i, row] : llvm::enumerate(elements))
      for (unsigned half = 0; half < 2; ++half) {
        Value element = loadElement(row, 2 * group + half, i32, quadType);
        for (unsigned v = 0; v < vectors(); ++v) {
          Value product =
              emitCall(target.byteDotIntrinsic, pairType, {element, quads[v]});
          Value &sum = narrow[(2 * i + half) * vectors() + v];
          sum = sum ? b.add(sum, product) : product;
        }
      }
  }
  SmallVector<Value> next(sums);
  for (auto [i, sum] : llvm::enumerate(narrow)) {
    bool isHigh = i / vectors() % 2 == 1;
    Value weight =
        b.constant(DenseElementsAttr::get(pairType, int16_t(isHigh ? 16 : 1)));
    Value &wide = next[i / (2 * vectors()) * vectors() + i % vectors()];
    wide = emitPairDot(b, target, wide, sum, weight);
  }
  return next;
}

SmallVector<Value> IntegerKernel::emitNibbles(unsigned rows, Rows lhs,
                                              Value rhs) {
  SmallVector<Value> sums, terms = emitZeroPointTerms(rhs);
  for (unsigned i = 0; i < rows; ++i)
    sums.append(terms);
  return emitGroups(rows, lhs, /*lhsBytes=*/8, rhs, groupsOfWindow, sums,
                    [&](unsigned groups, Value columns,
                        ArrayRef<Value> elements, ValueRange values) {
                      return emitNibbleDots(groups, columns, elements, values);
                    });
}

/// The halves of `bytes`, which are whole quads: those of a quad side by side.
Value IntegerKernel::emitSplitNibbles(Value bytes) {
  auto type = cast<VectorType>(bytes.getType());
  int64_t count = type.getDimSize(0);
  Value mask = b.constant(DenseElementsAttr::get(type, int8_t(15)));
  // Shifted in pairs: there is no shift of bytes.
  VectorType pairType = b.vec(count / 2, i16);
  Value four = b.constant(DenseElementsAttr::get(pairType, int16_t(4)));
  Value shifted = arith::ShRUIOp::create(
      b, vector::BitCastOp::create(b, pairType, bytes), four);
  Value high = arith::AndIOp::create(
      b, vector::BitCastOp::create(b, type, shifted), mask);
  Value low = arith::AndIOp::create(b, bytes, mask);
  VectorType quads = b.vec(count / 4, i32);
  return vector::InterleaveOp::create(
      b, vector::BitCastOp::create(b, quads, low),
      vector::BitCastOp::create(b, quads, high));
}

void IntegerKernel::emitPackNibbles(Value source, Value dest, Value rowCount,
                                    Value destStride) {
  Value depth = arg(KernelArg::Depth);
  Value stride = arg(KernelArg::LhsColStride);
  int64_t count = 2 * lanes;
  // Quads of contiguous rows are split in vectors, the last of which ends with
  // the last whole quad.
  Value vectorized = arith::AndIOp::create(b, b.equal(stride, b.i64(1)),
                                           b.less(b.i64(count - 1), depth));
  Value quadEnd = b.mul(b.div(depth, b.i64(4)), b.i64(4));
  Value lastVector = b.sub(quadEnd, b.i64(count));
  Value vectorEnd = b.select(vectorized, lastVector, b.i64(0));
  Value scalarBegin = b.select(vectorized, quadEnd, b.i64(0));
  b.loop(b.i64(0), rowCount, 1, [&](Value row) {
    Value from =
        b.advance(source, b.mul(row, arg(KernelArg::LhsRowStride)), i8);
    Value to = b.advance(dest, b.mul(row, destStride), i16);
    auto emitVector = [&](Value k) {
      Value bytes = b.load(b.vec(count, i8), b.advance(from, k, i8), 1);
      b.store(emitSplitNibbles(emitConvert(bytes)), b.advance(to, k, i16), 4);
    };
    b.loop(b.i64(0), vectorEnd, count, emitVector);
    b.ifThen(vectorized, [&] { emitVector(lastVector); });
    b.loop(scalarBegin, depth, 4, [&](Value k) {
      Value present = b.min(b.sub(depth, k), b.i64(4));
      b.store(b.zero(i32), splitQuad, 4);
      b.loop(b.i64(0), present, 1, [&](Value i) {
        Value at = b.mul(b.add(k, i), stride);
        Value byte = b.load(i8, b.advance(from, at, i8), 1);
        b.store(emitConvert(byte), b.advance(splitQuad, i, i8), 1);
      });
      Value bytes = b.load(b.vec(4, i8), splitQuad, 4);
      b.store(emitSplitNibbles(bytes), b.advance(to, k, i16), 4);
    });
  });
}

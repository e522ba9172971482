//===- MatrixDots.cpp - 8-bit contractions by small matrices --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An instruction multiplies eight neighbours along K of two rows with those of
// two columns. A sum is therefore a square of two rows and two columns until
// the end of the loop over K.
//
//===----------------------------------------------------------------------===//

#include "IntegerKernel.h"

using namespace mlir;
using namespace needle::cpu;

/// Two groups of four along K, or one and zeros, of each row of lhs and each
/// column. `sums` holds the squares of two rows side by side.
SmallVector<Value> IntegerKernel::emitMatrixDots(unsigned groups, Value columns,
                                                 ArrayRef<Value> elements,
                                                 ValueRange sums) {
  VectorType sumType = b.vec(lanes, i32), byteType = b.vec(4 * lanes, i8);
  SmallVector<Value> squares;
  for (unsigned v = 0; v < vectors(); ++v) {
    // Groups of four columns → both groups of one column side by side.
    Value first =
        vector::BitCastOp::create(b, sumType, loadQuads(columns, 0, v));
    Value second = groups == 2 ? Value(vector::BitCastOp::create(
                                     b, sumType, loadQuads(columns, 1, v)))
                               : b.zero(sumType);
    static constexpr int64_t halves[2][4] = {{0, 4, 1, 5}, {2, 6, 3, 7}};
    for (ArrayRef<int64_t> places : halves) {
      Value two = vector::ShuffleOp::create(b, first, second, places);
      squares.push_back(vector::BitCastOp::create(b, byteType, two));
    }
  }
  auto loadRow = [&](unsigned row) -> Value {
    if (row >= elements.size())
      return b.zero(i64);
    if (groups == 2)
      return b.load(i64, elements[row], 1);
    return arith::ExtUIOp::create(b, i64, b.load(i32, elements[row], 1));
  };
  SmallVector<Value> next;
  for (unsigned row = 0; row < elements.size(); row += 2) {
    Value rows = vector::FromElementsOp::create(
        b, b.vec(2, i64), ValueRange{loadRow(row), loadRow(row + 1)});
    rows = vector::BitCastOp::create(b, byteType, rows);
    for (Value square : squares)
      next.push_back(emitCall(quads.intrinsic, sumType,
                              {sums[next.size()], rows, square}));
  }
  return next;
}

SmallVector<Value> IntegerKernel::emitMatrices(unsigned rows, Rows lhs,
                                               Value rhs) {
  unsigned pairsOfRows = (rows + 1) / 2, squares = 2 * vectors();
  SmallVector<Value> sums(pairsOfRows * squares, b.zero(b.vec(lanes, i32)));
  sums = emitGroups(rows, lhs, 4, rhs, /*step=*/2, sums,
                    [&](unsigned groups, Value columns,
                        ArrayRef<Value> elements, ValueRange values) {
                      return emitMatrixDots(groups, columns, elements, values);
                    });
  SmallVector<Value> terms = emitZeroPointTerms(rhs), result;
  for (unsigned row = 0; row < rows; ++row)
    for (unsigned v = 0; v < vectors(); ++v) {
      unsigned square = row / 2 * squares + 2 * v;
      SmallVector<int64_t> places{0, 1, 4, 5};
      if (row % 2 == 1)
        places = {2, 3, 6, 7};
      Value sum =
          vector::ShuffleOp::create(b, sums[square], sums[square + 1], places);
      result.push_back(b.add(sum, terms[v]));
    }
  return result;
}

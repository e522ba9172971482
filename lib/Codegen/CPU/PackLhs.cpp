//===- PackLhs.cpp - Packs rows of the left-hand side ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows stay rows: integers are widened to i16 with the zero point subtracted,
// so that no correction terms remain, and a stride of whole cache lines plus
// one keeps rows apart in the cache. f32 rows that are contiguous are read in
// place.
//
//===----------------------------------------------------------------------===//

#include "ContractionKernel.h"
#include "TransposeLanes.h"

using namespace mlir;
using namespace needle::cpu;

ContractionKernel::Rows
ContractionKernel::emitLhsRows(Value firstRow, Value rowCount, Value worker) {
  Value depth = arg(KernelArg::Depth);
  Value packedStride = emitPackedRowStride(b, b.getLoc(), spec.integer, depth);
  Value scratch = b.advance(arg(KernelArg::Workspace),
                            b.mul(worker, arg(KernelArg::WorkspaceBytes)), i8);
  Value source = b.advance(arg(KernelArg::Lhs),
                           b.mul(firstRow, arg(KernelArg::LhsRowStride)),
                           spec.integer ? i8 : f32);
  if (spec.integer) {
    emitPackIntegerRows(source, scratch, rowCount, packedStride);
    return {scratch, b.mul(packedStride, b.i64(2))};
  }
  Value inPlace = b.equal(arg(KernelArg::LhsColStride), b.i64(1));
  Value copy =
      arith::XOrIOp::create(b, inPlace, b.constant(b.getBoolAttr(true)));
  b.ifThen(copy,
           [&] { emitPackFloatRows(source, scratch, rowCount, packedStride); });
  Value stride = b.select(inPlace, arg(KernelArg::LhsRowStride), packedStride);
  return {b.select(inPlace, source, scratch), b.mul(stride, b.i64(4))};
}

void ContractionKernel::emitPackIntegerRows(Value source, Value dest,
                                            Value rowCount, Value destStride) {
  Value depth = arg(KernelArg::Depth);
  Value zeroPoint = arith::TruncIOp::create(b, i16, lhsZeroPoint);
  auto widen = [&](Type type, Value narrow) -> Value {
    if (spec.lhsUnsigned)
      return arith::ExtUIOp::create(b, type, narrow);
    return arith::ExtSIOp::create(b, type, narrow);
  };
  VectorType wide = b.vec(2 * lanes, i16), narrow = b.vec(2 * lanes, i8);
  Value zeroPoints = b.broadcast(zeroPoint, wide);
  // Rows that are contiguous and fill a vector are widened in vectors, the last
  // of which ends where the row ends.
  Value vectorized =
      arith::AndIOp::create(b, b.equal(arg(KernelArg::LhsColStride), b.i64(1)),
                            b.less(b.i64(2 * lanes - 1), depth));
  Value lastVector = b.sub(depth, b.i64(2 * lanes));
  Value vectorEnd = b.select(vectorized, lastVector, b.i64(0));
  Value scalarBegin = b.select(vectorized, depth, b.i64(0));
  Value odd = b.equal(b.rem(depth, b.i64(2)), b.i64(1));

  b.loop(b.i64(0), rowCount, 1, [&](Value row) {
    Value from =
        b.advance(source, b.mul(row, arg(KernelArg::LhsRowStride)), i8);
    Value to = b.advance(dest, b.mul(row, destStride), i16);
    auto emitVector = [&](Value k) {
      Value values = widen(wide, b.load(narrow, b.advance(from, k, i8), 1));
      b.store(b.sub(values, zeroPoints), b.advance(to, k, i16), 2);
    };
    b.loop(b.i64(0), vectorEnd, 2 * lanes, emitVector);
    b.ifThen(vectorized, [&] { emitVector(lastVector); });
    b.loop(scalarBegin, depth, 1, [&](Value k) {
      Value at = b.mul(k, arg(KernelArg::LhsColStride));
      Value value = widen(i16, b.load(i8, b.advance(from, at, i8), 1));
      b.store(b.sub(value, zeroPoint), b.advance(to, k, i16), 2);
    });
    // The last pair of an odd K.
    b.ifThen(odd, [&] { b.store(b.zero(i16), b.advance(to, depth, i16), 2); });
  });
}

void ContractionKernel::emitPackFloatRows(Value source, Value dest,
                                          Value rowCount, Value destStride) {
  // Neighbours along M are contiguous when lhs is a transposed matrix: squares
  // of them are transposed in registers.
  Value depth = arg(KernelArg::Depth);
  Value contiguous = b.equal(arg(KernelArg::LhsRowStride), b.i64(1));
  auto wholeOf = [&](Value size) {
    Value whole = b.sub(size, b.rem(size, b.i64(lanes)));
    return b.select(contiguous, whole, b.i64(0));
  };
  Value squareRows = wholeOf(rowCount), squareDepth = wholeOf(depth);
  b.loop(b.i64(0), squareRows, lanes, [&](Value row) {
    b.loop(b.i64(0), squareDepth, lanes, [&](Value k) {
      emitPackFloatSquare(source, dest, row, k, destStride);
    });
  });
  auto copy = [&](Value row, Value firstK) {
    b.loop(firstK, depth, 1, [&](Value k) {
      Value from = b.add(b.mul(k, arg(KernelArg::LhsColStride)),
                         b.mul(row, arg(KernelArg::LhsRowStride)));
      Value to = b.add(b.mul(row, destStride), k);
      b.store(b.load(f32, b.advance(source, from, f32), 4),
              b.advance(dest, to, f32), 4);
    });
  };
  b.loop(b.i64(0), squareRows, 1, [&](Value row) { copy(row, squareDepth); });
  b.loop(squareRows, rowCount, 1, [&](Value row) { copy(row, b.i64(0)); });
}

void ContractionKernel::emitPackFloatSquare(Value source, Value dest, Value row,
                                            Value k, Value destStride) {
  VectorType vector = b.vec(lanes, f32);
  SmallVector<Value> columns;
  for (unsigned i = 0; i < lanes; ++i) {
    Value at = b.mul(b.add(k, b.i64(i)), arg(KernelArg::LhsColStride));
    columns.push_back(
        b.load(vector, b.advance(source, b.add(at, row), f32), 4));
  }
  for (auto [i, elements] : llvm::enumerate(transposeLanes(b, columns))) {
    Value at = b.mul(b.add(row, b.i64(int64_t(i))), destStride);
    b.store(elements, b.advance(dest, b.add(at, k), f32), 4);
  }
}

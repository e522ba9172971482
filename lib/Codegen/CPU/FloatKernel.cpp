//===- FloatKernel.cpp - f32 contraction kernels --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each step along K loads NR packed columns and broadcasts one element of each
// row. Rows of lhs that are contiguous are read in place.
//
//===----------------------------------------------------------------------===//

#include "FloatKernel.h"
#include "TransposeLanes.h"

using namespace mlir;
using namespace needle::cpu;

SmallVector<Value> FloatKernel::emitTile(unsigned rows, Rows lhs,
                                         const Panel &panel) {
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
  return emitSteps(rows, lhs, 4, panel.rhs, 4 * tile.columns,
                   arg(KernelArg::Depth), vector, step);
}

ContractionKernel::Rows FloatKernel::emitLhsRows(const Block &block) {
  Value depth = arg(KernelArg::Depth);
  Value packedStride =
      emitPackedRowStride(b, b.getLoc(), /*integer=*/false, depth);
  Value scratch = emitWorkspace(block.worker);
  Value source =
      b.advance(arg(KernelArg::Lhs),
                b.mul(block.firstRow, arg(KernelArg::LhsRowStride)), f32);
  Value inPlace = b.equal(arg(KernelArg::LhsColStride), b.i64(1));
  Value copy =
      arith::XOrIOp::create(b, inPlace, b.constant(b.getBoolAttr(true)));
  b.ifThen(copy, [&] {
    emitPackRows(source, scratch, block.rowCount, packedStride);
  });
  Value stride = b.select(inPlace, arg(KernelArg::LhsRowStride), packedStride);
  return {b.select(inPlace, source, scratch), b.mul(stride, b.i64(4))};
}

void FloatKernel::emitPackRows(Value source, Value dest, Value rowCount,
                               Value destStride) {
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
    b.loop(b.i64(0), squareDepth, lanes,
           [&](Value k) { emitPackSquare(source, dest, row, k, destStride); });
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

void FloatKernel::emitPackSquare(Value source, Value dest, Value row, Value k,
                                 Value destStride) {
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

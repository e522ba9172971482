//===- FloatKernel.cpp - f32 contraction kernels --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each step along K loads NR packed columns and broadcasts one element of each
// row. K is taken in parts, for each of which all panels of a block are read.
//
//===----------------------------------------------------------------------===//

#include "FloatKernel.h"
#include "DotProduct.h"
#include "TransposeLanes.h"

using namespace mlir;
using namespace needle::cpu;

void FloatKernel::emitBlock(const Block &block) {
  Value depth = arg(KernelArg::Depth), step = arg(KernelArg::BlockDepth);
  // The rows of a task may be several blocks, which read a part of rhs one
  // after the other.
  Value rows =
      emitBlockRows(b, b.getLoc(), spec, target, arg(KernelArg::Rows), depth);
  Value blocks = b.ceilDiv(block.rowCount, rows);
  if (spec.patches)
    patches = emitSource(block);
  // A sum of no terms has an epilogue, too.
  Value last = b.div(b.sub(b.max(depth, b.i64(1)), b.i64(1)), step);
  b.loop(b.i64(0), b.add(last, b.i64(1)), 1, [&](Value part) {
    Block own = block;
    own.firstTerm = b.mul(part, step);
    own.terms = terms = b.min(step, b.sub(depth, own.firstTerm));
    isFirst = b.equal(part, b.i64(0));
    isLast = b.equal(part, last);
    b.loop(b.i64(0), blocks, 1, [&](Value index) {
      Value done = b.mul(index, rows);
      own.firstRow = b.add(block.firstRow, done);
      own.rowCount = b.min(rows, b.sub(block.rowCount, done));
      ContractionKernel::emitBlock(own);
    });
  });
}

void FloatKernel::emitPanels(const Block &block, Rows lhs) {
  // All tiles of a panel together prefetch the panel that follows.
  Value tiles = b.ceilDiv(block.rowCount, tile.rows);
  prefetchStep = b.div(b.i64(4 * tile.columns), tiles);
  Value panelSize = b.mul(arg(KernelArg::Depth), b.i64(tile.columns));
  Value firstTerm = b.mul(block.firstTerm, b.i64(tile.columns));
  b.loop(block.firstPanel, block.lastPanel, 1, [&](Value index) {
    Panel panel = emitPanel(index, block.firstRow);
    panel.rhs = b.advance(panel.rhs, firstTerm, f32);
    nextRhs = b.advance(panel.rhs, panelSize, f32);
    emitRowsOfPanel(panel, lhs, block.rowCount, tile.rows,
                    /*leftInOneTile=*/tile.rows <= 6);
  });
}

/// What the sums of a tile start from: 0, or the sums of the terms so far.
SmallVector<Value> FloatKernel::emitFirstSums(unsigned rows, const Panel &panel,
                                              Value dest) {
  VectorType vector = b.vec(lanes, f32);
  unsigned numSums = rows * vectors();
  return b.select(
      isFirst, SmallVector<Type>(numSums, vector),
      [&] { return SmallVector<Value>(numSums, b.zero(vector)); },
      [&] {
        b.ifThen(panel.ragged,
                 [&] { emitCopyRagged(rows, panel, /*back=*/true); });
        SmallVector<Value> sums;
        // Those of the tile below will be wanted next.
        Value below = b.advance(dest, b.mul(b.i64(rows), panel.destStride), i8);
        for (unsigned i = 0; i < rows; ++i)
          b.prefetchToWrite(
              b.advance(below, b.mul(b.i64(i), panel.destStride), i8));
        forEachVector(rows, dest, panel.destStride, [&](unsigned, Value at) {
          sums.push_back(b.load(vector, at, 4));
        });
        return sums;
      });
}

void FloatKernel::emitFinishedTile(unsigned rows, const Panel &panel, Rows lhs,
                                   Value dest) {
  SmallVector<Value> sums =
      emitTerms(rows, lhs, panel, emitFirstSums(rows, panel, dest));
  b.ifThenElse(
      isLast, [&] { emitEpilogue(rows, sums, panel, dest); },
      [&] {
        forEachVector(rows, dest, panel.destStride,
                      [&](unsigned i, Value at) { b.store(sums[i], at, 4); });
      });
}

SmallVector<Value> FloatKernel::emitTile(unsigned rows, Rows lhs,
                                         const Panel &panel) {
  SmallVector<Value> zeros(rows * vectors(), b.zero(b.vec(lanes, f32)));
  return emitTerms(rows, lhs, panel, zeros);
}

SmallVector<Value> FloatKernel::emitTerms(unsigned rows, Rows lhs,
                                          const Panel &panel,
                                          ValueRange inits) {
  VectorType vector = b.vec(lanes, f32);
  auto step = [&](Value base, ArrayRef<Value> elements, ValueRange sums) {
    SmallVector<Value> columns, next;
    for (unsigned v = 0; v < vectors(); ++v)
      columns.push_back(
          b.load(vector, b.advance(base, b.i64(v * lanes), f32), lanes * 4));
    for (unsigned i = 0; i < rows; ++i) {
      Value element = b.broadcast(b.load(f32, elements[i], 4), vector);
      for (unsigned v = 0; v < vectors(); ++v)
        next.push_back(emitMultiplyAdd(b, target, element, columns[v],
                                       sums[i * vectors() + v]));
    }
    return next;
  };
  Prefetch prefetch;
  if (nextRhs && rows == tile.rows) {
    Value index = b.div(panel.row, b.i64(tile.rows));
    Value first = b.mul(b.mul(index, prefetchStep), terms);
    prefetch = {b.advance(nextRhs, first, i8), prefetchStep};
  }
  // Small tiles are what is left of a block, and not worth the code; of large
  // ones LLVM would spill sums.
  unsigned unroll = rows < tile.rows || rows * vectors() > 12 ? 1 : 4;
  return emitSteps(rows, lhs, 4, panel.rhs, 4 * tile.columns, terms, inits,
                   step, unroll, prefetch);
}

/// Panels for which rows are copied that push each other out of the L1 cache:
/// copying is then a few percent of the work.
static constexpr int64_t fewestPanelsToCopyFor = 16;
/// Distance in elements of such rows: that of a page, or a multiple.
static constexpr int64_t pageElements = 1024;

ContractionKernel::Rows FloatKernel::emitLhsRows(const Block &block) {
  if (spec.patches)
    return {b.advance(patches, block.firstTerm, f32),
            b.mul(arg(KernelArg::LhsRowStride), b.i64(4))};
  Value stride = emitPackedRowStride(b, b.getLoc(), spec, packedTerms());
  Value scratch = emitWorkspace(block.worker);
  Value first = b.add(b.mul(block.firstRow, arg(KernelArg::LhsRowStride)),
                      b.mul(block.firstTerm, arg(KernelArg::LhsColStride)));
  Value source = b.advance(arg(KernelArg::Lhs), first, f32);
  Value contiguous = b.equal(arg(KernelArg::LhsColStride), b.i64(1));
  Value fewPanels = b.less(b.sub(block.lastPanel, block.firstPanel),
                           b.i64(fewestPanelsToCopyFor));
  Value apart = arith::CmpIOp::create(
      b, arith::CmpIPredicate::ne,
      b.rem(arg(KernelArg::LhsRowStride), b.i64(pageElements)), b.i64(0));
  Value fits = arith::OrIOp::create(b, fewPanels, apart);
  Value inPlace =
      spec.rows != 0 ? contiguous : arith::AndIOp::create(b, contiguous, fits);
  b.ifThenElse(
      inPlace, [] {},
      [&] {
        b.ifThenElse(
            contiguous, [&] { emitCopyRows(block, source, scratch, stride); },
            [&] { emitPackRows(block, source, scratch, stride); });
      });
  return {
      b.select(inPlace, source, scratch),
      b.mul(b.select(inPlace, arg(KernelArg::LhsRowStride), stride), b.i64(4))};
}

/// Copies contiguous rows.
void FloatKernel::emitCopyRows(const Block &block, Value source, Value dest,
                               Value destStride) {
  unsigned step = 2 * lanes;
  Value whole = b.sub(block.terms, b.rem(block.terms, b.i64(step)));
  b.loop(b.i64(0), block.rowCount, 1, [&](Value row) {
    Value from =
        b.advance(source, b.mul(row, arg(KernelArg::LhsRowStride)), f32);
    Value to = b.advance(dest, b.mul(row, destStride), f32);
    b.loop(b.i64(0), whole, step, [&](Value k) {
      b.store(b.load(b.vec(step, f32), b.advance(from, k, f32), 4),
              b.advance(to, k, f32), 4);
    });
    b.loop(whole, block.terms, 1, [&](Value k) {
      b.store(b.load(f32, b.advance(from, k, f32), 4), b.advance(to, k, f32),
              4);
    });
  });
}

void FloatKernel::emitPackRows(const Block &block, Value source, Value dest,
                               Value destStride) {
  // Neighbours along M are contiguous when lhs is a transposed matrix: squares
  // of them are transposed in registers.
  Value contiguous = b.equal(arg(KernelArg::LhsRowStride), b.i64(1));
  auto wholeOf = [&](Value size) {
    Value whole = b.sub(size, b.rem(size, b.i64(lanes)));
    return b.select(contiguous, whole, b.i64(0));
  };
  Value squareRows = wholeOf(block.rowCount),
        squareTerms = wholeOf(block.terms);
  b.loop(b.i64(0), squareRows, lanes, [&](Value row) {
    b.loop(b.i64(0), squareTerms, lanes,
           [&](Value k) { emitPackSquare(source, dest, row, k, destStride); });
  });
  auto copy = [&](Value row, Value firstK) {
    b.loop(firstK, block.terms, 1, [&](Value k) {
      Value from = b.add(b.mul(k, arg(KernelArg::LhsColStride)),
                         b.mul(row, arg(KernelArg::LhsRowStride)));
      Value to = b.add(b.mul(row, destStride), k);
      b.store(b.load(f32, b.advance(source, from, f32), 4),
              b.advance(dest, to, f32), 4);
    });
  };
  b.loop(b.i64(0), squareRows, 1, [&](Value row) { copy(row, squareTerms); });
  b.loop(squareRows, block.rowCount, 1,
         [&](Value row) { copy(row, b.i64(0)); });
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

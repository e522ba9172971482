//===- FewRowsKernel.cpp - f32 contractions of one or two rows ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// With few rows there are too few sums in a panel to keep the multipliers busy,
// and the time is that of reading rhs. Sums have the order of K here as in
// tiles of more rows, and so the same bits.
//
//===----------------------------------------------------------------------===//

#include "FewRowsKernel.h"
#include "DotProduct.h"

using namespace mlir;
using namespace needle::cpu;

void FewRowsKernel::emitBlock(const Block &block) {
  terms = block.terms;
  isFirst = isLast = b.constant(b.getBoolAttr(true));
  ContractionKernel::emitBlock(block);
}

void FewRowsKernel::emitPanels(const Block &block, Rows lhs) {
  int64_t group = spec.getPanelsAtOnce(target);
  Value whole = b.div(arg(KernelArg::Columns), b.i64(tile.columns));
  Value count = b.sub(b.min(whole, block.lastPanel), block.firstPanel);
  count = b.max(b.sub(count, b.rem(count, b.i64(group))), b.i64(0));
  Value groupsEnd = b.add(block.firstPanel, count);
  b.loop(block.firstPanel, groupsEnd, group,
         [&](Value first) { emitGroup(group, first, block, lhs); });
  b.loop(groupsEnd, block.lastPanel, 1, [&](Value index) {
    emitTileAndStore(spec.rows, emitPanel(index, block.firstRow), lhs,
                     b.i64(0));
  });
}

void FewRowsKernel::emitGroup(unsigned panels, Value first, const Block &block,
                              Rows lhs) {
  Panel panel = emitPanel(first, block.firstRow, /*whole=*/true);
  SmallVector<Value> sums = emitGroupSums(panels, panel.rhs, lhs);
  unsigned perPanel = spec.rows * vectors();
  for (unsigned i = 0; i < panels; ++i) {
    Panel own = emitPanel(b.add(first, b.i64(i)), block.firstRow,
                          /*whole=*/true);
    emitEpilogue(spec.rows, ArrayRef(sums).slice(i * perPanel, perPanel), own,
                 own.dest);
  }
}

/// The sums of several panels: those of a panel are by rows, a vector each.
SmallVector<Value> FewRowsKernel::emitGroupSums(unsigned panels, Value rhs,
                                                Rows lhs) {
  VectorType vector = b.vec(lanes, f32);
  Value panelSize = b.mul(arg(KernelArg::Depth), b.i64(tile.columns));
  auto step = [&](Value base, ArrayRef<Value> elements, ValueRange sums) {
    SmallVector<Value> rows, next;
    for (Value element : elements)
      rows.push_back(b.broadcast(b.load(f32, element, 4), vector));
    for (unsigned i = 0; i < panels; ++i) {
      if (i != 0)
        base = b.advance(base, panelSize, f32);
      SmallVector<Value> columns;
      for (unsigned v = 0; v < vectors(); ++v)
        columns.push_back(
            b.load(vector, b.advance(base, b.i64(v * lanes), f32), lanes * 4));
      for (Value row : rows)
        for (Value column : columns)
          next.push_back(
              emitMultiplyAdd(b, target, row, column, sums[next.size()]));
    }
    return next;
  };
  SmallVector<Value> zeros(panels * spec.rows * vectors(), b.zero(vector));
  return emitSteps(spec.rows, lhs, 4, rhs, 4 * tile.columns, terms, zeros,
                   step);
}

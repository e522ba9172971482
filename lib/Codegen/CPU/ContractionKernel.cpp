//===- ContractionKernel.cpp - Task, block and panel of a contraction -----===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ContractionKernel.h"
#include "GatherPatches.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace needle::cpu;

ContractionKernel::ContractionKernel(KernelBuilder &builder,
                                     const KernelSpec &spec,
                                     const CPUTarget &target, RegisterTile tile)
    : b(builder), spec(spec), target(target), tile(tile), lanes(target.lanes()),
      i8(b.getI8Type()), i16(b.getI16Type()), i32(b.getI32Type()),
      i64(b.getI64Type()), f32(b.getF32Type()) {}

Type ContractionKernel::destType() const {
  return spec.dest == DestKind::Q8    ? i8
         : spec.dest == DestKind::I32 ? i32
                                      : f32;
}

void ContractionKernel::emit(TaskArguments task) {
  ContextReader reader(b, task.context);
  auto count = spec.hasRest ? KernelArg::Count : KernelArg::Rest;
  for (unsigned i = 0; i < unsigned(count); ++i) {
    auto which = KernelArg(i);
    bool pointer = which == KernelArg::Lhs || which == KernelArg::Rhs ||
                   which == KernelArg::Scales || which == KernelArg::Bias ||
                   which == KernelArg::Dest || which == KernelArg::Workspace ||
                   which == KernelArg::Rest || which == KernelArg::RestGroups ||
                   which == KernelArg::Patches;
    args.push_back(pointer ? reader.nextPointer() : reader.nextWord());
  }
  emitPrologue();
  SmallVector<Value> ofAllGroups = args;
  b.loop(task.begin, task.end, 1, [&](Value index) {
    Value splits = arg(KernelArg::ColumnSplits);
    Value panels = b.ceilDiv(arg(KernelArg::Columns), tile.columns);
    Value split = b.rem(index, splits);
    index = b.div(index, splits);
    if (spec.hasGroups())
      index = emitSelectGroup(index, ofAllGroups);
    Block block;
    block.firstRow = b.mul(index, arg(KernelArg::BlockRows));
    block.rowCount = b.min(arg(KernelArg::BlockRows),
                           b.sub(arg(KernelArg::Rows), block.firstRow));
    block.firstPanel = b.div(b.mul(panels, split), splits);
    block.lastPanel = b.div(b.mul(panels, b.add(split, b.i64(1))), splits);
    block.firstTerm = b.i64(0);
    block.terms = arg(KernelArg::Depth);
    block.worker = task.worker;
    emitBlock(block);
  });
}

/// Makes pointers those of the group that task `index` is of, and returns the
/// index of its block. The groups of a block follow one another: they read the
/// same pixels.
Value ContractionKernel::emitSelectGroup(Value index, ArrayRef<Value> all) {
  Value patches = arg(KernelArg::Patches);
  auto patch = [&](PatchArg which) {
    return b.load(i64, b.advance(patches, b.i64(unsigned(which)), i64), 8);
  };
  Value groups = patch(PatchArg::Groups);
  Value group = b.rem(index, groups);
  Value columns = b.mul(group, arg(KernelArg::Columns));
  Value panels = b.mul(group, b.ceilDiv(arg(KernelArg::Columns), tile.columns));
  auto advance = [&](KernelArg which, Value distance, Type element) {
    args[unsigned(which)] = b.advance(all[unsigned(which)], distance, element);
  };
  advance(KernelArg::Lhs, b.mul(group, patch(PatchArg::ChannelBytes)), i8);
  advance(KernelArg::Rhs,
          emitPackedRhsBytes(b, b.getLoc(), spec,
                             b.mul(panels, b.i64(tile.columns)),
                             arg(KernelArg::Depth)),
          i8);
  if (hasScales())
    advance(KernelArg::Scales, columns, f32);
  if (spec.hasBias)
    advance(KernelArg::Bias, columns, biasType());
  advance(KernelArg::Dest, columns, destType());
  if (spec.hasRest) {
    Value rest = b.mul(panels, arg(KernelArg::RestCount));
    advance(KernelArg::Rest, b.mul(rest, b.i64(4 * tile.columns)), i8);
    advance(KernelArg::RestGroups, rest, i32);
  }
  return b.div(index, groups);
}

void ContractionKernel::emitBlock(const Block &block) {
  emitPanels(block, emitLhsRows(block));
}

void ContractionKernel::emitPrologue() {
  raggedScales = b.stack(f32, tile.columns);
  raggedBias = b.stack(i32, tile.columns);
  raggedDest = b.stack(destType(), tile.rows * tile.columns);
  if (spec.dest != DestKind::Q8)
    return;
  auto narrow = [&](KernelArg which) -> Value {
    return arith::TruncIOp::create(b, i32, arg(which));
  };
  destScale = arith::BitcastOp::create(b, f32, narrow(KernelArg::DestScale));
  destZeroPoint = narrow(KernelArg::DestZeroPoint);
}

Value ContractionKernel::emitWorkspace(Value worker) {
  return b.advance(arg(KernelArg::Workspace),
                   b.mul(worker, arg(KernelArg::WorkspaceBytes)), i8);
}

Value ContractionKernel::emitSource(const Block &block) {
  Type element = spec.integer ? i8 : f32;
  Value stride = arg(KernelArg::LhsRowStride);
  if (!spec.patches)
    return b.advance(arg(KernelArg::Lhs), b.mul(block.firstRow, stride),
                     element);
  // At the end of the workspace, behind what is packed from them.
  Value rowBytes = b.mul(stride, b.i64(spec.integer ? 1 : 4));
  Value rows = b.min(arg(KernelArg::BlockRows), arg(KernelArg::Rows));
  Value offset = b.sub(arg(KernelArg::WorkspaceBytes), b.mul(rows, rowBytes));
  Value dest = b.advance(emitWorkspace(block.worker), offset, i8);
  Value fill = spec.integer ? arg(KernelArg::LhsZeroPoint) : b.i64(0);
  emitGatherPatches(b, target,
                    {arg(KernelArg::Patches), arg(KernelArg::Lhs),
                     arith::TruncIOp::create(b, i8, fill)},
                    {dest, rowBytes, block.firstRow, block.rowCount});
  return dest;
}

void ContractionKernel::emitPanels(const Block &block, Rows lhs) {
  b.loop(block.firstPanel, block.lastPanel, 1, [&](Value index) {
    emitRowsOfPanel(emitPanel(index, block.firstRow), lhs, block.rowCount,
                    tile.rows, /*leftInOneTile=*/tile.rows <= 6);
  });
}

/// Copies `count` words from `source` to `dest`.
static void copyWords(KernelBuilder &b, Value source, Value dest, Value count) {
  Type word = b.getI32Type();
  b.loop(b.i64(0), count, 1, [&](Value i) {
    b.store(b.load(word, b.advance(source, i, word), 4),
            b.advance(dest, i, word), 4);
  });
}

ContractionKernel::Panel
ContractionKernel::emitPanel(Value index, Value firstRow, bool whole) {
  Panel panel;
  panel.index = index;
  Value firstColumn = b.mul(index, b.i64(tile.columns));
  panel.columns =
      b.min(b.sub(arg(KernelArg::Columns), firstColumn), b.i64(tile.columns));
  panel.ragged = whole ? b.constant(b.getBoolAttr(false))
                       : b.less(panel.columns, b.i64(tile.columns));

  panel.rhs = b.advance(arg(KernelArg::Rhs),
                        emitPackedRhsBytes(b, b.getLoc(), spec, firstColumn,
                                           arg(KernelArg::Depth)),
                        i8);
  panel.rhsBits = spec.rhsBits;

  Value scales = arg(KernelArg::Scales), bias = arg(KernelArg::Bias);
  if (hasScales())
    scales = b.advance(scales, firstColumn, f32);
  if (spec.hasBias)
    bias = b.advance(bias, firstColumn, f32);
  b.ifThen(panel.ragged, [&] {
    if (hasScales())
      copyWords(b, scales, raggedScales, panel.columns);
    if (spec.hasBias)
      copyWords(b, bias, raggedBias, panel.columns);
  });
  panel.scales = b.select(panel.ragged, raggedScales, scales);
  panel.bias = b.select(panel.ragged, raggedBias, bias);

  Value stride = arg(KernelArg::DestRowStride);
  panel.destActualStride = b.mul(stride, b.i64(destBytes()));
  panel.destActual =
      b.advance(arg(KernelArg::Dest),
                b.add(b.mul(firstRow, stride), firstColumn), destType());
  panel.dest = panel.destActual;
  panel.destStride = b.select(panel.ragged, b.i64(tile.columns * destBytes()),
                              panel.destActualStride);
  return panel;
}

void ContractionKernel::emitRowsOfPanel(const Panel &panel, Rows lhs,
                                        Value rowCount, unsigned tileRows,
                                        bool leftInOneTile) {
  Value remainder = b.rem(rowCount, b.i64(tileRows));
  Value fullRows = b.sub(rowCount, remainder);
  b.loop(b.i64(0), fullRows, tileRows,
         [&](Value row) { emitTileAndStore(tileRows, panel, lhs, row); });
  if (leftInOneTile) {
    for (unsigned rows = 1; rows < tileRows; ++rows)
      b.ifThen(b.equal(remainder, b.i64(rows)),
               [&] { emitTileAndStore(rows, panel, lhs, fullRows); });
    return;
  }
  Value done = fullRows;
  for (unsigned rows = llvm::bit_floor(tileRows - 1); rows > 0; rows /= 2) {
    Value end = b.add(done, b.i64(rows));
    Value fits = b.less(end, b.add(rowCount, b.i64(1)));
    b.ifThen(fits, [&] { emitTileAndStore(rows, panel, lhs, done); });
    done = b.select(fits, end, done);
  }
}

void ContractionKernel::emitTileAndStore(unsigned rows, const Panel &panel,
                                         Rows lhs, Value row) {
  lhs.base = b.advance(lhs.base, b.mul(row, lhs.stride), i8);
  Value dest =
      b.select(panel.ragged, raggedDest,
               b.advance(panel.dest, b.mul(row, panel.destStride), i8));
  Panel own = panel;
  own.row = row;
  own.destActual =
      b.advance(panel.destActual, b.mul(row, panel.destActualStride), i8);
  emitFinishedTile(rows, own, lhs, dest);
  Value copies = panel.ragged;
  if (Value stores = getStores())
    copies = arith::AndIOp::create(b, copies, stores);
  b.ifThen(copies, [&] { emitCopyRagged(rows, own); });
}

/// The function that copies `rows` rows of `columns` elements; strides are in
/// bytes. Each tile of a kernel calls it, seldom.
static LLVM::LLVMFuncOp getOrCreateCopy(KernelBuilder &b, ModuleOp module,
                                        Type element) {
  // No name of a function of anybody else.
  std::string name =
      ".copy_ragged" + std::to_string(element.getIntOrFloatBitWidth());
  if (auto existing = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
    return existing;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(module.getBody());
  Type ptr = b.ptrType(), i8 = b.getI8Type(), i64 = b.getI64Type();
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), {ptr, i64, ptr, i64, i64, i64});
  // Not of the func dialect, which has no way to forbid inlining.
  auto function = LLVM::LLVMFuncOp::create(b, name, type);
  function.setNoInline(true);
  Block *entry = function.addEntryBlock(b);
  b.setInsertionPointToStart(entry);
  ValueRange args = entry->getArguments();
  unsigned bytes = element.getIntOrFloatBitWidth() / 8;
  b.loop(b.i64(0), args[4], 1, [&](Value row) {
    Value from = b.advance(args[0], b.mul(row, args[1]), i8);
    Value to = b.advance(args[2], b.mul(row, args[3]), i8);
    b.loop(b.i64(0), args[5], 1, [&](Value column) {
      b.store(b.load(element, b.advance(from, column, element), bytes),
              b.advance(to, column, element), bytes);
    });
  });
  LLVM::ReturnOp::create(b, ValueRange());
  return function;
}

void ContractionKernel::emitCopyRagged(unsigned rows, const Panel &panel,
                                       bool back) {
  Value from = raggedDest, to = panel.destActual;
  Value fromStride = b.i64(tile.columns * destBytes());
  Value toStride = panel.destActualStride;
  if (back) {
    std::swap(from, to);
    std::swap(fromStride, toStride);
  }
  // What is being built need not lie in the module yet.
  auto module = raggedDest.getDefiningOp()->getParentOfType<ModuleOp>();
  LLVM::CallOp::create(
      b, getOrCreateCopy(b, module, destType()),
      ValueRange{from, fromStride, to, toStride, b.i64(rows), panel.columns});
}

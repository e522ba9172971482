//===- BlockwiseKernel.cpp - Task, panel and edges of 4-bit products ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BlockwiseKernel.h"
#include "KernelSelection.h"
#include "LibraryKernels.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Kernel.h"
#include "needle/Codegen/CPU/Passes.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace needle::cpu;

//===----------------------------------------------------------------------===//
// Names and sizes
//===----------------------------------------------------------------------===//

std::string BlockwiseSpec::getName(const CPUTarget &target) const {
  return llvm::formatv("qmatmul_blockwise_{0}{1}_b{2}.{3}.{4}x{5}",
                       isInteger() ? "s8" : "f32", asymmetric ? "u4" : "i4",
                       blockSize, target.name, tile(target).rows,
                       tile(target).columns);
}

BlockwiseSpec needle::cpu::getSpec(QMatmulBlockwiseOp op) {
  return {op.getActivations(), op.getAsymmetric(),
          static_cast<int64_t>(op.getBlockSize())};
}

Value needle::cpu::emitFloatRowBytes(KernelBuilder &b,
                                     const BlockwiseLayout &layout,
                                     Value depth) {
  Value padded = b.roundUp(depth, layout.chunk());
  return b.roundUp(b.mul(padded, b.i64(4)), 64);
}

Value needle::cpu::emitPreparedRowStride(KernelBuilder &b,
                                         const BlockwiseSpec &spec,
                                         const CPUTarget &target, Value depth) {
  BlockwiseLayout layout = spec.layout(target);
  if (!spec.isInteger())
    return b.add(emitFloatRowBytes(b, layout, depth), b.i64(64));
  Value elements = b.mul(b.roundUp(depth, layout.chunk()),
                         b.i64(getActivationBytes(target)));
  Value headers =
      b.mul(b.ceilDiv(depth, layout.blockSize), b.i64(activationHeaderBytes));
  return b.add(b.roundUp(b.add(elements, headers), 64), b.i64(64));
}

/// Bytes of prepared lhs rows that a block may take: half of a small L2 cache.
static constexpr int64_t preparedBlockBytes = 192 * 1024;

static Value emitTaskRows(KernelBuilder &b, const BlockwiseSpec &spec,
                          const CPUTarget &target, Value rows, Value depth) {
  int64_t tileRows = spec.tile(target).rows;
  Value fitting = b.div(b.i64(preparedBlockBytes),
                        emitPreparedRowStride(b, spec, target, depth));
  fitting = b.mul(b.div(fitting, b.i64(tileRows)), b.i64(tileRows));
  fitting = b.max(b.min(fitting, b.i64(target.blockRows)), b.i64(tileRows));
  return b.max(b.min(fitting, rows), b.i64(1));
}

BlockwiseSplit needle::cpu::emitBlockwiseSplit(OpBuilder &builder, Location loc,
                                               const BlockwiseSpec &spec,
                                               const CPUTarget &target,
                                               Value rows, Value depth,
                                               Value columns, Value threads) {
  KernelBuilder b(loc, builder);
  BlockwiseSplit split;
  split.blockRows = emitTaskRows(b, spec, target, rows, depth);
  Value blocks = b.ceilDiv(rows, split.blockRows);
  // A multiplication costs about what packing an element costs.
  split.isInline =
      emitIsPackInline(b, loc, columns, b.mul(rows, depth), threads);
  // Two tasks a thread even out their differences; splitting columns repeats
  // the preparation of lhs, so blocks of rows go first.
  Value atLeastOne = b.max(blocks, b.i64(1));
  Value wanted = b.div(
      b.sub(b.add(b.mul(threads, b.i64(2)), atLeastOne), b.i64(1)), atLeastOne);
  Value panels = b.max(b.ceilDiv(columns, spec.tile(target).columns), b.i64(1));
  split.columnSplits = b.select(split.isInline, b.i64(1),
                                b.min(b.max(wanted, b.i64(1)), panels));
  split.tasks = b.mul(blocks, split.columnSplits);
  return split;
}

Value needle::cpu::emitBlockwiseWorkspaceBytes(OpBuilder &builder, Location loc,
                                               const BlockwiseSpec &spec,
                                               const CPUTarget &target,
                                               Value rows, Value depth) {
  KernelBuilder b(loc, builder);
  BlockwiseLayout layout = spec.layout(target);
  Value prepared = b.mul(emitTaskRows(b, spec, target, rows, depth),
                         emitPreparedRowStride(b, spec, target, depth));
  Value panel = b.mul(b.roundUp(depth, layout.chunk()),
                      b.i64(layout.panel * (spec.isInteger() ? 1 : 4)));
  Value bytes = b.add(prepared, b.roundUp(panel, 64));
  return spec.isInteger() ? b.add(bytes, emitFloatRowBytes(b, layout, depth))
                          : bytes;
}

LogicalResult needle::cpu::prepareBlockwise(QMatmulBlockwiseOp op,
                                            const CPUTarget &target) {
  if (op.getNumResults() != 0)
    return op.emitOpError("is on tensors; workspaces are added to buffers");
  BlockwiseSpec spec = getSpec(op);
  int64_t width = spec.tile(target).columns;
  if (static_cast<int64_t>(op.getPanel()) != width)
    return op.emitOpError() << "is packed in panels of " << op.getPanel()
                            << " columns, but the kernels of " << target.name
                            << " read " << width;
  if (failed(verifyRuntimeArguments(op)))
    return failure();
  op->setAttr(kernelAttr,
              StringAttr::get(op.getContext(), spec.getName(target)));
  KernelBuilder b(op.getLoc(), op);
  auto extent = [&](unsigned dim) -> Value {
    Value size = b.createOrFold<memref::DimOp>(op.getLhs(), dim);
    return arith::IndexCastOp::create(b, b.getI64Type(), size);
  };
  Value bytes = arith::IndexCastOp::create(
      b, b.getIndexType(),
      emitBlockwiseWorkspaceBytes(b, b.getLoc(), spec, target, extent(0),
                                  extent(1)));
  Value threads = getRuntimeArgument(op->getParentOfType<func::FuncOp>(),
                                     RuntimeArg::Threads);
  auto type = MemRefType::get({ShapedType::kDynamic, ShapedType::kDynamic},
                              b.getI8Type());
  op.getWorkspaceMutable().assign(
      memref::AllocOp::create(b, type, ValueRange{threads, bytes}));
  return success();
}

//===----------------------------------------------------------------------===//
// Task and panel
//===----------------------------------------------------------------------===//

/// So many rows unpack a panel as fast in registers.
static constexpr unsigned fewRows = 4;

BlockwiseKernel::BlockwiseKernel(KernelBuilder &builder,
                                 const BlockwiseSpec &spec,
                                 const CPUTarget &target)
    : b(builder), spec(spec), target(target), tile(spec.tile(target)),
      layout(spec.layout(target)), byteDot(getByteDotIntrinsic(target)),
      lanes(target.lanes()), i8(b.getI8Type()), i16(b.getI16Type()),
      i32(b.getI32Type()), i64(b.getI64Type()), f32(b.getF32Type()) {}

void BlockwiseKernel::emit(Value context, Value begin, Value end,
                           Value worker) {
  raggedDest = b.stack(f32, int64_t(tile.rows) * tile.columns);
  for (unsigned i = 0; i < unsigned(BlockwiseArg::Count); ++i) {
    auto which = BlockwiseArg(i);
    bool pointer = which == BlockwiseArg::Lhs || which == BlockwiseArg::Rhs ||
                   which == BlockwiseArg::Dest ||
                   which == BlockwiseArg::Workspace;
    args.push_back(b.load(pointer ? b.ptrType() : i64,
                          b.advance(context, b.i64(i), i64), 8));
  }
  chunks = b.ceilDiv(arg(BlockwiseArg::Depth), layout.chunk());
  blocks = b.ceilDiv(arg(BlockwiseArg::Depth), layout.blockSize);
  b.loop(begin, end, 1, [&](Value task) { emitTask(task, worker); });
}

void BlockwiseKernel::emitTask(Value task, Value worker) {
  Value splits = arg(BlockwiseArg::ColumnSplits);
  Value firstRow = b.mul(b.div(task, splits), arg(BlockwiseArg::BlockRows));
  Value rowCount = b.min(arg(BlockwiseArg::BlockRows),
                         b.sub(arg(BlockwiseArg::Rows), firstRow));
  Value split = b.rem(task, splits);
  Value panels = b.ceilDiv(arg(BlockwiseArg::Columns), tile.columns);
  Value firstPanel = b.div(b.mul(panels, split), splits);
  Value lastPanel = b.div(b.mul(panels, b.add(split, b.i64(1))), splits);

  Value scratch =
      b.advance(arg(BlockwiseArg::Workspace),
                b.mul(worker, arg(BlockwiseArg::WorkspaceBytes)), i8);
  Rows lhs = emitRows(firstRow, rowCount, scratch);
  auto emitPanels = [&](Value unpacked) {
    b.loop(firstPanel, lastPanel, 1, [&](Value index) {
      emitPanel(index, firstRow, rowCount, lhs, unpacked);
    });
  };
  b.ifThenElse(
      b.less(b.i64(fewRows), rowCount),
      [&] {
        Value rows =
            b.min(arg(BlockwiseArg::BlockRows), arg(BlockwiseArg::Rows));
        emitPanels(b.advance(lhs.base, b.mul(rows, lhs.stride), i8));
      },
      [&] { emitPanels(nullptr); });
}

void BlockwiseKernel::emitPanel(Value index, Value firstRow, Value rowCount,
                                Rows lhs, Value unpacked) {
  Panel panel;
  Value firstColumn = b.mul(index, b.i64(tile.columns));
  panel.columns = b.min(b.sub(arg(BlockwiseArg::Columns), firstColumn),
                        b.i64(tile.columns));
  panel.ragged = b.less(panel.columns, b.i64(tile.columns));
  Value bytes = b.add(b.mul(blocks, b.i64(layout.headerBytes())),
                      b.mul(chunks, b.i64(layout.chunkBytes())));
  panel.headers = b.advance(arg(BlockwiseArg::Rhs), b.mul(index, bytes), i8);
  panel.unpacked = bool(unpacked);
  panel.weights = unpacked;
  if (unpacked && spec.isInteger())
    emitUnpackIntegers(panel.headers, unpacked);
  else if (unpacked)
    emitUnpackFloats(panel.headers, unpacked);
  else
    panel.weights = b.advance(panel.headers, b.i64(layout.headerBytes()), i8);
  panel.dest = b.advance(
      arg(BlockwiseArg::Dest),
      b.add(b.mul(firstRow, arg(BlockwiseArg::DestRowStride)), firstColumn),
      f32);

  unsigned most = unpacked ? tile.rows : std::min(tile.rows, fewRows);
  Value done = b.sub(rowCount, b.rem(rowCount, b.i64(most)));
  b.loop(b.i64(0), done, most,
         [&](Value row) { emitTileAndStore(most, panel, lhs, row); });
  // The rows that are left over, in few variants of the tile.
  for (unsigned rows = llvm::bit_floor(most - 1); rows > 0; rows /= 2) {
    Value end = b.add(done, b.i64(rows));
    Value fits = b.less(end, b.add(rowCount, b.i64(1)));
    b.ifThen(fits, [&] { emitTileAndStore(rows, panel, lhs, done); });
    done = b.select(fits, end, done);
  }
}

void BlockwiseKernel::emitTileAndStore(unsigned rows, const Panel &panel,
                                       Rows lhs, Value row) {
  lhs.base = b.advance(lhs.base, b.mul(row, lhs.stride), i8);
  Values sums = spec.isInteger() ? emitIntegerTile(rows, lhs, panel)
                                 : emitFloatTile(rows, lhs, panel);
  emitStore(rows, sums, panel, row);
}

void BlockwiseKernel::emitStore(unsigned rows, ValueRange sums,
                                const Panel &panel, Value row) {
  Value stride = arg(BlockwiseArg::DestRowStride);
  Value actual = b.advance(panel.dest, b.mul(row, stride), f32);
  Value dest = b.select(panel.ragged, raggedDest, actual);
  Value destStride = b.select(panel.ragged, b.i64(tile.columns), stride);
  for (unsigned i = 0; i < rows; ++i) {
    Value to = b.advance(dest, b.mul(b.i64(i), destStride), f32);
    for (unsigned v = 0; v < vectors(); ++v)
      b.store(sums[i * vectors() + v],
              b.advance(to, b.i64(int64_t(v) * lanes), f32), 4);
  }
  b.ifThen(panel.ragged, [&] {
    b.loop(b.i64(0), b.i64(rows), 1, [&](Value i) {
      Value from = b.advance(raggedDest, b.mul(i, b.i64(tile.columns)), f32);
      Value to = b.advance(actual, b.mul(i, stride), f32);
      b.loop(b.i64(0), panel.columns, 1, [&](Value column) {
        b.store(b.load(f32, b.advance(from, column, f32), 4),
                b.advance(to, column, f32), 4);
      });
    });
  });
}

//===----------------------------------------------------------------------===//
// What the parts share
//===----------------------------------------------------------------------===//

/// Rows whose elements are addressed from one pointer, as pointer, pointer +
/// stride and pointer + 2·stride.
static constexpr unsigned rowsPerPointer = 3;

BlockwiseKernel::Values BlockwiseKernel::rowPointers(unsigned rows, Rows lhs) {
  Values pointers;
  Value next = b.mul(lhs.stride, b.i64(rowsPerPointer));
  for (unsigned i = 0; i < rows; i += rowsPerPointer)
    pointers.push_back(i == 0 ? lhs.base
                              : b.advance(pointers.back(), next, i8));
  return pointers;
}

Value BlockwiseKernel::rowElement(ValueRange pointers, Rows lhs, unsigned row,
                                  int64_t offset) {
  Value pointer = pointers[row / rowsPerPointer];
  if (unsigned i = row % rowsPerPointer)
    pointer = b.advance(pointer, b.mul(lhs.stride, b.i64(i)), i8);
  return b.advance(pointer, b.i64(offset), i8);
}

Value BlockwiseKernel::chunksOf(Value block) {
  Value first = b.mul(block, b.i64(layout.chunksPerBlock()));
  return b.min(b.i64(layout.chunksPerBlock()), b.sub(chunks, first));
}

BlockwiseKernel::Values BlockwiseKernel::forEachChunk(Value block,
                                                      ValueRange carried,
                                                      ChunkEmitter emitChunk) {
  if (layout.chunksPerBlock() == 1)
    return emitChunk(carried);
  return llvm::to_vector_of<Value>(
      b.loop(b.i64(0), chunksOf(block), 1, carried,
             [&](Value, ValueRange values) { return emitChunk(values); }));
}

Value BlockwiseKernel::loadScales(Value header, unsigned v) {
  return b.load(f32s(), b.advance(header, b.i64(int64_t(v) * lanes), f32), 16);
}

Value BlockwiseKernel::loadZeroPoints(Value header, unsigned v) {
  int64_t offset = int64_t(tile.columns) * 4 + int64_t(v) * lanes;
  Value bytes = b.load(b.vec(lanes, i8), b.advance(header, b.i64(offset), i8),
                       /*alignment=*/1);
  return arith::ExtUIOp::create(b, i32s(), bytes);
}

func::FuncOp needle::cpu::getOrEmitBlockwiseKernel(ModuleOp module,
                                                   const BlockwiseSpec &spec,
                                                   const CPUTarget &target) {
  return getOrCreateTask(
      module, spec.getName(target), [&](KernelBuilder &b, TaskArguments task) {
        BlockwiseKernel(b, spec, target)
            .emit(task.context, task.begin, task.end, task.worker);
      });
}

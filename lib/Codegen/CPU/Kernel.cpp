//===- Kernel.cpp - Names, limits and creation of kernels -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Codegen/CPU/Kernel.h"
#include "DepthwiseRingKernel.h"
#include "FewRowsKernel.h"
#include "IntegerKernel.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace needle::cpu;

/// Name of what is stored, e.g. "_f32" or, by its range, "_u8".
static std::string getDestName(const KernelSpec &spec) {
  if (spec.dest == DestKind::F32)
    return "_f32";
  if (spec.dest == DestKind::I32)
    return "_i32";
  if (spec.destMin == 0 && spec.destMax == 255)
    return "_u8";
  if (spec.destMin == -128 && spec.destMax == 127)
    return "_s8";
  // Narrow ranges by their bounds, with "m" for minus.
  std::string name = llvm::formatv("_q{0}to{1}", spec.destMin, spec.destMax);
  llvm::replace(name, '-', 'm');
  return name;
}

RegisterTile KernelSpec::getTile(const CPUTarget &target) const {
  RegisterTile tile = integer ? target.getTile(form) : target.floatTile;
  // The weights of more groups leave registers for a row less.
  if (form == DotForm::Bytes && byteSteps > 2)
    --tile.rows;
  return tile;
}

std::string KernelSpec::getName(const CPUTarget &target) const {
  std::string name = integer ? "q" : "";
  name += patches ? "conv2d" : "matmul";
  if (depthwise.width != 0)
    name += llvm::formatv("_depthwise{0}s{1}d{2}", depthwise.width,
                          depthwise.stride, depthwise.dilation);
  if (depthwise.channels != 1)
    name += "c" + std::to_string(depthwise.channels);
  if (integer) {
    name += lhsUnsigned ? "_u8" : "_s8";
    name += rhsBits == 8 ? "s8" : rhsBits == 16 ? "i16" : "f32";
    if (form == DotForm::Bytes)
      name += "_bytes" + std::to_string(byteSteps) + (hasRest ? "r" : "");
    else if (form == DotForm::Quads)
      name += "_quads";
    else if (form == DotForm::Nibbles)
      name += "_nibbles";
  }
  name += getDestName(*this);
  if (hasBias)
    name += integerBias ? "_bias32" : "_bias";
  if (activation != Activation::None)
    name += "_" + stringifyActivation(activation).str();
  if (wide)
    name += "_wide";
  RegisterTile tile = getTile(target);
  if (rows != 0)
    tile = {rows, tile.columns * getPanelsAtOnce(target)};
  return llvm::formatv("{0}.{1}.{2}x{3}", name, target.name, tile.rows,
                       tile.columns);
}

unsigned KernelSpec::getPanelsAtOnce(const CPUTarget &target) const {
  // A fused multiply-add takes four cycles, and two begin in each.
  constexpr unsigned sumsInFlight = 8;
  return llvm::divideCeil(sumsInFlight,
                          rows * (target.floatTile.columns / target.lanes()));
}

std::string PackSpec::getName(const CPUTarget &target) const {
  const char *kind = !integer         ? "f32"
                     : destBits == 8  ? "s8"
                     : sourceUnsigned ? "u8_i16"
                                      : "s8_i16";
  return llvm::formatv("pack_rhs_{0}.{1}", kind, target.name);
}

int64_t needle::cpu::getMaxDepth(const KernelSpec &spec) {
  // |lhs - zero point| <= 255; packed rhs of i8 is at most 128, of i16 at most
  // 255 in magnitude. Forms that do not subtract the zero point first stay
  // below the same bound, and may wrap on the way to their sum. K is consumed
  // in groups of four.
  int64_t largestProduct = 255 * (spec.rhsBits == 8 ? 128 : 255);
  return (INT32_MAX / largestProduct) & ~int64_t(3);
}

ContractionSizes
needle::cpu::emitContractionSizes(OpBuilder &builder, Location loc,
                                  ArrayRef<Value> lhsExtents, bool transposed,
                                  std::optional<ArrayRef<int64_t>> values) {
  if (!values)
    return {
        lhsExtents[transposed ? 1 : 0], lhsExtents[transposed ? 0 : 1], {}, {}};
  KernelBuilder b(loc, builder);
  Window window = Window::of(*values);
  auto extent = [&](unsigned i) {
    Value room = b.add(lhsExtents[1 + i], b.i64(window.getRoom(i)));
    return b.add(b.div(room, b.i64(window.strides[i])), b.i64(1));
  };
  Value height = extent(0), width = extent(1);
  Value pixels = b.i64(window.kernel[0] * window.kernel[1]);
  Value channels = b.div(lhsExtents[3], b.i64(window.groups));
  return {b.mul(b.mul(lhsExtents[0], height), width), b.mul(pixels, channels),
          height, width};
}

DepthwiseRing needle::cpu::emitDepthwiseRing(OpBuilder &builder, Location loc,
                                             const Window &window,
                                             const CPUTarget &target,
                                             Value resultWidth) {
  KernelBuilder b(loc, builder);
  int64_t last = (window.kernel[1] - 1) * window.dilations[1];
  Value positions =
      b.add(b.mul(b.sub(resultWidth, b.i64(1)), b.i64(window.strides[1])),
            b.i64(last + 1));
  return {b.i64((window.kernel[0] - 1) * window.dilations[0] + 1), positions,
          b.roundUp(b.mul(positions, b.i64(4 * target.intTile.columns)), 64)};
}

Value needle::cpu::emitPatchRowBytes(OpBuilder &builder, Location loc,
                                     bool integer, Value depth) {
  KernelBuilder b(loc, builder);
  // Whole cache lines and one more, as packed rows.
  Value bytes = b.mul(depth, b.i64(integer ? 1 : 4));
  return b.add(b.roundUp(bytes, 64), b.i64(64));
}

Value needle::cpu::emitPackedRowStride(OpBuilder &builder, Location loc,
                                       const KernelSpec &spec, Value depth) {
  KernelBuilder b(loc, builder);
  int64_t line = 64 / spec.lhsBytes();
  return b.add(b.roundUp(depth, line), b.i64(line));
}

/// Bytes of packed lhs that a block may take: three quarters of an L2 cache of
/// 1 MiB. Where that is smaller, rows come from the L3 cache, four bytes a
/// cycle; smaller blocks would read rhs more often, from farther away.
static constexpr int64_t packedBlockBytes = 768 * 1024;

/// Most terms that f32 kernels add up at once. With fewer, a panel would stay
/// in the L1 cache, but sums would pass through memory more often, which costs
/// as much.
static constexpr int64_t mostTerms = 768;

Value needle::cpu::emitBlockDepth(OpBuilder &builder, Location loc,
                                  Value depth) {
  KernelBuilder b(loc, builder);
  // Parts of equal size.
  Value parts = b.max(b.ceilDiv(depth, mostTerms), b.i64(1));
  Value terms = b.ceilDiv(depth, parts);
  return b.max(terms, b.i64(1));
}

Value needle::cpu::emitBlockRows(OpBuilder &builder, Location loc,
                                 const KernelSpec &spec,
                                 const CPUTarget &target, Value rows,
                                 Value depth) {
  KernelBuilder b(loc, builder);
  int64_t tileRows = spec.getTile(target).rows;
  if (!spec.integer)
    depth = emitBlockDepth(builder, loc, depth);
  Value stride = emitPackedRowStride(builder, loc, spec, depth);
  Value fitting = b.div(b.i64(packedBlockBytes / spec.lhsBytes()), stride);
  fitting = b.mul(b.div(fitting, b.i64(tileRows)), b.i64(tileRows));
  fitting = b.max(b.min(fitting, b.i64(target.blockRows)), b.i64(tileRows));
  return b.max(b.min(fitting, rows), b.i64(1));
}

/// Contractions of fewer multiplications, and packing of fewer elements, run on
/// the calling thread: waking another costs more than it saves.
static constexpr int64_t smallestParallelWork = 1 << 18;

static Value emitIsInline(KernelBuilder &b, Value work, Value threads) {
  return arith::OrIOp::create(b, b.equal(threads, b.i64(1)),
                              b.less(work, b.i64(smallestParallelWork)));
}

/// Where K is taken in parts, a task has several blocks: they read a part of
/// rhs from the L3 cache one after the other, before the next part displaces
/// it.
static Value emitRowsOfTask(KernelBuilder &b, Value blockRows, Value rows,
                            Value depth, Value threads) {
  constexpr int64_t mostBlocks = 4;
  Value shares = b.mul(b.mul(threads, b.i64(8)), blockRows);
  Value each = b.min(b.div(rows, shares), b.i64(mostBlocks));
  each = b.select(b.equal(threads, b.i64(1)), b.i64(mostBlocks), each);
  each = b.select(b.less(b.i64(mostTerms), depth), each, b.i64(1));
  return b.min(b.mul(blockRows, b.max(each, b.i64(1))), b.max(rows, b.i64(1)));
}

ContractionSplit
needle::cpu::emitContractionSplit(OpBuilder &builder, Location loc,
                                  const KernelSpec &spec,
                                  const CPUTarget &target, Value rows,
                                  Value depth, Value columns, Value threads) {
  KernelBuilder b(loc, builder);
  int64_t panel = target.panel();
  ContractionSplit split;
  split.blockRows = emitBlockRows(b, loc, spec, target, rows, depth);
  // Patches are gathered for one block at a time.
  if (!spec.integer && !spec.patches)
    split.blockRows = emitRowsOfTask(b, split.blockRows, rows, depth, threads);
  split.blocks = b.ceilDiv(rows, split.blockRows);
  split.blockDepth = emitBlockDepth(b, loc, depth);
  split.isInline = emitIsInline(b, b.mul(b.mul(rows, columns), depth), threads);
  // Two tasks a thread even out their differences, and of few large ones the
  // last keeps all threads but one waiting; splitting columns repeats the
  // packing of lhs, so blocks of rows go first.
  Value atLeastOne = b.max(split.blocks, b.i64(1));
  Value wanted = b.div(
      b.sub(b.add(b.mul(threads, b.i64(2)), atLeastOne), b.i64(1)), atLeastOne);
  Value few = b.less(split.blocks, b.mul(threads, b.i64(8)));
  wanted = b.max(wanted, b.select(few, b.i64(2), b.i64(1)));
  Value panels = b.max(b.ceilDiv(columns, panel), b.i64(1));
  split.columnSplits =
      b.select(split.isInline, b.i64(1), b.min(wanted, panels));
  return split;
}

/// Most columns of which sums wait at once: 8 KiB of them, a quarter of the L1
/// cache.
static constexpr int64_t mostBlockColumns = 2048;

DirectSplit needle::cpu::emitDirectSplit(OpBuilder &builder, Location loc,
                                         const KernelSpec &spec, Value rows,
                                         Value depth, Value columns,
                                         Value threads) {
  KernelBuilder b(loc, builder);
  DirectSplit split;
  split.mostRows = b.i64(directRows);
  if (spec.integer)
    split.mostRows = b.select(b.less(depth, b.i64(getMaxDepth(spec) + 1)),
                              split.mostRows, b.i64(0));
  // Whole cache lines of dest for each thread.
  Value share = b.ceilDiv(columns, threads);
  split.blockColumns =
      b.min(b.max(b.roundUp(share, 64), b.i64(64)), b.i64(mostBlockColumns));
  split.tasks = b.ceilDiv(columns, split.blockColumns);
  Value stride = emitPackedRowStride(b, loc, spec, depth);
  split.workspaceBytes =
      b.add(b.i64(4 * directRowSums),
            b.mul(b.mul(rows, stride), b.i64(spec.integer ? 2 : 4)));
  return split;
}

ContractionSplit needle::cpu::emitDepthwiseSplit(OpBuilder &builder,
                                                 Location loc, Value rows,
                                                 Value work, Value threads) {
  KernelBuilder b(loc, builder);
  ContractionSplit split;
  split.isInline = emitIsInline(b, work, threads);
  // Two tasks a thread even out their differences; each begins with the rows of
  // the image that its first windows share with those of the task before.
  Value tasks = b.select(split.isInline, b.i64(1), b.mul(threads, b.i64(2)));
  split.blockRows = b.max(b.ceilDiv(rows, tasks), b.i64(1));
  split.blocks = b.ceilDiv(rows, split.blockRows);
  split.columnSplits = split.blockDepth = b.i64(1);
  return split;
}

Value needle::cpu::emitIsPackInline(OpBuilder &builder, Location loc,
                                    Value columns, Value depth, Value threads) {
  KernelBuilder b(loc, builder);
  return emitIsInline(b, b.mul(columns, depth), threads);
}

bool needle::cpu::widensPanels(const KernelSpec &spec) {
  return spec.integer && spec.form == DotForm::Pairs && spec.rhsBits == 8 &&
         !spec.wide;
}

Value needle::cpu::emitPackedRhsBytes(OpBuilder &builder, Location loc,
                                      const KernelSpec &spec, Value columns,
                                      Value depth) {
  KernelBuilder b(loc, builder);
  if (!spec.integer)
    return b.mul(b.mul(columns, depth), b.i64(4));
  // Groups of four along K; behind those of i8 the sum of the column.
  Value groups = b.ceilDiv(depth, 4);
  if (spec.rhsBits == 8)
    groups = b.add(groups, b.i64(1));
  return b.mul(b.mul(columns, groups), b.i64(spec.rhsBits == 8 ? 4 : 8));
}

Value needle::cpu::emitWorkspaceBytes(OpBuilder &builder, Location loc,
                                      const KernelSpec &spec,
                                      const CPUTarget &target, Value rows,
                                      Value depth) {
  KernelBuilder b(loc, builder);
  Value blockRows =
      b.min(emitBlockRows(b, loc, spec, target, rows, depth), rows);
  Value patches;
  if (spec.patches)
    patches = b.mul(blockRows, emitPatchRowBytes(b, loc, spec.integer, depth));
  // Gathered rows of f32 are read where they are.
  if (spec.patches && !spec.integer)
    return patches;
  if (!spec.integer && spec.rows == 0)
    depth = emitBlockDepth(b, loc, depth);
  Value stride = emitPackedRowStride(b, loc, spec, depth);
  // Whole cache lines, so that workers do not share any.
  Value bytes = b.mul(b.mul(blockRows, stride), b.i64(spec.lhsBytes()));
  if (widensPanels(spec)) {
    KernelSpec widened = spec;
    widened.rhsBits = 16;
    Value part = b.min(depth, b.i64(4 * mostGroupsOfPart));
    Value panel =
        emitPackedRhsBytes(b, loc, widened, b.i64(target.panel()), part);
    bytes = b.add(bytes, b.roundUp(panel, 64));
  }
  return patches ? b.add(bytes, patches) : bytes;
}

/// On a function that was emitted as a kernel: the name of the kernel. Another
/// function of the module may already have that name.
static constexpr StringLiteral emittedKernelAttr = "needle.emitted_kernel";

func::FuncOp needle::cpu::createTask(ModuleOp module, Location location,
                                     StringRef symbol, TaskEmitter emitBody) {
  OpBuilder atEnd = OpBuilder::atBlockEnd(module.getBody());
  KernelBuilder b(location, atEnd);
  auto type = b.getFunctionType(
      {b.ptrType(), b.getI64Type(), b.getI64Type(), b.getI64Type()}, {});
  auto function = func::FuncOp::create(b, symbol, type);
  function.setPrivate();
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  emitBody(b, {entry->getArgument(0), entry->getArgument(1),
               entry->getArgument(2), entry->getArgument(3)});
  func::ReturnOp::create(b);
  return function;
}

func::FuncOp needle::cpu::getOrCreateTask(ModuleOp module, StringRef name,
                                          TaskEmitter emitBody) {
  auto wanted = StringAttr::get(module.getContext(), name);
  for (auto existing : module.getOps<func::FuncOp>())
    if (existing->getAttr(emittedKernelAttr) == wanted)
      return existing;
  std::string symbol = name.str();
  while (module.lookupSymbol(symbol))
    symbol += "_";
  func::FuncOp function = createTask(module, NameLoc::get(wanted), symbol,
                                     [&](KernelBuilder &b, TaskArguments task) {
                                       b.keepLoopsAsTheyAre();
                                       emitBody(b, task);
                                     });
  function->setAttr(emittedKernelAttr, wanted);
  return function;
}

func::FuncOp needle::cpu::getOrEmitContractionKernel(ModuleOp module,
                                                     const KernelSpec &spec,
                                                     const CPUTarget &target) {
  return getOrCreateTask(module, spec.getName(target),
                         [&](KernelBuilder &b, TaskArguments task) {
                           bool isDepthwise = spec.depthwise.width != 0;
                           bool isGroup = spec.depthwise.channels > 1;
                           if (isDepthwise && spec.integer && isGroup)
                             SmallGroupsKernel(b, spec, target).emit(task);
                           else if (isDepthwise && spec.integer)
                             DepthwisePairsKernel(b, spec, target).emit(task);
                           else if (isDepthwise)
                             DepthwiseFloatKernel(b, spec, target).emit(task);
                           else if (spec.integer)
                             IntegerKernel(b, spec, target).emit(task);
                           else if (spec.rows != 0)
                             FewRowsKernel(b, spec, target).emit(task);
                           else
                             FloatKernel(b, spec, target).emit(task);
                         });
}

func::FuncOp needle::cpu::getOrEmitDirectKernel(ModuleOp module,
                                                const KernelSpec &spec,
                                                const CPUTarget &target) {
  return getOrCreateTask(module, spec.getName(target) + ".direct",
                         [&](KernelBuilder &b, TaskArguments task) {
                           emitDirectKernel(b, spec, target, task);
                         });
}

func::FuncOp needle::cpu::getOrEmitPackKernel(ModuleOp module,
                                              const PackSpec &spec,
                                              const CPUTarget &target) {
  return getOrCreateTask(
      module, spec.getName(target), [&](KernelBuilder &b, TaskArguments task) {
        emitPackRhs(b, spec, target, task.context, task.begin, task.end);
      });
}

//===- EmitKernels.cpp - needle_cpu operations to kernel calls ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Replaces each needle_cpu operation on buffers by a call of its kernel.
//
//===----------------------------------------------------------------------===//

#include "FrameAccess.h"
#include "KernelBuilder.h"
#include "KernelSelection.h"
#include "needle/Codegen/CPU/BlockwiseKernel.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Codegen/CPU/Passes.h"

namespace needle::cpu {
#define GEN_PASS_DEF_CPUEMITKERNELS
#include "needle/Codegen/CPU/Passes.h.inc"
} // namespace needle::cpu

using namespace mlir;
using namespace needle::cpu;

namespace {

/// A rank-2 or lower memref as kernels see it.
struct View {
  Value pointer;
  SmallVector<Value> sizes;   ///< i64
  SmallVector<Value> strides; ///< i64, elements
};

/// Emits the call of one kernel in place of one operation.
class Launcher {
public:
  Launcher(Operation *op, const CPUTarget &target)
      : b(op->getLoc(), op), target(target),
        function(op->getParentOfType<func::FuncOp>()),
        module(op->getParentOfType<ModuleOp>()) {}

  void launch(PackRhsOp op);
  void launch(QMatmulBlockwiseOp op);
  template <typename Op>
  void launch(Op op);

private:
  Value toI64(Value index) {
    return arith::IndexCastOp::create(b, b.getI64Type(), index);
  }
  View view(Value memref);
  Value pointerOrNull(Value memref) {
    return memref ? view(memref).pointer
                  : Value(LLVM::ZeroOp::create(b, b.ptrType()));
  }
  Value frameWord(FrameWord which, Type type) {
    Value frame = getRuntimeArgument(function, RuntimeArg::Frame);
    return loadWord(b, type, frame, int64_t(which));
  }
  Value kernelPointer(func::FuncOp kernel) {
    Value constant = func::ConstantOp::create(b, kernel.getFunctionType(),
                                              FlatSymbolRefAttr::get(kernel));
    return UnrealizedConversionCastOp::create(b, b.ptrType(), constant)
        .getResult(0);
  }
  /// The words of a kernel's context, on the stack of the entry point.
  Value storeContext(ArrayRef<Value> words);
  void call(Value kernel, Value context, Value count, Value inlined);

  /// The words of PatchArg, for elements of so many bytes.
  Value storePatches(const Window &window, const View &images,
                     const ContractionSizes &sizes, int64_t groups,
                     int64_t bytes);
  void setIntegerArgs(QMatmulOp op, SmallVectorImpl<Value> &args);
  Value selectKernel(const ContractionKernels &kernels, Value rows,
                     Value depth);
  Value zeroPointsOf(PackRhsOp op);

  KernelBuilder b;
  const CPUTarget &target;
  func::FuncOp function;
  ModuleOp module;
};

} // namespace

View Launcher::view(Value memref) {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, memref);
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, memref);
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  View view;
  Value base = LLVM::IntToPtrOp::create(b, b.ptrType(), toI64(address));
  view.pointer = b.advance(base, toI64(metadata.getOffset()), element);
  for (auto [size, stride] :
       llvm::zip_equal(metadata.getSizes(), metadata.getStrides())) {
    view.sizes.push_back(toI64(size));
    view.strides.push_back(toI64(stride));
  }
  return view;
}

Value Launcher::storeContext(ArrayRef<Value> words) {
  Value context;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.front());
    context = b.stack(b.getI64Type(), words.size());
  }
  for (auto [i, word] : llvm::enumerate(words))
    if (word)
      b.store(word, b.advance(context, b.i64(i), b.getI64Type()), 8);
  return context;
}

void Launcher::call(Value kernel, Value context, Value count, Value inlined) {
  auto task = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()),
      {b.ptrType(), b.getI64Type(), b.getI64Type(), b.getI64Type()});
  auto parallelFor = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()),
      {b.ptrType(), b.ptrType(), b.ptrType(), b.getI64Type()});
  b.ifThenElse(
      inlined,
      [&] {
        LLVM::CallOp::create(
            b, task, ValueRange{kernel, context, b.i64(0), count, b.i64(0)});
      },
      [&] {
        Value run = frameWord(FrameWord::ParallelFor, b.ptrType());
        Value runtime = frameWord(FrameWord::Runtime, b.ptrType());
        LLVM::CallOp::create(b, parallelFor,
                             ValueRange{run, runtime, kernel, context, count});
      });
}

Value Launcher::storePatches(const Window &window, const View &images,
                             const ContractionSizes &sizes, int64_t groups,
                             int64_t bytes) {
  SmallVector<Value> words(static_cast<size_t>(PatchArg::Count));
  auto set = [&](PatchArg which, Value value) {
    words[unsigned(which)] = value;
  };
  auto inBytes = [&](Value elements) { return b.mul(elements, b.i64(bytes)); };
  set(PatchArg::Height, images.sizes[1]);
  set(PatchArg::Width, images.sizes[2]);
  set(PatchArg::ResultHeight, sizes.resultHeight);
  set(PatchArg::ResultWidth, sizes.resultWidth);
  set(PatchArg::ImageBytes, inBytes(images.strides[0]));
  set(PatchArg::RowBytes, inBytes(images.strides[1]));
  set(PatchArg::PixelBytes, inBytes(images.strides[2]));
  set(PatchArg::ChannelBytes,
      inBytes(b.div(images.sizes[3], b.i64(window.groups))));
  set(PatchArg::KernelHeight, b.i64(window.kernel[0]));
  set(PatchArg::KernelWidth, b.i64(window.kernel[1]));
  set(PatchArg::StrideHeight, b.i64(window.strides[0]));
  set(PatchArg::StrideWidth, b.i64(window.strides[1]));
  set(PatchArg::Top, b.i64(window.padding[0]));
  set(PatchArg::Left, b.i64(window.padding[2]));
  set(PatchArg::DilationHeight, b.i64(window.dilations[0]));
  set(PatchArg::DilationWidth, b.i64(window.dilations[1]));
  set(PatchArg::Groups, b.i64(groups));
  DepthwiseRing ring =
      emitDepthwiseRing(b, b.getLoc(), window, target, sizes.resultWidth);
  set(PatchArg::RingRows, ring.rows);
  set(PatchArg::RingPositions, ring.positions);
  set(PatchArg::RingRowBytes, ring.rowBytes);
  return storeContext(words);
}

void Launcher::setIntegerArgs(QMatmulOp op, SmallVectorImpl<Value> &args) {
  auto set = [&](KernelArg which, Value value) {
    args[unsigned(which)] = value;
  };
  set(KernelArg::Scales, pointerOrNull(op.getScales()));
  if (op.getRest()) {
    View groups = view(op.getRestGroups());
    set(KernelArg::Rest, view(op.getRest()).pointer);
    set(KernelArg::RestGroups, groups.pointer);
    set(KernelArg::RestCount, groups.sizes[1]);
  }
  Value zeroPoint = b.i64(int64_t(int32_t(op.getLhsZeroPoint())));
  if (Value dynamic = op.getLhsDynamicZeroPoint())
    zeroPoint = arith::ExtSIOp::create(
        b, b.getI64Type(), b.load(b.getI32Type(), view(dynamic).pointer, 4));
  set(KernelArg::LhsZeroPoint, zeroPoint);
  if (op.getDestScale()) {
    APInt bits = op.getDestScale()->bitcastToAPInt();
    set(KernelArg::DestScale, b.i64(bits.getZExtValue()));
    set(KernelArg::DestZeroPoint,
        b.i64(int64_t(int32_t(*op.getDestZeroPoint()))));
  }
}

Value Launcher::selectKernel(const ContractionKernels &kernels, Value rows,
                             Value depth) {
  auto pointer = [&](const KernelSpec &spec) {
    return kernelPointer(getOrEmitContractionKernel(module, spec, target));
  };
  if (kernels.oneRow)
    return b.select(b.equal(rows, b.i64(1)), pointer(*kernels.oneRow),
                    pointer(kernels.first()));
  if (!kernels.narrow || !kernels.wide)
    return pointer(kernels.first());
  Value narrow = pointer(*kernels.narrow), wide = pointer(*kernels.wide);
  Value fits = b.less(depth, b.i64(getMaxDepth(*kernels.narrow) + 1));
  return b.select(fits, narrow, wide);
}

template <typename Op>
void Launcher::launch(Op op) {
  View lhs = view(op.getLhs()), dest = view(op.getDest());
  ContractionSizes sizes = emitContractionSizes(
      b, b.getLoc(), lhs.sizes, op.getTransposeLhs(), op.getWindow());
  Value rows = sizes.rows, depth = sizes.depth;
  // A depthwise kernel takes all channels as columns of one group.
  int64_t groups = op.getWindow() && !op.getDepthwise()
                       ? Window::of(*op.getWindow()).groups
                       : 1;
  Value columns = b.div(dest.sizes[1], b.i64(groups));
  Value threads = frameWord(FrameWord::Threads, b.getI64Type());
  ContractionKernels kernels = selectKernels(op, target);
  ContractionSplit split;
  if (op.getDepthwise()) {
    // Of rows of pixels; a group's windows are its own.
    rows = b.mul(lhs.sizes[0], sizes.resultHeight);
    split = emitDepthwiseSplit(
        b, b.getLoc(), rows, b.mul(b.mul(sizes.rows, columns), depth), threads);
  } else {
    split = emitContractionSplit(b, b.getLoc(), kernels.largest(), target, rows,
                                 depth, dest.sizes[1], threads);
    // Groups are tasks of their own.
    split.columnSplits = b.ceilDiv(split.columnSplits, groups);
    split.blocks = b.mul(split.blocks, b.i64(groups));
  }

  SmallVector<Value> args(static_cast<size_t>(KernelArg::Count));
  auto set = [&](KernelArg which, Value value) {
    args[unsigned(which)] = value;
  };
  set(KernelArg::Lhs, lhs.pointer);
  if (op.getWindow()) {
    bool integer = kernels.first().integer;
    int64_t bytes = integer ? 1 : 4;
    set(KernelArg::Patches,
        storePatches(Window::of(*op.getWindow()), lhs, sizes, groups, bytes));
    // What is gathered is a matrix.
    Value rowBytes = emitPatchRowBytes(b, b.getLoc(), integer, depth);
    set(KernelArg::LhsRowStride, b.div(rowBytes, b.i64(bytes)));
    set(KernelArg::LhsColStride, b.i64(1));
  } else {
    unsigned depthDim = op.getTransposeLhs() ? 0 : 1;
    set(KernelArg::LhsRowStride, lhs.strides[1 - depthDim]);
    set(KernelArg::LhsColStride, lhs.strides[depthDim]);
  }
  set(KernelArg::Rhs, view(op.getRhs()).pointer);
  set(KernelArg::Bias, pointerOrNull(op.getBias()));
  set(KernelArg::Dest, dest.pointer);
  set(KernelArg::DestRowStride, dest.strides[0]);
  set(KernelArg::Rows, rows);
  set(KernelArg::Depth, depth);
  set(KernelArg::Columns, columns);
  if (op.getWorkspace()) {
    View workspace = view(op.getWorkspace());
    set(KernelArg::Workspace, workspace.pointer);
    set(KernelArg::WorkspaceBytes, workspace.sizes[1]);
  } else {
    set(KernelArg::Workspace, pointerOrNull(nullptr));
    set(KernelArg::WorkspaceBytes, b.i64(0));
  }
  set(KernelArg::BlockRows, split.blockRows);
  set(KernelArg::ColumnSplits, split.columnSplits);
  set(KernelArg::BlockDepth, split.blockDepth);
  if constexpr (std::is_same_v<Op, QMatmulOp>)
    setIntegerArgs(op, args);

  Value kernel = selectKernel(kernels, rows, depth);
  call(kernel, storeContext(args), b.mul(split.blocks, split.columnSplits),
       split.isInline);
}

/// A pointer to the zero points of `op` in memory: one, or one per column.
Value Launcher::zeroPointsOf(PackRhsOp op) {
  if (Value dynamic = op.getZeroPoint())
    return view(dynamic).pointer;
  static constexpr int32_t none[] = {0};
  ArrayRef<int32_t> values = op.getZeroPoints().value_or(none);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(module.getBody());
  auto type = LLVM::LLVMArrayType::get(b.getI32Type(), values.size());
  std::string name;
  unsigned suffix = 0;
  do
    name = "zero_points_" + std::to_string(suffix++);
  while (module.lookupSymbol(name));
  LLVM::GlobalOp::create(b, type, /*isConstant=*/true, LLVM::Linkage::Internal,
                         name, b.getI32TensorAttr(values));
  b.setInsertionPoint(op);
  return LLVM::AddressOfOp::create(b, b.ptrType(), name);
}

void Launcher::launch(PackRhsOp op) {
  View source = view(op.getSource());
  bool transposed = op.getTransposed();
  unsigned depthDim = transposed ? 1 : 0;
  SmallVector<Value> args(static_cast<size_t>(PackArg::Count));
  auto set = [&](PackArg which, Value value) { args[unsigned(which)] = value; };
  int64_t groups = op.getGroups();
  Value allColumns = source.sizes[1 - depthDim];
  Value columns = b.div(allColumns, b.i64(groups));
  Value depth = source.sizes[depthDim];
  set(PackArg::Source, source.pointer);
  set(PackArg::DepthStride, source.strides[depthDim]);
  set(PackArg::ColumnStride, source.strides[1 - depthDim]);
  set(PackArg::Dest, view(op.getDest()).pointer);
  set(PackArg::Depth, depth);
  set(PackArg::Columns, columns);
  bool perColumn = op.getZeroPoints() && op.getZeroPoints()->size() > 1;
  set(PackArg::ZeroPoints, zeroPointsOf(op));
  set(PackArg::ZeroPointStride, b.i64(perColumn ? 1 : 0));

  PackSpec spec = needle::cpu::selectKernel(op);
  Value threads = frameWord(FrameWord::Threads, b.getI64Type());
  Value inlined = emitIsPackInline(b, b.getLoc(), allColumns, depth, threads);
  Value panels = b.mul(b.ceilDiv(columns, target.panel()), b.i64(groups));
  call(kernelPointer(getOrEmitPackKernel(module, spec, target)),
       storeContext(args), panels, inlined);
}

void Launcher::launch(QMatmulBlockwiseOp op) {
  View lhs = view(op.getLhs()), dest = view(op.getDest());
  View workspace = view(op.getWorkspace());
  BlockwiseSpec spec = getSpec(op);
  Value threads = frameWord(FrameWord::Threads, b.getI64Type());
  BlockwiseSplit split =
      emitBlockwiseSplit(b, b.getLoc(), spec, target, lhs.sizes[0],
                         lhs.sizes[1], dest.sizes[1], threads);
  SmallVector<Value> args(static_cast<size_t>(BlockwiseArg::Count));
  auto set = [&](BlockwiseArg which, Value value) {
    args[unsigned(which)] = value;
  };
  set(BlockwiseArg::Lhs, lhs.pointer);
  set(BlockwiseArg::LhsRowStride, lhs.strides[0]);
  set(BlockwiseArg::LhsColStride, lhs.strides[1]);
  set(BlockwiseArg::Rhs, view(op.getRhs()).pointer);
  set(BlockwiseArg::Dest, dest.pointer);
  set(BlockwiseArg::DestRowStride, dest.strides[0]);
  set(BlockwiseArg::Rows, lhs.sizes[0]);
  set(BlockwiseArg::Depth, lhs.sizes[1]);
  set(BlockwiseArg::Columns, dest.sizes[1]);
  set(BlockwiseArg::Workspace, workspace.pointer);
  set(BlockwiseArg::WorkspaceBytes, workspace.sizes[1]);
  set(BlockwiseArg::BlockRows, split.blockRows);
  set(BlockwiseArg::ColumnSplits, split.columnSplits);
  call(kernelPointer(getOrEmitBlockwiseKernel(module, spec, target)),
       storeContext(args), split.tasks, split.isInline);
}

namespace {

struct EmitKernelsPass
    : public needle::cpu::impl::CPUEmitKernelsBase<EmitKernelsPass> {
  using CPUEmitKernelsBase::CPUEmitKernelsBase;

  void runOnOperation() override {
    const CPUTarget *description = lookupCPUTarget(getOperation(), target);
    if (!description)
      return signalPassFailure();
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<MatmulOp, QMatmulOp, QMatmulBlockwiseOp, PackRhsOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (failed(emit(op, *description)))
        return signalPassFailure();
    }
  }

private:
  static constexpr const char *noWorkspace =
      "has no workspace; run needle-cpu-add-workspaces";

  template <typename Op>
  static LogicalResult verifyWorkspace(Op op) {
    if (op.getWorkspace() || !packsLhs(op))
      return success();
    return op.emitOpError(noWorkspace);
  }

  static LogicalResult emit(Operation *op, const CPUTarget &target) {
    if (op->getNumResults() != 0)
      return op->emitOpError("is on tensors; kernels work on buffers");
    if (failed(verifyRuntimeArguments(op)))
      return failure();
    Launcher launcher(op, target);
    if (auto pack = dyn_cast<PackRhsOp>(op)) {
      launcher.launch(pack);
    } else if (auto blockwise = dyn_cast<QMatmulBlockwiseOp>(op)) {
      if (!blockwise.getWorkspace())
        return op->emitOpError(noWorkspace);
      launcher.launch(blockwise);
    } else if (auto matmul = dyn_cast<MatmulOp>(op)) {
      if (failed(verifyWorkspace(matmul)))
        return failure();
      launcher.launch(matmul);
    } else {
      auto qmatmul = cast<QMatmulOp>(op);
      if (failed(verifyWorkspace(qmatmul)))
        return failure();
      launcher.launch(qmatmul);
    }
    op->erase();
    return success();
  }
};

} // namespace

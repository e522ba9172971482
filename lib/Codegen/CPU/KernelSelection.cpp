//===- KernelSelection.cpp - The kernel of a needle_cpu operation ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelSelection.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "needle/Codegen/CPU/EntryPoint.h"

using namespace mlir;
using namespace needle::cpu;

/// What distinguishes convolutions.
template <typename Op>
static void setWindow(KernelSpec &spec, Op op) {
  spec.patches = op.getWindow().has_value();
  if (!op.getDepthwise())
    return;
  Window window = Window::of(*op.getWindow());
  spec.depthwise = {
      unsigned(window.kernel[1]), unsigned(window.strides[1]),
      unsigned(window.dilations[1]),
      unsigned(window.getChannels(
          cast<ShapedType>(op.getLhs().getType()).getDimSize(3)))};
}

ContractionKernels needle::cpu::selectKernels(MatmulOp op) {
  KernelSpec spec;
  spec.hasBias = op.getBias() != nullptr;
  spec.activation = op.getActivation();
  setWindow(spec, op);
  ContractionKernels kernels;
  int64_t rows = getContractionExtents(op.getLhs().getType(),
                                       op.getTransposeLhs(), op.getWindow())
                     .rows;
  if (!spec.patches && ShapedType::isDynamic(rows)) {
    kernels.oneRow = spec;
    kernels.oneRow->rows = 1;
  } else if (!spec.patches && rows > 0 && rows <= KernelSpec::mostFewRows) {
    spec.rows = rows;
  }
  kernels.narrow = spec;
  return kernels;
}

/// How a contraction multiplies whose sums fit i32: exactly in any case.
static void setForm(KernelSpec &spec, QMatmulOp op, const CPUTarget &target) {
  if (spec.rhsBits != 8)
    return;
  if (target.has(DotForm::Quads)) {
    spec.form = DotForm::Quads;
  } else if (op.getByteSteps() != 0) {
    spec.form = DotForm::Bytes;
    spec.byteSteps = op.getByteSteps();
    spec.hasRest = op.getRest() != nullptr;
  }
}

/// The kernels of sums that fit i32, the rows of which may be just one.
static ContractionKernels getNarrowKernels(const KernelSpec &spec, QMatmulOp op,
                                           const CPUTarget &target) {
  ContractionKernels kernels{spec, std::nullopt, std::nullopt};
  if (spec.patches || spec.rhsBits != 8 || spec.form != DotForm::Pairs ||
      !target.has(DotForm::Nibbles))
    return kernels;
  KernelSpec oneRow = spec;
  oneRow.form = DotForm::Nibbles;
  int64_t rows = getContractionExtents(op.getLhs().getType(),
                                       op.getTransposeLhs(), op.getWindow())
                     .rows;
  if (rows == 1)
    kernels.narrow = oneRow;
  else if (ShapedType::isDynamic(rows))
    kernels.oneRow = oneRow;
  return kernels;
}

ContractionKernels needle::cpu::selectKernels(QMatmulOp op,
                                              const CPUTarget &target) {
  KernelSpec spec;
  spec.integer = true;
  spec.lhsUnsigned = op.getLhsUnsigned();
  spec.rhsBits = cast<ShapedType>(op.getRhs().getType())
                     .getElementType()
                     .getIntOrFloatBitWidth();
  spec.hasBias = op.getBias() != nullptr;
  spec.integerBias =
      spec.hasBias &&
      cast<ShapedType>(op.getBias().getType()).getElementType().isInteger();
  spec.activation = op.getActivation();
  setWindow(spec, op);
  Type dest = cast<ShapedType>(op.getDest().getType()).getElementType();
  if (dest.isInteger(32)) {
    // Addition modulo 2³² is what an i32 result asks for, whatever K.
    spec.dest = DestKind::I32;
    setForm(spec, op, target);
    return getNarrowKernels(spec, op, target);
  }
  if (!dest.isF32()) {
    spec.dest = DestKind::Q8;
    spec.destMin = *op.getDestMin();
    spec.destMax = *op.getDestMax();
  }
  // Its depth is bounded, and an i32 bias leads to another kernel.
  if (op.getDepthwise())
    return {spec, std::nullopt, std::nullopt};
  KernelSpec wide = spec;
  wide.wide = true;
  // An i32 bias may take any sum out of i32.
  if (spec.integerBias)
    return {std::nullopt, wide, std::nullopt};
  setForm(spec, op, target);
  int64_t depth = getContractionExtents(op.getLhs().getType(),
                                        op.getTransposeLhs(), op.getWindow())
                      .depth;
  if (ShapedType::isDynamic(depth))
    return {spec, wide, std::nullopt};
  if (depth <= getMaxDepth(spec))
    return getNarrowKernels(spec, op, target);
  return {std::nullopt, wide, std::nullopt};
}

bool needle::cpu::packsLhs(MatmulOp op) {
  auto memref = cast<MemRefType>(op.getLhs().getType());
  if (op.getDepthwise())
    return false;
  bool contiguous =
      !op.getWindow() && !op.getTransposeLhs() && memref.isLastDimUnitStride();
  return !contiguous || selectKernels(op).first().rows == 0;
}

bool needle::cpu::packsLhs(QMatmulOp) { return true; }

LogicalResult needle::cpu::verifyRuntimeArguments(Operation *op) {
  auto function = op->getParentOfType<func::FuncOp>();
  constexpr unsigned count = unsigned(RuntimeArg::Count);
  if (function && function.getNumArguments() >= count) {
    auto isOf = [&](RuntimeArg which, auto isExpected) {
      return isExpected(getRuntimeArgument(function, which).getType());
    };
    if (isOf(RuntimeArg::Arena, llvm::IsaPred<MemRefType>) &&
        isOf(RuntimeArg::Weights, llvm::IsaPred<MemRefType>) &&
        isOf(RuntimeArg::Threads, llvm::IsaPred<IndexType>) &&
        isOf(RuntimeArg::Frame, llvm::IsaPred<LLVM::LLVMPointerType>))
      return success();
  }
  return op->emitOpError("is in a function without the runtime's arguments; "
                         "run needle-cpu-add-runtime-arguments");
}

PackSpec needle::cpu::selectKernel(PackRhsOp op) {
  PackSpec spec;
  Type dest = cast<ShapedType>(op.getDest().getType()).getElementType();
  spec.integer = dest.isInteger();
  spec.sourceUnsigned = op.getSourceUnsigned();
  spec.destBits = spec.integer ? dest.getIntOrFloatBitWidth() : 32;
  return spec;
}

//===- GPUBuilder.h - Shorthand for emitting CUDA kernels -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel is a function of the LLVM dialect with one argument: the words of
// its context, by value, which PTX has as one parameter. What only a GPU can do
// is a call of an intrinsic of LLVM's NVPTX back end.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_GPU_GPUBUILDER_H
#define NEEDLE_LIB_CODEGEN_GPU_GPUBUILDER_H

#include "../Common/KernelBuilder.h"
#include "mlir/IR/BuiltinOps.h"
#include "needle/Codegen/GPU/TargetDescription.h"

namespace needle::cuda {

class GPUBuilder : public codegen::KernelBuilder {
public:
  using KernelBuilder::KernelBuilder;

  static constexpr unsigned globalSpace = 1, sharedSpace = 3;

  Type ptrIn(unsigned space) {
    return mlir::LLVM::LLVMPointerType::get(getContext(), space);
  }
  Value i32(int32_t value) {
    return mlir::arith::ConstantIntOp::create(*this, getI32Type(), value);
  }
  Value toI64(Value narrow) {
    return mlir::arith::ExtSIOp::create(*this, getI64Type(), narrow);
  }
  Value toI32(Value wide) {
    return mlir::arith::TruncIOp::create(*this, getI32Type(), wide);
  }
  Value bitAnd(Value a, Value b) {
    return mlir::arith::AndIOp::create(*this, a, b);
  }
  Value bitXor(Value a, Value b) {
    return mlir::arith::XOrIOp::create(*this, a, b);
  }
  /// Of numbers that are not negative, by a power of two.
  Value divBy(Value a, int64_t power);
  Value remBy(Value a, int64_t power);

  /// A call of an intrinsic; null where it has no result.
  Value call(llvm::StringRef intrinsic, Type result,
             mlir::ValueRange arguments);
  /// The parts of a literal structure.
  llvm::SmallVector<Value> unpack(Value structure);

  /// Of this thread and its block, as i64; axis 'x' or 'y'.
  Value threadIndex() { return readSpecial("tid.x"); }
  Value blockIndex(char axis) {
    return readSpecial((llvm::Twine("ctaid.") + llvm::Twine(axis)).str());
  }
  /// Waits for all threads of the block.
  void barrier();
  /// The i32 of the lane whose index differs in the bits of `mask`.
  Value shuffleXor(Value value, int mask);
  /// The i32 of lane `lane`.
  Value shuffleFrom(Value value, Value lane);

  /// Memory that the threads of a block share: `bytes` at a name of its own.
  Value shared(mlir::ModuleOp module, llvm::StringRef name, int64_t bytes);
  /// A word of a context as pointer to global memory.
  Value toGlobal(Value word) {
    return mlir::LLVM::IntToPtrOp::create(*this, ptrIn(globalSpace), word);
  }

private:
  Value readSpecial(llvm::StringRef name);
};

/// Fills the body of a kernel; `context` points to its words.
using KernelEmitter =
    llvm::function_ref<void(GPUBuilder &, mlir::Value context)>;

/// Adds the kernel `name` to the end of the module: a function that GPUs run
/// with blockThreads threads a block, each of which computes `tile`.
void createKernel(mlir::ModuleOp module, mlir::Location location,
                  llvm::StringRef name, unsigned numWords, BlockTile tile,
                  KernelEmitter emitBody);

} // namespace needle::cuda

#endif // NEEDLE_LIB_CODEGEN_GPU_GPUBUILDER_H

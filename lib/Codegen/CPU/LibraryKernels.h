//===- LibraryKernels.h - Emits the kernels of a library --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each function fills the body of a function with the NdlTask signature from a
// kernel operation, whose description fixes the words of the context.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_CPU_LIBRARYKERNELS_H
#define NEEDLE_LIB_CODEGEN_CPU_LIBRARYKERNELS_H

#include "KernelBuilder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

namespace needle::cpu {

/// The arguments of an NdlTask.
struct TaskArguments {
  mlir::Value context, begin, end, worker;
};

/// Fills the body of a task.
using TaskEmitter = llvm::function_ref<void(KernelBuilder &, TaskArguments)>;

/// Creates the private function `symbol` with the NdlTask signature at the end
/// of the module.
mlir::func::FuncOp createTask(mlir::ModuleOp module, mlir::Location location,
                              llvm::StringRef symbol, TaskEmitter emitBody);

/// Creates the task of the kernel `name` at the end of the module, unless it is
/// there already.
mlir::func::FuncOp getOrCreateTask(mlir::ModuleOp module, llvm::StringRef name,
                                   TaskEmitter emitBody);

void emitMapKernel(KernelBuilder &b, MapKernelOp kernel,
                   const CPUTarget &target, TaskArguments task);
void emitReduceKernel(KernelBuilder &b, ReduceKernelOp kernel,
                      const CPUTarget &target, TaskArguments task);

/// The body of a kernel on `arguments`: scalars, or vectors of one number of
/// lanes, of which some may be scalars that stand for all lanes. Where
/// `element` is given, f32 in the body is taken for that type.
llvm::SmallVector<mlir::Value>
emitElements(KernelBuilder &b, mlir::Block &body,
             llvm::ArrayRef<mlir::Value> arguments, mlir::Type element = {});

/// Reads consecutive words of a context.
class ContextReader {
public:
  ContextReader(KernelBuilder &b, mlir::Value context)
      : b(b), context(context) {}

  mlir::Value next(mlir::Type type) {
    mlir::Value word = b.advance(context, b.i64(index++), b.getI64Type());
    return b.load(type, word, 8);
  }
  mlir::Value nextWord() { return next(b.getI64Type()); }
  mlir::Value nextPointer() { return next(b.ptrType()); }

private:
  KernelBuilder &b;
  mlir::Value context;
  int64_t index = 0;
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_LIBRARYKERNELS_H

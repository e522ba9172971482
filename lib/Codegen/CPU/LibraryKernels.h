//===- LibraryKernels.h - Emits the kernels of a library --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each function fills the body of a function with the NdlTask signature from a
// kernel operation, whose description fixes the words of the context.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_CPU_LIBRARYKERNELS_H
#define NEEDLE_LIB_CODEGEN_CPU_LIBRARYKERNELS_H

#include "../Common/KernelBody.h"
#include "KernelBuilder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "needle/Codegen/CPU/TargetDescription.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"

namespace needle::cpu {

using codegen::ContextReader;
using codegen::emitElements;

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

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_LIBRARYKERNELS_H

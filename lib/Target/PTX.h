//===- PTX.h - From the kernels of a library to PTX -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_TARGET_PTX_H
#define NEEDLE_LIB_TARGET_PTX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include "needle-rt/artifact_writer.h"
#include "needle/Codegen/GPU/TargetDescription.h"
#include <string>
#include <vector>

namespace needle {

/// PTX, and how its kernels are launched.
struct PTXModule {
  std::string text;
  std::vector<ndl::DeviceKernelModel> kernels;
};

/// The kernels of a module as PTX; a module with entry points is an error at
/// the first of them.
mlir::FailureOr<PTXModule> emitPTX(mlir::ModuleOp module,
                                   const cuda::CUDATarget &target);

} // namespace needle

#endif // NEEDLE_LIB_TARGET_PTX_H

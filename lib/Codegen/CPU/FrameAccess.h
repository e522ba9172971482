//===- FrameAccess.h - Reading words of memory in the LLVM dialect -*- C++ -*-//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_CODEGEN_CPU_FRAMEACCESS_H
#define NEEDLE_LIB_CODEGEN_CPU_FRAMEACCESS_H

#include "Frame.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace needle::cpu {

/// The address of the 8-byte word `index` of the array at `base`.
inline mlir::Value wordAddress(mlir::ImplicitLocOpBuilder &builder,
                               mlir::Value base, int64_t index) {
  return mlir::LLVM::GEPOp::create(
      builder, base.getType(), builder.getI64Type(), base,
      llvm::ArrayRef<mlir::LLVM::GEPArg>{int32_t(index)});
}

/// The word `index`, of type i64 or pointer, of the array at `base`.
inline mlir::Value loadWord(mlir::ImplicitLocOpBuilder &builder,
                            mlir::Type type, mlir::Value base, int64_t index) {
  return mlir::LLVM::LoadOp::create(builder, type,
                                    wordAddress(builder, base, index),
                                    /*alignment=*/8);
}

/// A pointer in the frame.
inline mlir::Value loadFramePointer(mlir::ImplicitLocOpBuilder &builder,
                                    mlir::Value frame, FrameWord which) {
  return loadWord(builder, frame.getType(), frame, int64_t(which));
}

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_FRAMEACCESS_H

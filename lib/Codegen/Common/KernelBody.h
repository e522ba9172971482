//===- KernelBody.h - What kernels of all targets share ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of a library read their arguments from an array of words and
// compute elements by the operations of their bodies, whatever they run on.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_COMMON_KERNELBODY_H
#define NEEDLE_LIB_CODEGEN_COMMON_KERNELBODY_H

#include "KernelBuilder.h"

namespace needle::codegen {

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

} // namespace needle::codegen

#endif // NEEDLE_LIB_CODEGEN_COMMON_KERNELBODY_H

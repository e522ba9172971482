//===- ArenaFunction.h - Size and offsets of an arena -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits `@F.arena`, the one computation of an arena's layout that the plan and
// the run of the entry point F share.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_CODEGEN_CPU_ARENAFUNCTION_H
#define NEEDLE_LIB_CODEGEN_CPU_ARENAFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <optional>

namespace needle::cpu {

/// The product of the static dimensions and the bytes of an element; nothing if
/// it exceeds what can be addressed.
std::optional<int64_t> getStaticBytes(mlir::MemRefType type);

/// `@F.arena(dynamic dimensions of the inputs, threads) → (bytes, offset of
/// each slot)`. The bytes are the largest i64 if the arena cannot be addressed.
class ArenaFunction {
public:
  /// Declares the function; `staticBytes` precede the slots.
  ArenaFunction(mlir::func::FuncOp entry, int64_t staticBytes,
                unsigned numSlots);

  /// Makes a slot large enough for a buffer, whose static bytes are known to be
  /// addressable. Fails with a diagnostic if the size of the buffer does not
  /// follow from the function's arguments.
  mlir::LogicalResult addToSlot(unsigned slot, mlir::memref::AllocOp alloc);

  /// Completes the function and returns the offsets of the slots as values at
  /// the start of the entry point.
  llvm::SmallVector<mlir::Value> finish();

private:
  /// The value of `value` of the entry point inside this function, or null.
  mlir::Value remap(mlir::Value value);
  /// A dimension of a buffer of the entry point, seen through the operations
  /// that only rename memory, or null.
  mlir::Value getDim(mlir::Value buffer, int64_t dim);
  /// A dynamic dimension of an input or output, or null.
  mlir::Value getArgumentDim(mlir::BlockArgument argument, int64_t dim);
  /// The product of dimensions of a buffer, or null.
  mlir::Value getProduct(mlir::Value buffer, llvm::ArrayRef<int64_t> dims);
  mlir::Value constant(int64_t value);
  /// a · b; remembers an overflow.
  mlir::Value multiply(mlir::Value a, mlir::Value b);
  void require(mlir::Value isTooLarge);

  mlir::func::FuncOp entry;
  mlir::ImplicitLocOpBuilder builder;
  mlir::func::FuncOp function;
  int64_t staticBytes;
  mlir::IRMapping mapping;
  /// The call of `@F.shapes`, made when first needed.
  mlir::func::CallOp outputDims;
  llvm::SmallVector<mlir::Value> slotBytes;
  /// Whether some size cannot be addressed; null as long as all are static.
  mlir::Value tooLarge;
};

} // namespace needle::cpu

#endif // NEEDLE_LIB_CODEGEN_CPU_ARENAFUNCTION_H

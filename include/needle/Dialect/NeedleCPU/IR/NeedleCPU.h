//===- NeedleCPU.h - The needle_cpu dialect ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions on packed weights, the units of CPU code, and the kernels of a
// library.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPU_H
#define NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPU_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "needle/Dialect/Needle/IR/Needle.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace needle::cpu {
/// Lets one-shot bufferization turn needle_cpu operations on tensors into
/// operations on memrefs.
void registerBufferizableOpInterfaceModels(mlir::DialectRegistry &registry);
} // namespace needle::cpu

#include "needle/Dialect/NeedleCPU/IR/NeedleCPUDialect.h.inc"
#define GET_OP_CLASSES
#include "needle/Dialect/NeedleCPU/IR/NeedleCPUOps.h.inc"

#endif // NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPU_H

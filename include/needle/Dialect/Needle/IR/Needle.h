//===- Needle.h - The needle dialect ----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dialect, its attributes and its operations.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLE_IR_NEEDLE_H
#define NEEDLE_DIALECT_NEEDLE_IR_NEEDLE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "needle/Dialect/Needle/IR/NeedleInterfaces.h"
#include "needle/Dialect/Needle/IR/NeedleTraits.h"

#include "needle/Dialect/Needle/IR/NeedleDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "needle/Dialect/Needle/IR/NeedleAttributes.h.inc"
#define GET_OP_CLASSES
#include "needle/Dialect/Needle/IR/NeedleOps.h.inc"

#endif // NEEDLE_DIALECT_NEEDLE_IR_NEEDLE_H

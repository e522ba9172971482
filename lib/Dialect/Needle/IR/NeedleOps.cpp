//===- NeedleOps.cpp - Generated definitions of needle's operations -------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles what TableGen generates; the hand-written parts of the operations
// are in one file for each family beside this one.
//
//===----------------------------------------------------------------------===//

#include "ShapeUtils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace mlir;
using namespace needle;

#define GET_OP_CLASSES
#include "needle/Dialect/Needle/IR/NeedleOps.cpp.inc"

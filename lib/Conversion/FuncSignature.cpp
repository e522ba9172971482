//===- FuncSignature.cpp - Conversion of function signatures --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Converts the types of functions, calls and returns, and records the original
// ones.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "needle/Conversion/NeedleToLinalg.h"

using namespace mlir;

static constexpr StringLiteral kTypeAttr = "needle.type";

void needle::recordOriginalTypes(ModuleOp module) {
  module.walk([](func::FuncOp function) {
    for (auto [index, type] : llvm::enumerate(function.getArgumentTypes()))
      if (isa<RankedTensorType>(type) && !function.getArgAttr(index, kTypeAttr))
        function.setArgAttr(index, kTypeAttr, TypeAttr::get(type));
    for (auto [index, type] : llvm::enumerate(function.getResultTypes()))
      if (isa<RankedTensorType>(type) &&
          !function.getResultAttr(index, kTypeAttr))
        function.setResultAttr(index, kTypeAttr, TypeAttr::get(type));
  });
}

void needle::populateFuncSignaturePatterns(const TypeConverter &converter,
                                           RewritePatternSet &patterns) {
  populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                 converter);
  populateCallOpTypeConversionPattern(patterns, converter);
  populateReturnOpTypeConversionPattern(patterns, converter);
}

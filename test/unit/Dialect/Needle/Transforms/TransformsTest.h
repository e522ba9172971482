//===- TransformsTest.h - Fixture of the passes' unit tests -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parses modules, runs passes on them, and keeps the errors.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_TEST_UNIT_DIALECT_NEEDLE_TRANSFORMS_TRANSFORMSTEST_H
#define NEEDLE_TEST_UNIT_DIALECT_NEEDLE_TRANSFORMS_TRANSFORMSTEST_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/Needle/Transforms/Passes.h"
#include "gtest/gtest.h"
#include <string>

namespace needle::test {

class TransformsTest : public testing::Test {
protected:
  TransformsTest() {
    context.loadDialect<mlir::func::FuncDialect, NeedleDialect>();
    context.getDiagEngine().registerHandler([this](mlir::Diagnostic &diag) {
      llvm::raw_string_ostream(errors) << diag;
    });
  }

  mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef text) {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << "the text does not parse: " << errors << "\n"
                        << text.str();
    return module;
  }

  /// Runs the passes that `add` appends on a copy of the module.
  mlir::OwningOpRef<mlir::ModuleOp>
  transform(mlir::ModuleOp module,
            llvm::function_ref<void(mlir::OpPassManager &)> add) {
    mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
    mlir::PassManager passes(&context, mlir::ModuleOp::getOperationName());
    add(passes);
    EXPECT_TRUE(mlir::succeeded(passes.run(*copy))) << errors;
    return copy;
  }

  template <typename Op>
  static int countOps(mlir::ModuleOp module) {
    int count = 0;
    module.walk([&](Op) { ++count; });
    return count;
  }

  mlir::MLIRContext context;
  std::string errors;
};

} // namespace needle::test

#endif // NEEDLE_TEST_UNIT_DIALECT_NEEDLE_TRANSFORMS_TRANSFORMSTEST_H

//===- ReferenceTest.h - Fixture of the interpreter's tests -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parses a module, interprets its function @main, and keeps the errors.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_TEST_UNIT_REFERENCE_REFERENCETEST_H
#define NEEDLE_TEST_UNIT_REFERENCE_REFERENCETEST_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Reference/Interpreter.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace needle::test {

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

inline Tensor f32(llvm::ArrayRef<int64_t> shape, std::vector<float> values) {
  return Tensor::of<float>(shape, values);
}
inline Tensor i32(llvm::ArrayRef<int64_t> shape, std::vector<int32_t> values) {
  return Tensor::of<int32_t>(shape, values);
}
inline Tensor ui8(llvm::ArrayRef<int64_t> shape, std::vector<uint8_t> values) {
  return Tensor::of<uint8_t>(shape, values);
}
inline Tensor si8(llvm::ArrayRef<int64_t> shape, std::vector<int8_t> values) {
  return Tensor::of<int8_t>(shape, values);
}

template <typename T>
std::vector<T> valuesOf(const Tensor &tensor) {
  return tensor.getValues<T>().vec();
}

/// Bit patterns, all NaN made one: two lists are equal when their values have
/// the same bits, up to the payloads of NaN.
inline std::vector<uint32_t> bitsOf(llvm::ArrayRef<float> values) {
  std::vector<uint32_t> bits;
  for (float value : values) {
    bits.push_back(0);
    if (std::isnan(value))
      value = kNaN;
    std::memcpy(&bits.back(), &value, sizeof value);
  }
  return bits;
}

class ReferenceTest : public testing::Test {
protected:
  ReferenceTest() {
    context.loadDialect<mlir::func::FuncDialect, mlir::quant::QuantDialect,
                        NeedleDialect>();
    context.getDiagEngine().registerHandler([this](mlir::Diagnostic &diag) {
      llvm::raw_string_ostream(errors) << diag.getLocation() << ": " << diag;
    });
  }

  /// Interprets @main of a module; no results after an error (see `errors`).
  llvm::SmallVector<Tensor> run(llvm::StringRef text,
                                std::vector<Tensor> inputs) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context, "test");
    if (!module) {
      ADD_FAILURE() << "the text does not parse: " << errors;
      return {};
    }
    auto results =
        interpret(module->lookupSymbol<mlir::func::FuncOp>("main"), inputs);
    if (failed(results)) {
      EXPECT_FALSE(errors.empty()) << "failed without an error";
      return {};
    }
    EXPECT_EQ(errors, "");
    return std::move(*results);
  }

  /// The same where @main is one operation on its arguments %0, %1, ...
  llvm::SmallVector<Tensor> runOp(llvm::StringRef arguments, llvm::StringRef op,
                                  llvm::StringRef results,
                                  std::vector<Tensor> inputs) {
    std::string names;
    for (size_t i = 0; i <= results.count("tensor<") - 1; ++i)
      names += (i ? ", %r" : "%r") + std::to_string(i);
    return run(("func.func @main(" + arguments + ") -> (" + results + ") {\n" +
                names + " = " + op + "\nreturn " + names + " : " + results +
                "\n}")
                   .str(),
               std::move(inputs));
  }

  /// Expects that the interpreter fails with an error that contains `part`.
  void expectError(const llvm::SmallVector<Tensor> &results,
                   llvm::StringRef part) {
    EXPECT_TRUE(results.empty());
    EXPECT_TRUE(llvm::StringRef(errors).contains(part)) << errors;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string errors;
};

} // namespace needle::test

#endif // NEEDLE_TEST_UNIT_REFERENCE_REFERENCETEST_H

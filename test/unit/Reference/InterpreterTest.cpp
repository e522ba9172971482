//===- InterpreterTest.cpp - Tests of the interpreter itself --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs and results are held against their types; what cannot be evaluated is
// an error at its place.
//
//===----------------------------------------------------------------------===//

#include "ReferenceTest.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace needle;
using namespace needle::test;

namespace {

class ReferenceInterpreter : public ReferenceTest {
protected:
  static constexpr llvm::StringLiteral kIdentity = R"(
    func.func @main(%0: tensor<?x2xf32>, %1: tensor<i32>) -> (tensor<i32>, tensor<?x2xf32>) {
      return %1, %0 : tensor<i32>, tensor<?x2xf32>
    })";
};

TEST_F(ReferenceInterpreter, SeveralResults) {
  auto results = run(kIdentity, {f32({1, 2}, {1, 2}), i32({}, {7})});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(valuesOf<int32_t>(results[0]), (std::vector<int32_t>{7}));
  EXPECT_EQ(valuesOf<float>(results[1]), (std::vector<float>{1, 2}));
}

TEST_F(ReferenceInterpreter, NoResults) {
  module = mlir::parseSourceString<mlir::ModuleOp>(
      "func.func @main() { return }", &context);
  auto results =
      interpret(module->lookupSymbol<mlir::func::FuncOp>("main"), {});
  ASSERT_TRUE(succeeded(results));
  EXPECT_TRUE(results->empty());
}

TEST_F(ReferenceInterpreter, NumberOfInputs) {
  expectError(run(kIdentity, {f32({1, 2}, {1, 2})}),
              "'func.func' op takes 2 inputs, got 1");
}

TEST_F(ReferenceInterpreter, ElementKindOfInputs) {
  expectError(run(kIdentity, {f32({1, 2}, {1, 2}), f32({}, {7})}),
              "input #1: elements are f32, but 'tensor<i32>' has i32");
}

TEST_F(ReferenceInterpreter, ShapeOfInputs) {
  expectError(run(kIdentity, {f32({1, 3}, {1, 2, 3}), i32({}, {7})}),
              "input #0: shape [1, 3] does not fit 'tensor<?x2xf32>'");
  expectError(run(kIdentity, {f32({2}, {1, 2}), i32({}, {7})}),
              "input #0: shape [2] does not fit 'tensor<?x2xf32>'");
}

TEST_F(ReferenceInterpreter, TypesWithoutValues) {
  expectError(
      run("func.func @main(%0: tensor<2xf64>) { return }", {f32({2}, {1, 2})}),
      "input #0: the interpreter has no values of type 'tensor<2xf64>'");
  expectError(run("func.func @main(%0: index) { return }", {f32({}, {1})}),
              "input #0: the interpreter has no values of type 'index'");
}

TEST_F(ReferenceInterpreter, ResultsFitTheirTypes) {
  // The static result is a promise that the inputs break at run time.
  expectError(runOp("%0: tensor<?x?xf32>, %1: tensor<?x2xf32>",
                    "needle.matmul %0, %1 : tensor<?x?xf32>, tensor<?x2xf32> "
                    "-> tensor<4x2xf32>",
                    "tensor<4x2xf32>", {f32({1, 1}, {1}), f32({1, 2}, {1, 2})}),
              "loc(\"test\":2:7): 'needle.matmul' op result #0: shape [1, 2] "
              "does not fit 'tensor<4x2xf32>'");
}

TEST_F(ReferenceInterpreter, UnknownOperation) {
  context.allowUnregisteredDialects();
  expectError(runOp("%0: tensor<2xf32>",
                    "\"other.op\"(%0) : (tensor<2xf32>) -> tensor<2xf32>",
                    "tensor<2xf32>", {f32({2}, {1, 2})}),
              "loc(\"test\":2:7): the reference interpreter cannot evaluate "
              "'other.op'");
}

TEST_F(ReferenceInterpreter, Bodies) {
  expectError(run("func.func private @main()", {}),
              "must have a body of one block to be interpreted");
  context.loadDialect<mlir::cf::ControlFlowDialect>();
  expectError(run("func.func @main() { cf.br ^bb1 ^bb1: return }", {}),
              "must have a body of one block to be interpreted");
}

TEST_F(ReferenceInterpreter, ResultsThatDoNotFitInMemory) {
  // M and N of 2^40 cost nothing while K is 0.
  expectError(runOp("%0: tensor<?x0xf32>, %1: tensor<0x?xf32>",
                    "needle.matmul %0, %1 : tensor<?x0xf32>, tensor<0x?xf32> "
                    "-> tensor<?x?xf32>",
                    "tensor<?x?xf32>",
                    {f32({1LL << 40, 0}, {}), f32({0, 1LL << 40}, {})}),
              "does not fit in memory");
}

TEST_F(ReferenceInterpreter, EveryOperationIsEvaluated) {
  // What the dialect registers and the interpreter does not know would fail
  // here, not in someone's model.
  unsigned count = 0;
  for (mlir::RegisteredOperationName name : context.getRegisteredOperations()) {
    if (name.getDialectNamespace() != "needle")
      continue;
    ++count;
    EXPECT_TRUE(canInterpret(name.getStringRef())) << name.getStringRef().str();
  }
  EXPECT_GE(count, 20u);
  EXPECT_FALSE(canInterpret("needle.nothing"));
}

} // namespace

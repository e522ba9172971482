//===- QuantizableMatmulTest.cpp - The integer form of matmul -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// QuantizableOpInterface of needle.matmul: what it says of its operands, what
// it builds, and the reasons for which it builds nothing.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace needle;

namespace {

/// A function with one matmul, whose further arguments stand for quantized
/// sources: q (u8), qa (per axis), raw and its parameters s and z, and weights
/// w0 and w1 along axis 0 and 1.
class QuantizableMatmulTest : public testing::Test {
protected:
  void parse(StringRef attributes, StringRef lhs, StringRef rhs) {
    context.loadDialect<func::FuncDialect, NeedleDialect>();
    std::string text =
        (Twine(R"(
      func.func @f(%x: )") +
         lhs + ", %y: " + rhs + R"(, %b: tensor<2xf32>,
          %q: tensor<?x2x!quant.uniform<u8:f32, 0.5:3>>,
          %qa: tensor<?x2x!quant.uniform<u8:f32:1, {0.5, 0.25}>>,
          %raw: tensor<?x2xui8>, %s: tensor<f32>, %z: tensor<i32>,
          %w0: tensor<2x2x!quant.uniform<i8:f32:0, {0.5, 0.25}>>,
          %w1: tensor<2x2x!quant.uniform<i8:f32:1, {0.5, 0.25}>>,
          %other: tensor<5x2x!quant.uniform<u8:f32, 0.5>>) {
        %0 = needle.matmul %x, %y bias(%b : tensor<2xf32>) )" +
         attributes + " : " + lhs + ", " + rhs + R"( -> tensor<?x2xf32>
            loc("fc1")
        return
      })")
            .str();
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module);
    function = *module->getOps<func::FuncOp>().begin();
    matmul = *function.getOps<MatmulOp>().begin();
  }

  void parse(StringRef attributes = "") {
    parse(attributes, "tensor<?x2xf32>", "tensor<2x2xf32>");
  }

  QuantizedOperand typed(unsigned argument) {
    return {function.getArgument(argument), {}, {}};
  }

  FailureOr<Operation *> build(ArrayRef<QuantizedOperand> quantized,
                               Type resultType = {}) {
    OpBuilder builder(matmul);
    return matmul.buildIntegerForm(
        builder, quantized, resultType ? resultType : matmul.getType(), reason);
  }

  int countIntegerForms() {
    return llvm::range_size(function.getOps<QMatmulOp>());
  }

  enum Argument { X, Y, B, Q, QA, Raw, S, Z, W0, W1, Other };

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  MatmulOp matmul;
  std::string reason;
};

TEST_F(QuantizableMatmulTest, DescribesItsOperands) {
  parse();
  SmallVector<QuantizableOperand> operands = matmul.getQuantizableOperands();
  ASSERT_EQ(operands.size(), 2u);
  EXPECT_EQ(operands[0].index, 0u);
  EXPECT_EQ(operands[0].role, QuantizableRole::Activation);
  EXPECT_EQ(operands[0].axis, std::nullopt);
  EXPECT_EQ(operands[1].index, 1u);
  EXPECT_EQ(operands[1].role, QuantizableRole::Weight);
  EXPECT_EQ(operands[1].axis, 1);
  parse("{transpose_rhs}");
  EXPECT_EQ(matmul.getQuantizableOperands()[1].axis, 0);
}

TEST_F(QuantizableMatmulTest, BuildsTheIntegerForm) {
  parse("{activation = #needle.activation<relu>}");
  FailureOr<Operation *> built = build({typed(Q), typed(W1)});
  ASSERT_TRUE(succeeded(built)) << reason;
  auto qmatmul = cast<QMatmulOp>(*built);
  EXPECT_EQ(qmatmul.getLhs(), function.getArgument(Q));
  EXPECT_EQ(qmatmul.getRhs(), function.getArgument(W1));
  EXPECT_EQ(qmatmul.getBias(), function.getArgument(B));
  EXPECT_FALSE(qmatmul.getLhsScale());
  EXPECT_EQ(qmatmul.getActivation(), Activation::Relu);
  EXPECT_FALSE(qmatmul.getTransposeLhs());
  EXPECT_FALSE(qmatmul.getTransposeRhs());
  EXPECT_EQ(qmatmul.getType(), matmul.getType());
  EXPECT_EQ(qmatmul.getLoc(), matmul.getLoc());
  EXPECT_TRUE(succeeded(verify(*module)));
}

TEST_F(QuantizableMatmulTest, KeepsTransposition) {
  parse("{transpose_lhs, transpose_rhs}", "tensor<2x?xf32>", "tensor<2x2xf32>");
  FailureOr<Operation *> built = build({typed(Q), typed(W0)});
  ASSERT_TRUE(succeeded(built)) << reason;
  EXPECT_TRUE(cast<QMatmulOp>(*built).getTransposeLhs());
  EXPECT_TRUE(cast<QMatmulOp>(*built).getTransposeRhs());
  EXPECT_TRUE(succeeded(verify(*module)));
}

TEST_F(QuantizableMatmulTest, TakesParametersAsOperands) {
  parse();
  QuantizedOperand raw{function.getArgument(Raw), function.getArgument(S),
                       function.getArgument(Z)};
  FailureOr<Operation *> built = build({raw, typed(W1)});
  ASSERT_TRUE(succeeded(built)) << reason;
  EXPECT_EQ(cast<QMatmulOp>(*built).getLhsScale(), function.getArgument(S));
  EXPECT_EQ(cast<QMatmulOp>(*built).getLhsZeroPoint(), function.getArgument(Z));
  EXPECT_TRUE(succeeded(verify(*module)));
}

TEST_F(QuantizableMatmulTest, RequantizesTheResult) {
  parse();
  Type element = quant::UniformQuantizedType::get(
      0, IntegerType::get(&context, 8), Float32Type::get(&context), 0.5, 7, 0,
      255);
  auto type = cast<RankedTensorType>(matmul.getType()).clone(element);
  FailureOr<Operation *> built = build({typed(Q), typed(W1)}, type);
  ASSERT_TRUE(succeeded(built)) << reason;
  EXPECT_EQ((*built)->getResult(0).getType(), type);
  EXPECT_TRUE(succeeded(verify(*module)));
}

//===----------------------------------------------------------------------===//
// Reasons
//===----------------------------------------------------------------------===//

TEST_F(QuantizableMatmulTest, NamesTheLhsPerAxis) {
  parse();
  EXPECT_TRUE(failed(build({typed(QA), typed(W1)})));
  EXPECT_EQ(reason, "operand 'lhs' must be quantized per tensor, got axis 1");
  EXPECT_EQ(countIntegerForms(), 0);
}

TEST_F(QuantizableMatmulTest, NamesTheRhsAxis) {
  parse();
  EXPECT_TRUE(failed(build({typed(Q), typed(W0)})));
  EXPECT_EQ(reason, "operand 'rhs' must be quantized per tensor or along axis "
                    "1 (N), got axis 0");
  EXPECT_EQ(countIntegerForms(), 0);
}

TEST_F(QuantizableMatmulTest, NamesMissingParameters) {
  parse();
  EXPECT_TRUE(failed(build({typed(Raw), typed(W1)})));
  EXPECT_EQ(reason, "operand 'lhs' has raw 'ui8' elements and needs a scale "
                    "and a zero point operand");
}

TEST_F(QuantizableMatmulTest, NamesAFloatOperand) {
  parse();
  EXPECT_TRUE(failed(build({typed(X), typed(W1)})));
  EXPECT_EQ(reason, "operand 'lhs' must be quantized, got 'tensor<?x2xf32>'");
}

TEST_F(QuantizableMatmulTest, NamesAnotherShape) {
  parse("", "tensor<3x2xf32>", "tensor<2x2xf32>");
  EXPECT_TRUE(failed(build({typed(Other), typed(W1)})));
  EXPECT_EQ(reason,
            "operand 'lhs' has type 'tensor<3x2xf32>', its quantized source "
            "'tensor<5x2x!quant.uniform<u8:f32, 5.000000e-01>>'");
}

TEST_F(QuantizableMatmulTest, NamesAMissingOperand) {
  parse();
  EXPECT_TRUE(failed(build({typed(Q)})));
  EXPECT_EQ(reason, "operands 'lhs' and 'rhs' must both be quantized");
}

TEST_F(QuantizableMatmulTest, NamesTheResult) {
  parse();
  Type type = cast<RankedTensorType>(matmul.getType())
                  .clone(IntegerType::get(&context, 32));
  EXPECT_TRUE(failed(build({typed(Q), typed(W1)}, type)));
  EXPECT_EQ(reason, "the result cannot become 'tensor<?x2xi32>': it must be "
                    "float or quantized per tensor, of the same shape");
  EXPECT_EQ(countIntegerForms(), 0);
}

} // namespace

//===- GraphBuilderTest.cpp - Tests of the graph builder ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Frontend/GraphBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/DebugStringHelper.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Frontend/SourceLocation.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace needle;

namespace {

struct GraphBuilderTest : ::testing::Test {
  GraphBuilderTest()
      : handler(&context, [this](Diagnostic &diagnostic) {
          errors.push_back(formatLocation(diagnostic.getLocation()) + ": " +
                           diagnostic.str());
          return success();
        }) {
    context.printOpOnDiagnostic(false);
  }

  RankedTensorType type(ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, Float32Type::get(&context));
  }
  Location at(unsigned line, StringRef name = "") {
    return makeLocation(&context, {"model.py", line, 0, name});
  }
  Value input(ArrayRef<int64_t> shape, StringRef name = "x") {
    FailureOr<Value> value = builder.input(name, type(shape), at(1, name));
    EXPECT_TRUE(succeeded(value));
    return *value;
  }
  std::string takeError() {
    EXPECT_EQ(errors.size(), 1u);
    std::string error = errors.empty() ? "" : errors.front();
    errors.clear();
    return error;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  std::vector<std::string> errors;
  ScopedDiagnosticHandler handler;
  GraphBuilder builder{&context, "graph"};
};

TEST_F(GraphBuilderTest, BuildsANamedVerifiedModule) {
  Value x = input({ShapedType::kDynamic, 4});
  FailureOr<Operation *> relu = builder.op("relu", x, {}, {}, at(2, "act"));
  ASSERT_TRUE(succeeded(relu));
  ASSERT_TRUE(succeeded(builder.output("y", (*relu)->getResult(0), at(3))));
  FailureOr<OwningOpRef<ModuleOp>> module = builder.build(at(4));
  ASSERT_TRUE(succeeded(module));
  EXPECT_EQ((*module)->getSymName(), "graph");
  auto main = cast<func::FuncOp>((*module)->lookupSymbol("main"));
  EXPECT_EQ(main.getArgAttrOfType<StringAttr>(0, "needle.name"), "x");
  EXPECT_EQ(main.getResultAttrOfType<StringAttr>(0, "needle.name"), "y");
  EXPECT_EQ(main.getArgumentTypes().front(), x.getType());
  ReluOp op = *main.getOps<ReluOp>().begin();
  EXPECT_EQ(cast<NameLoc>(op.getLoc()).getName(), "act");
  EXPECT_TRUE(errors.empty());
}

TEST_F(GraphBuilderTest, ConstantsAreInlineOrResources) {
  std::vector<float> values(40, 1.5f);
  ArrayRef<char> bytes(reinterpret_cast<char *>(values.data()), 160);
  auto constant = [&](ArrayRef<int64_t> shape, size_t size) {
    FailureOr<Value> made =
        builder.constant("w", type(shape), bytes.take_front(size), at(1));
    EXPECT_TRUE(succeeded(made));
    return made->getDefiningOp<ConstantOp>().getValue();
  };
  EXPECT_TRUE(isa<DenseElementsAttr>(constant({}, 4)));
  EXPECT_TRUE(isa<DenseElementsAttr>(constant({2, 8}, 64)));
  EXPECT_TRUE(isa<DenseElementsAttr>(constant({0, 5}, 0)));
  auto first = dyn_cast<DenseResourceElementsAttr>(constant({40}, 160));
  auto second = dyn_cast<DenseResourceElementsAttr>(constant({5, 8}, 160));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first.getRawHandle().getKey(), "w");
  EXPECT_NE(second.getRawHandle().getKey(), "w");
  EXPECT_NE(first.getData().data(), bytes.data());
  EXPECT_TRUE(first.getData() == bytes);
}

TEST_F(GraphBuilderTest, ConstantErrors) {
  std::vector<char> bytes(12);
  EXPECT_TRUE(failed(builder.constant("w", type({4}), bytes, at(7))));
  EXPECT_EQ(takeError(), "model.py:7: a constant of 'tensor<4xf32>' takes 16 "
                         "bytes, got 12");
  EXPECT_TRUE(failed(
      builder.constant("w", type({ShapedType::kDynamic}), bytes, at(8))));
  EXPECT_EQ(takeError(),
            "model.py:8: a constant has a static shape, not 'tensor<?xf32>'");
}

TEST_F(GraphBuilderTest, SizesThatOverflow) {
  int64_t large = int64_t(1) << 40;
  EXPECT_TRUE(failed(builder.input("a", type({large, large}), at(2))));
  EXPECT_EQ(takeError(), "model.py:2: the size of "
                         "'tensor<1099511627776x1099511627776xf32>' overflows "
                         "63 bits");
  // A dimension of 0 does not make strides harmless.
  EXPECT_TRUE(failed(builder.input("a", type({0, large, large}), at(2))));
  errors.clear();
  Value row = input({1, large}, "row"), column = input({large, 1}, "column");
  EXPECT_TRUE(failed(builder.op("add", {row, column}, {}, {}, at(3))));
  EXPECT_NE(takeError().find("overflows"), std::string::npos);
}

TEST_F(GraphBuilderTest, FailingOperationsAddNothing) {
  Value x = input({2, 3});
  Block *block = x.getParentBlock();
  EXPECT_TRUE(failed(builder.op("matmul", {x, x}, {}, {}, at(5))));
  EXPECT_EQ(takeError().find("model.py:5: 'needle.matmul' op K differs"), 0u);
  EXPECT_TRUE(failed(builder.op("relu", {x, x}, {}, {}, at(5))));
  errors.clear();
  EXPECT_TRUE(failed(builder.op("none", {}, {}, {}, at(5))));
  EXPECT_EQ(takeError(), "model.py:5: there is no operation 'needle.none'");
  EXPECT_TRUE(block->empty());
}

TEST_F(GraphBuilderTest, AttributesAreThoseOfTheOperation) {
  Value x = input({2, 2});
  Builder attributes(&context);
  auto with = [&](StringRef name) {
    return attributes.getDictionaryAttr(
        attributes.getNamedAttr(name, attributes.getUnitAttr()));
  };
  EXPECT_TRUE(
      failed(builder.op("matmul", {x, x}, with("transpose_b"), {}, at(6))));
  EXPECT_EQ(
      takeError(),
      "model.py:6: 'needle.matmul' op has no attribute \"transpose_b\"; it "
      "has \"activation\", \"transpose_lhs\", \"transpose_rhs\"");
  EXPECT_TRUE(failed(builder.op("relu", x, with("axes"), {}, at(7))));
  EXPECT_EQ(takeError(), "model.py:7: 'needle.relu' op has no attribute "
                         "\"axes\"; it has none");
  // Whatever a pass or a user marks operations with.
  EXPECT_TRUE(succeeded(builder.op("relu", x, with("mine.mark"), {}, at(8))));
  EXPECT_TRUE(succeeded(
      builder.op("matmul", {x, x}, with("transpose_rhs"), {}, at(9))));
}

TEST_F(GraphBuilderTest, OperandsAreCountedBeforeInference) {
  for (StringRef name : {"relu", "add", "matmul", "transpose"}) {
    EXPECT_TRUE(failed(builder.op(name, {}, {}, {}, at(1))));
    EXPECT_NE(takeError().find("operands, got 0"), std::string::npos);
  }
}

TEST_F(GraphBuilderTest, ReshapeCompletesAStaticShape) {
  auto shapeOf = [&](Value value, ArrayRef<int64_t> shape) {
    FailureOr<Value> made = builder.reshape(value, shape, at(1));
    return failed(made) ? "none" : debugString(made->getType());
  };
  Value x = input({4, 6});
  int64_t any = ShapedType::kDynamic;
  EXPECT_EQ(shapeOf(x, {any, 8}), "tensor<3x8xf32>");
  EXPECT_EQ(shapeOf(x, {24}), "tensor<24xf32>");
  EXPECT_EQ(shapeOf(input({any, 6}, "y"), {any, 2}), "tensor<?x2xf32>");
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(shapeOf(x, {any, 5}), "none");
  errors.clear();
  EXPECT_EQ(shapeOf(x, {any, any}), "none");
  errors.clear();
  EXPECT_EQ(shapeOf(x, {any, 0}), "none");
}

TEST_F(GraphBuilderTest, NamesAreUnique) {
  Value x = input({2});
  EXPECT_TRUE(failed(builder.input("x", type({2}), at(2))));
  EXPECT_EQ(takeError(), "model.py:2: there is already an input named 'x'");
  EXPECT_TRUE(failed(builder.build(at(3))));
  EXPECT_EQ(takeError(), "model.py:3: the graph has no output");
  EXPECT_TRUE(succeeded(builder.output("x", x, at(4))));
  EXPECT_TRUE(failed(builder.output("x", x, at(5))));
  EXPECT_EQ(takeError(), "model.py:5: there is already an output named 'x'");
  EXPECT_TRUE(succeeded(builder.output("again", x, at(6))));
  EXPECT_TRUE(succeeded(builder.build(at(7))));
}

} // namespace

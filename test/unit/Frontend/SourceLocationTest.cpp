//===- SourceLocationTest.cpp - Tests of source locations -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Frontend/SourceLocation.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace needle;

namespace {

struct SourceLocationTest : ::testing::Test {
  std::string format(const SourceLocation &source) {
    return formatLocation(makeLocation(&context, source));
  }

  MLIRContext context;
};

TEST_F(SourceLocationTest, Formats) {
  EXPECT_EQ(format({"model.py", 12, 0, "fc1"}), "model.py:12");
  EXPECT_EQ(format({"model.mlir", 3, 7, ""}), "model.mlir:3:7");
  EXPECT_EQ(format({"model.onnx", 0, 0, ""}), "model.onnx");
  EXPECT_EQ(format({"", 0, 0, "fc1"}), "node 'fc1'");
  EXPECT_EQ(format({}), "");
}

TEST_F(SourceLocationTest, NothingIsUnknown) {
  EXPECT_TRUE(isa<UnknownLoc>(makeLocation(&context, {})));
}

TEST_F(SourceLocationTest, FirstPlaceOfFusedAndCallee) {
  Location unknown = UnknownLoc::get(&context);
  Location first = makeLocation(&context, {"a.py", 1, 0, "a"});
  Location second = makeLocation(&context, {"b.py", 2, 0, "b"});
  EXPECT_EQ(formatLocation(FusedLoc::get(&context, {unknown, second, first})),
            "b.py:2");
  EXPECT_EQ(formatLocation(CallSiteLoc::get(first, second)), "a.py:1");
  EXPECT_EQ(formatLocation(FusedLoc::get(&context, {unknown})), "");
}

} // namespace

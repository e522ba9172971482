//===- ConstantTest.cpp - Tests of how constants are read -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dense values, splats, resources; float and stored integers.
//
//===----------------------------------------------------------------------===//

#include "ReferenceTest.h"

using namespace needle;
using namespace needle::test;

namespace {

class ReferenceConstant : public ReferenceTest {};

TEST_F(ReferenceConstant, Dense) {
  auto results =
      runOp("",
            "needle.constant dense<[[1.0, -0.0], [0x7F800000, 0x00000001]]>"
            " : tensor<2x2xf32> -> tensor<2x2xf32>",
            "tensor<2x2xf32>", {});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(bitsOf(results[0].getValues<float>()),
            bitsOf({1.0f, -0.0f, kInf, 0x1p-149f}));
}

TEST_F(ReferenceConstant, Splat) {
  auto results =
      runOp("", "needle.constant dense<2.5> : tensor<3xf32> -> tensor<3xf32>",
            "tensor<3xf32>", {});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{2.5, 2.5, 2.5}));
}

TEST_F(ReferenceConstant, Empty) {
  auto results =
      runOp("", "needle.constant dense<> : tensor<0x3xf32> -> tensor<0x3xf32>",
            "tensor<0x3xf32>", {});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getNumElements(), 0);
}

TEST_F(ReferenceConstant, StoredIntegers) {
  auto results = runOp("",
                       "needle.constant dense<[-127, 5]> : tensor<2xi8> -> "
                       "tensor<2x!quant.uniform<i8<-127:127>:f32, 0.5>>",
                       "tensor<2x!quant.uniform<i8<-127:127>:f32, 0.5>>", {});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<int8_t>(results[0]), (std::vector<int8_t>{-127, 5}));
  results = runOp("",
                  "needle.constant dense<[-1, 5]> : tensor<2xi8> -> "
                  "tensor<2x!quant.uniform<u8:f32, 0.5:3>>",
                  "tensor<2x!quant.uniform<u8:f32, 0.5:3>>", {});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<uint8_t>(results[0]), (std::vector<uint8_t>{255, 5}));
}

TEST_F(ReferenceConstant, Resource) {
  auto results = run(R"(
    module {
      func.func @main() -> tensor<2xf32> {
        %0 = needle.constant dense_resource<weights> : tensor<2xf32> -> tensor<2xf32>
        return %0 : tensor<2xf32>
      }
    }
    {-# dialect_resources: { builtin: {
      weights: "0x040000000000803F000000C0"
    } } #-})",
                     {});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{1.0f, -2.0f}));
}

} // namespace

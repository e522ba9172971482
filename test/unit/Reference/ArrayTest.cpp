//===- ArrayTest.cpp - Tests of reductions, moving ops and batches --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values by hand, the orders of rounding, and shapes that contradict at run
// time.
//
//===----------------------------------------------------------------------===//

#include "ReferenceTest.h"

using namespace needle;
using namespace needle::test;

namespace {

class ReferenceArray : public ReferenceTest {};

TEST_F(ReferenceArray, FunctionsAreRoundedOnce) {
  auto results = runOp("%0: tensor<5xf32>",
                       "needle.exp %0 : tensor<5xf32> -> tensor<5xf32>",
                       "tensor<5xf32>", {f32({5}, {0, -kInf, kInf, -104, 89})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]),
            (std::vector<float>{1, 0, kInf, 0, kInf}));
}

TEST_F(ReferenceArray, PowerOfSpecialCases) {
  auto results = runOp(
      "%0: tensor<5xf32>, %1: tensor<5xf32>",
      "needle.power %0, %1 : tensor<5xf32>, tensor<5xf32> -> "
      "tensor<5xf32>",
      "tensor<5xf32>",
      {f32({5}, {kNaN, 1, -8, -0.0f, -2}), f32({5}, {0, kNaN, 0.5f, -3, 3})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(bitsOf(valuesOf<float>(results[0])),
            bitsOf({1, 1, kNaN, -kInf, -8}));
}

TEST_F(ReferenceArray, CompareKnowsNaNAndZero) {
  auto results =
      runOp("%0: tensor<3xf32>, %1: tensor<f32>",
            "needle.compare %0, %1 {predicate = #needle.predicate<le>} : "
            "tensor<3xf32>, tensor<f32> -> tensor<3xf32>",
            "tensor<3xf32>", {f32({3}, {kNaN, 0, 1}), f32({}, {-0.0f})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{0, 1, 0}));
}

TEST_F(ReferenceArray, SelectContradictionIsAnError) {
  expectError(runOp("%0: tensor<f32>, %1: tensor<?xf32>, %2: tensor<?xf32>",
                    "needle.select %0, %1, %2 : tensor<f32>, tensor<?xf32>, "
                    "tensor<?xf32> -> tensor<?xf32>",
                    "tensor<?xf32>",
                    {f32({}, {1}), f32({1}, {1}), f32({2}, {1, 2})}),
              "shapes [1] and [2] differ in dimension 0");
}

TEST_F(ReferenceArray, SumInF64) {
  // In f32 the ones would be lost beside 2^25.
  auto results = runOp("%0: tensor<?x3xf32>",
                       "needle.reduce_sum %0 {axes = array<i64: 1>, keepdims} "
                       ": tensor<?x3xf32> -> tensor<?x1xf32>",
                       "tensor<?x1xf32>",
                       {f32({2, 3}, {33554432, 1, 3, -0.0f, -0.0f, -0.0f})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({2, 1}));
  EXPECT_EQ(bitsOf(valuesOf<float>(results[0])), bitsOf({33554436, 0}));
}

TEST_F(ReferenceArray, MaximumOfColumns) {
  auto results = runOp("%0: tensor<2x3xf32>",
                       "needle.reduce_max %0 {axes = array<i64: 0>} : "
                       "tensor<2x3xf32> -> tensor<3xf32>",
                       "tensor<3xf32>",
                       {f32({2, 3}, {-0.0f, kNaN, -kInf, 0.0f, 1, -kInf})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(bitsOf(valuesOf<float>(results[0])), bitsOf({0.0f, kNaN, -kInf}));
}

TEST_F(ReferenceArray, PadBetweenElements) {
  auto results = runOp("%0: tensor<2xf32>",
                       "needle.pad %0 {low = array<i64: 1>, high = array<i64: "
                       "2>, interior = array<i64: 3>} : tensor<2xf32> -> "
                       "tensor<8xf32>",
                       "tensor<8xf32>", {f32({2}, {1, 2})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]),
            (std::vector<float>{0, 1, 0, 0, 0, 2, 0, 0}));
}

TEST_F(ReferenceArray, SliceAndReverse) {
  auto results = run(R"(
    func.func @main(%x: tensor<2x5xf32>) -> tensor<2x2xf32> {
      %0 = needle.reverse %x {axes = array<i64: 0>} : tensor<2x5xf32> -> tensor<2x5xf32>
      %1 = needle.slice %0 {starts = array<i64: 0, 1>, limits = array<i64: -1, 5>, steps = array<i64: 1, 3>} : tensor<2x5xf32> -> tensor<2x2xf32>
      return %1 : tensor<2x2xf32>
    })",
                     {f32({2, 5}, {0, 1, 2, 3, 4, 10, 11, 12, 13, 14})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{11, 14, 1, 4}));
}

TEST_F(ReferenceArray, SliceByTheLongestStep) {
  // A dimension with elements to take, and one without.
  auto results =
      runOp("%0: tensor<3x2xf32>",
            "needle.slice %0 {starts = array<i64: 1, 2>, limits = array<i64: "
            "-1, 2>, steps = array<i64: 9223372036854775807, "
            "9223372036854775807>} : tensor<3x2xf32> -> tensor<1x0xf32>",
            "tensor<1x0xf32>", {f32({3, 2}, {0, 1, 2, 3, 4, 5})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({1, 0}));
  results = runOp("%0: tensor<3xf32>",
                  "needle.slice %0 {starts = array<i64: 1>, limits = "
                  "array<i64: -1>, steps = array<i64: 9223372036854775807>} : "
                  "tensor<3xf32> -> tensor<1xf32>",
                  "tensor<1xf32>", {f32({3}, {0, 1, 2})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{1}));
}

TEST_F(ReferenceArray, ConcatContradictionIsAnError) {
  expectError(runOp("%0: tensor<?x?xf32>, %1: tensor<?x?xf32>",
                    "needle.concat %0, %1 {axis = 0 : i64} : "
                    "tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>",
                    "tensor<?x?xf32>",
                    {f32({1, 2}, {1, 2}), f32({1, 3}, {1, 2, 3})}),
              "operand #1 of shape [1, 3] differs from shape [1, 2] in another "
              "dimension than 0");
}

TEST_F(ReferenceArray, BatchOfOneMatrix) {
  // Two matrices of 1×2 by one of 2×1.
  auto results = runOp("%0: tensor<?x1x2xf32>, %1: tensor<2x1xf32>",
                       "needle.matmul %0, %1 : tensor<?x1x2xf32>, "
                       "tensor<2x1xf32> -> tensor<?x1x1xf32>",
                       "tensor<?x1x1xf32>",
                       {f32({2, 1, 2}, {1, 2, 3, 4}), f32({2, 1}, {10, 1})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({2, 1, 1}));
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{12, 34}));
}

TEST_F(ReferenceArray, BatchContradictionIsAnError) {
  // A dynamic 1 does not stretch.
  expectError(runOp("%0: tensor<?x1x1xf32>, %1: tensor<?x1x1xf32>",
                    "needle.matmul %0, %1 : tensor<?x1x1xf32>, "
                    "tensor<?x1x1xf32> -> tensor<?x1x1xf32>",
                    "tensor<?x1x1xf32>",
                    {f32({1, 1, 1}, {1}), f32({2, 1, 1}, {1, 2})}),
              "batch dimension 0 of the result is 1 in lhs and 2 in rhs");
}

} // namespace

//===- ElementwiseTest.cpp - Tests of elementwise operations --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// IEEE special values bit by bit, and broadcasting.
//
//===----------------------------------------------------------------------===//

#include "ReferenceTest.h"
#include <cfloat>

using namespace needle;
using namespace needle::test;

namespace {

class ReferenceElementwise : public ReferenceTest {
protected:
  /// The bits of a unary operation's results.
  std::vector<uint32_t> unary(llvm::StringRef name, std::vector<float> values) {
    auto results =
        runOp("%0: tensor<?xf32>",
              ("needle." + name + " %0 : tensor<?xf32> -> tensor<?xf32>").str(),
              "tensor<?xf32>", {f32({int64_t(values.size())}, values)});
    return results.empty() ? std::vector<uint32_t>()
                           : bitsOf(results[0].getValues<float>());
  }
  /// The bits of a binary operation's results on pairs of values.
  std::vector<uint32_t> binary(llvm::StringRef name, std::vector<float> lhs,
                               std::vector<float> rhs) {
    int64_t size = lhs.size();
    auto results = runOp("%0: tensor<?xf32>, %1: tensor<?xf32>",
                         ("needle." + name +
                          " %0, %1 : tensor<?xf32>, tensor<?xf32> -> "
                          "tensor<?xf32>")
                             .str(),
                         "tensor<?xf32>", {f32({size}, lhs), f32({size}, rhs)});
    return results.empty() ? std::vector<uint32_t>()
                           : bitsOf(results[0].getValues<float>());
  }
};

TEST_F(ReferenceElementwise, Unary) {
  EXPECT_EQ(unary("relu", {-1, -0.0f, 0, 2, kNaN, kInf, -kInf, -FLT_TRUE_MIN}),
            bitsOf({0, 0, 0, 2, kNaN, kInf, 0, 0}));
  EXPECT_EQ(unary("neg", {-1, -0.0f, 0, kInf, kNaN, FLT_TRUE_MIN}),
            bitsOf({1, 0, -0.0f, -kInf, kNaN, -FLT_TRUE_MIN}));
  EXPECT_EQ(unary("abs", {-1, -0.0f, -kInf, kNaN, -FLT_TRUE_MIN}),
            bitsOf({1, 0, kInf, kNaN, FLT_TRUE_MIN}));
  EXPECT_EQ(
      unary("sqrt", {4, 2, -0.0f, -1, kInf, kNaN, FLT_TRUE_MIN}),
      bitsOf({2, 0x1.6a09e6p+0f, -0.0f, kNaN, kInf, kNaN, 0x1.6a09e6p-75f}));
}

TEST_F(ReferenceElementwise, NegAndAbsOnlyTouchTheSignOfNaN) {
  float payload, result;
  uint32_t bits = 0x7fc12345;
  std::memcpy(&payload, &bits, sizeof bits);
  auto results = runOp("%0: tensor<1xf32>",
                       "needle.neg %0 : tensor<1xf32> -> tensor<1xf32>",
                       "tensor<1xf32>", {f32({1}, {payload})});
  ASSERT_EQ(results.size(), 1u);
  result = results[0].getValues<float>()[0];
  std::memcpy(&bits, &result, sizeof bits);
  EXPECT_EQ(bits, 0xffc12345);
}

TEST_F(ReferenceElementwise, Arithmetic) {
  EXPECT_EQ(binary("add", {1, FLT_MAX, kInf, -0.0f, FLT_TRUE_MIN},
                   {0x1p-24f, FLT_MAX, -kInf, -0.0f, FLT_TRUE_MIN}),
            bitsOf({1, kInf, kNaN, -0.0f, 2 * FLT_TRUE_MIN}));
  EXPECT_EQ(binary("sub", {1, 0, kInf}, {0x1p-25f, 0, kInf}),
            bitsOf({1, 0, kNaN}));
  EXPECT_EQ(binary("mul", {0x1.000002p0f, 0, FLT_MIN, -0.0f},
                   {0x1.000002p0f, kInf, 0.5f, 3}),
            bitsOf({0x1.000004p0f, kNaN, FLT_MIN / 2, -0.0f}));
  EXPECT_EQ(binary("div", {1, 0, -1, 1, FLT_TRUE_MIN}, {3, 0, 0, -kInf, 2}),
            bitsOf({0x1.555556p-2f, kNaN, -kInf, -0.0f, 0}));
}

TEST_F(ReferenceElementwise, MaximumAndMinimumAreThoseOfIeee2019) {
  std::vector<float> lhs{1, kNaN, 1, -0.0f, 0.0f, -kInf};
  std::vector<float> rhs{2, 1, kNaN, 0.0f, -0.0f, 3};
  EXPECT_EQ(binary("maximum", lhs, rhs),
            bitsOf({2, kNaN, kNaN, 0.0f, 0.0f, 3}));
  EXPECT_EQ(binary("minimum", lhs, rhs),
            bitsOf({1, kNaN, kNaN, -0.0f, -0.0f, -kInf}));
}

TEST_F(ReferenceElementwise, Broadcast) {
  auto results = runOp(
      "%0: tensor<2x1xf32>, %1: tensor<?xf32>",
      "needle.sub %0, %1 : tensor<2x1xf32>, tensor<?xf32> -> tensor<2x?xf32>",
      "tensor<2x?xf32>", {f32({2, 1}, {10, 20}), f32({3}, {1, 2, 3})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({2, 3}));
  EXPECT_EQ(valuesOf<float>(results[0]),
            (std::vector<float>{9, 8, 7, 19, 18, 17}));
}

TEST_F(ReferenceElementwise, BroadcastScalarAndMiddleDimension) {
  auto results =
      runOp("%0: tensor<f32>, %1: tensor<2x1x2xf32>",
            "needle.div %0, %1 : tensor<f32>, tensor<2x1x2xf32> -> "
            "tensor<2x1x2xf32>",
            "tensor<2x1x2xf32>", {f32({}, {12}), f32({2, 1, 2}, {1, 2, 3, 4})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{12, 6, 4, 3}));
  results = runOp("%0: tensor<2x1x2xf32>, %1: tensor<?x2xf32>",
                  "needle.add %0, %1 : tensor<2x1x2xf32>, tensor<?x2xf32> -> "
                  "tensor<2x?x2xf32>",
                  "tensor<2x?x2xf32>",
                  {f32({2, 1, 2}, {1, 2, 3, 4}), f32({2, 2}, {0, 10, 20, 30})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]),
            (std::vector<float>{1, 12, 21, 32, 3, 14, 23, 34}));
}

TEST_F(ReferenceElementwise, BroadcastToNothing) {
  auto results = runOp(
      "%0: tensor<2x1xf32>, %1: tensor<?xf32>",
      "needle.add %0, %1 : tensor<2x1xf32>, tensor<?xf32> -> tensor<2x?xf32>",
      "tensor<2x?xf32>", {f32({2, 1}, {10, 20}), f32({0}, {})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({2, 0}));
}

TEST_F(ReferenceElementwise, ADynamicDimensionNeverStretches) {
  expectError(
      runOp("%0: tensor<?x2xf32>, %1: tensor<?x2xf32>",
            "needle.add %0, %1 : tensor<?x2xf32>, tensor<?x2xf32> -> "
            "tensor<?x2xf32>",
            "tensor<?x2xf32>",
            {f32({1, 2}, {1, 2}), f32({3, 2}, {1, 2, 3, 4, 5, 6})}),
      "loc(\"test\":2:7): 'needle.add' op shapes [1, 2] and [3, 2] differ in "
      "dimension 0 (only a dimension that is statically 1 broadcasts)");
  expectError(runOp("%0: tensor<?xf32>, %1: tensor<3xf32>",
                    "needle.add %0, %1 : tensor<?xf32>, tensor<3xf32> -> "
                    "tensor<3xf32>",
                    "tensor<3xf32>", {f32({1}, {1}), f32({3}, {1, 2, 3})}),
              "differ in dimension 0");
}

} // namespace

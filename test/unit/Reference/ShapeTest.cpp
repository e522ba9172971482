//===- ShapeTest.cpp - Tests of transpose, reshape and observe ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements keep their bits and land where they should.
//
//===----------------------------------------------------------------------===//

#include "ReferenceTest.h"

using namespace needle;
using namespace needle::test;

namespace {

class ReferenceShape : public ReferenceTest {};

TEST_F(ReferenceShape, TransposeMatrix) {
  auto results = runOp("%0: tensor<2x3xf32>",
                       "needle.transpose %0 {permutation = array<i64: 1, 0>} : "
                       "tensor<2x3xf32> -> tensor<3x2xf32>",
                       "tensor<3x2xf32>", {f32({2, 3}, {1, 2, 3, 4, 5, 6})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]),
            (std::vector<float>{1, 4, 2, 5, 3, 6}));
}

TEST_F(ReferenceShape, TransposeByACycle) {
  // Result dimension i is operand dimension permutation[i]; a cycle of three
  // tells a permutation from its inverse. Element (i, j, k) of the operand is
  // 100i + 10j + k.
  std::vector<float> values;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k)
        values.push_back(100 * i + 10 * j + k);
  auto results = runOp("%0: tensor<?x?x?xf32>",
                       "needle.transpose %0 {permutation = array<i64: 1, 2, 0>}"
                       " : tensor<?x?x?xf32> -> tensor<?x?x?xf32>",
                       "tensor<?x?x?xf32>", {f32({2, 3, 4}, values)});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({3, 4, 2}));
  std::vector<float> expected;
  for (int j = 0; j < 3; ++j)
    for (int k = 0; k < 4; ++k)
      for (int i = 0; i < 2; ++i)
        expected.push_back(100 * i + 10 * j + k);
  EXPECT_EQ(valuesOf<float>(results[0]), expected);
}

TEST_F(ReferenceShape, TransposeBytesAndEmpty) {
  auto results = runOp("%0: tensor<2x2xui8>",
                       "needle.transpose %0 {permutation = array<i64: 1, 0>} : "
                       "tensor<2x2xui8> -> tensor<2x2xui8>",
                       "tensor<2x2xui8>", {ui8({2, 2}, {1, 2, 3, 4})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<uint8_t>(results[0]), (std::vector<uint8_t>{1, 3, 2, 4}));
  results = runOp("%0: tensor<?x3xf32>",
                  "needle.transpose %0 {permutation = array<i64: 1, 0>} : "
                  "tensor<?x3xf32> -> tensor<3x?xf32>",
                  "tensor<3x?xf32>", {f32({0, 3}, {})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({3, 0}));
}

TEST_F(ReferenceShape, ReshapeFindsTheDynamicDimension) {
  auto results =
      runOp("%0: tensor<?x2x2xf32>",
            "needle.reshape %0 : tensor<?x2x2xf32> -> tensor<?x4xf32>",
            "tensor<?x4xf32>", {f32({3, 2, 2}, std::vector<float>(12, -0.0f))});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({3, 4}));
  EXPECT_EQ(bitsOf(results[0].getValues<float>()),
            bitsOf(std::vector<float>(12, -0.0f)));
}

TEST_F(ReferenceShape, ReshapeErrors) {
  expectError(runOp("%0: tensor<?xf32>",
                    "needle.reshape %0 : tensor<?xf32> -> tensor<?x4xf32>",
                    "tensor<?x4xf32>", {f32({6}, {1, 2, 3, 4, 5, 6})}),
              "loc(\"test\":2:7): 'needle.reshape' op cannot reshape [6] with "
              "6 elements to 'tensor<?x4xf32>'");
  expectError(runOp("%0: tensor<?xf32>",
                    "needle.reshape %0 : tensor<?xf32> -> tensor<2x2xf32>",
                    "tensor<2x2xf32>", {f32({6}, {1, 2, 3, 4, 5, 6})}),
              "cannot reshape [6] with 6 elements to 'tensor<2x2xf32>'");
}

TEST_F(ReferenceShape, ObserveIsTheIdentity) {
  auto results = runOp("%0: tensor<2xf32>",
                       "needle.observe %0 {id = 0 : i64} : tensor<2xf32> -> "
                       "tensor<2xf32>",
                       "tensor<2xf32>", {f32({2}, {kNaN, -0.0f})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(bitsOf(results[0].getValues<float>()), bitsOf({kNaN, -0.0f}));
}

} // namespace

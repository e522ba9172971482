//===- ContractionTest.cpp - Tests of the float matrix product ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums that only f64 gets right, the order of roundings, layouts, errors.
//
//===----------------------------------------------------------------------===//

#include "ReferenceTest.h"
#include <random>

using namespace needle;
using namespace needle::test;

namespace {

class ReferenceMatmul : public ReferenceTest {
protected:
  llvm::SmallVector<Tensor> matmul(Tensor lhs, Tensor rhs,
                                   llvm::StringRef attributes = "") {
    return runOp("%0: tensor<?x?xf32>, %1: tensor<?x?xf32>",
                 ("needle.matmul %0, %1 {" + attributes +
                  "} : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>")
                     .str(),
                 "tensor<?x?xf32>", {std::move(lhs), std::move(rhs)});
  }
  llvm::SmallVector<Tensor> matmulBias(Tensor lhs, Tensor rhs, Tensor bias,
                                       llvm::StringRef attributes = "") {
    return runOp(
        "%0: tensor<?x?xf32>, %1: tensor<?x?xf32>, %2: tensor<?xf32>",
        ("needle.matmul %0, %1 bias(%2 : tensor<?xf32>) {" + attributes +
         "} : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>")
            .str(),
        "tensor<?x?xf32>", {std::move(lhs), std::move(rhs), std::move(bias)});
  }
};

TEST_F(ReferenceMatmul, ByHand) {
  auto results = matmul(f32({2, 3}, {1, 2, 3, 4, 5, 6}),
                        f32({3, 2}, {1, 0, 0, 1, 10, 100}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({2, 2}));
  EXPECT_EQ(valuesOf<float>(results[0]),
            (std::vector<float>{31, 302, 64, 605}));
}

TEST_F(ReferenceMatmul, SumsInF64AndRoundsOnce) {
  // 1 + 3 · 2^-25 rounds up to 1 + 2^-23; each addition in f32 would be lost.
  auto results = matmul(f32({1, 4}, {1, 0x1p-25f, 0x1p-25f, 0x1p-25f}),
                        f32({4, 1}, {1, 1, 1, 1}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{0x1.000002p0f}));
  // The products are exact, too: (1 + 2^-23)^2 - 1 - 2^-22 is 2^-46.
  results = matmul(f32({1, 3}, {0x1.000002p0f, -1, -0x1p-22f}),
                   f32({3, 1}, {0x1.000002p0f, 1, 1}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{0x1p-46f}));
}

TEST_F(ReferenceMatmul, BiasIsAddedAfterTheSumIsRounded) {
  // The sum 1 + 2^-24 is a tie that goes to 1; so does 1 + the bias. Added
  // before the rounding, it would be 1 + 2^-23.
  auto results = matmulBias(f32({1, 2}, {1, 0x1p-24f}), f32({2, 1}, {1, 1}),
                            f32({1}, {0x1p-24f}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{1.0f}));
}

TEST_F(ReferenceMatmul, ActivationComesLast) {
  auto results =
      matmulBias(f32({1, 1}, {1}), f32({1, 3}, {-5, 5, kNaN}),
                 f32({3}, {7, -7, 0}), "activation = #needle.activation<relu>");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(bitsOf(results[0].getValues<float>()), bitsOf({2, 0, kNaN}));
}

TEST_F(ReferenceMatmul, SpecialValues) {
  auto results = matmul(f32({1, 2}, {kInf, 1}),
                        f32({2, 4}, {0, 1, -1, 1, 1, 1, 1, -kInf}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(bitsOf(results[0].getValues<float>()),
            bitsOf({kNaN, kInf, -kInf, kNaN}));
  // Denormals count; the f64 sum does not overflow where f32 would.
  results = matmul(f32({1, 3}, {3e38f, 3e38f, 0x1p-149f}),
                   f32({3, 2}, {2, 0, -2, 0, 0, 1}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(bitsOf(results[0].getValues<float>()), bitsOf({0, 0x1p-149f}));
}

TEST_F(ReferenceMatmul, EmptyOperands) {
  auto results =
      matmulBias(f32({2, 0}, {}), f32({0, 2}, {}), f32({2}, {3, -0.0f}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(bitsOf(results[0].getValues<float>()), bitsOf({3, 0, 3, 0}));
  results = matmul(f32({0, 3}, {}), f32({3, 2}, {1, 2, 3, 4, 5, 6}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({0, 2}));
}

TEST_F(ReferenceMatmul, TransposedOperandsAgainstIntegers) {
  // Integral values small enough to be exact, summed in int64.
  constexpr uint32_t seed = 11;
  RecordProperty("seed", seed);
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> distribution(-1000, 1000);
  constexpr int64_t m = 5, k = 13, n = 7;
  std::vector<int> lhs(m * k), rhs(k * n);
  for (std::vector<int> *values : {&lhs, &rhs})
    for (int &value : *values)
      value = distribution(generator);
  std::vector<float> expected;
  expected.reserve(m * n);
  for (int64_t row = 0; row < m; ++row)
    for (int64_t column = 0; column < n; ++column) {
      int64_t sum = 0;
      for (int64_t i = 0; i < k; ++i)
        sum += int64_t(lhs[row * k + i]) * rhs[i * n + column];
      expected.push_back(static_cast<float>(sum));
    }
  auto tensor = [](const std::vector<int> &values, int64_t rows,
                   int64_t columns, bool transposed) {
    std::vector<float> elements;
    elements.reserve(rows * columns);
    for (int64_t i = 0; i < rows * columns; ++i)
      elements.push_back(
          values[transposed ? i % rows * columns + i / rows : i]);
    return transposed ? f32({columns, rows}, elements)
                      : f32({rows, columns}, elements);
  };
  for (bool left : {false, true})
    for (bool right : {false, true}) {
      std::string attributes = left && right ? "transpose_lhs, transpose_rhs"
                               : left        ? "transpose_lhs"
                               : right       ? "transpose_rhs"
                                             : "";
      auto results =
          matmul(tensor(lhs, m, k, left), tensor(rhs, k, n, right), attributes);
      ASSERT_EQ(results.size(), 1u);
      EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({m, n}));
      EXPECT_EQ(valuesOf<float>(results[0]), expected)
          << "seed " << seed << ", " << attributes;
    }
}

TEST_F(ReferenceMatmul, Errors) {
  expectError(matmul(f32({1, 2}, {1, 2}), f32({3, 1}, {1, 2, 3})),
              "loc(\"test\":2:7): 'needle.matmul' op K differs: it is 2 in lhs "
              "of shape [1, 2] and 3 in rhs of shape [3, 1]");
  expectError(matmulBias(f32({1, 1}, {1}), f32({1, 2}, {1, 2}), f32({1}, {1})),
              "bias has 1 elements, but rhs has 2 columns");
}

} // namespace

//===- QuantizedContractionTest.cpp - Tests of the integer product --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qmatmul by N4 and N5: against 128-bit sums, beyond 32 bits, with parameters
// in types and in operands, and every kind of result.
//
//===----------------------------------------------------------------------===//

#include "ReferenceTest.h"
#include <random>

using namespace needle;
using namespace needle::test;

namespace {

class ReferenceQMatmul : public ReferenceTest {};

TEST_F(ReferenceQMatmul, ByHand) {
  // ((5-3)(2) + (1-3)(-4)) · (0.5 · 0.25) = 12 · 0.125
  auto results =
      runOp("%0: tensor<1x2x!quant.uniform<u8:f32, 0.5:3>>, "
            "%1: tensor<2x1x!quant.uniform<i8<-127:127>:f32, 0.25>>",
            "needle.qmatmul %0, %1 : tensor<1x2x!quant.uniform<u8:f32, 0.5:3>>,"
            " tensor<2x1x!quant.uniform<i8<-127:127>:f32, 0.25>> -> "
            "tensor<1x1xf32>",
            "tensor<1x1xf32>", {ui8({1, 2}, {5, 1}), si8({2, 1}, {2, -4})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{1.5}));
}

TEST_F(ReferenceQMatmul, PerAxisScalesAndZeroPoints) {
  auto results = runOp(
      "%0: tensor<1x2x!quant.uniform<u8:f32, 2.0>>, "
      "%1: tensor<2x2x!quant.uniform<i8:f32:1, {0.5:1,4.0:-1}>>",
      "needle.qmatmul %0, %1 : tensor<1x2x!quant.uniform<u8:f32, 2.0>>, "
      "tensor<2x2x!quant.uniform<i8:f32:1, {0.5:1,4.0:-1}>> -> tensor<1x2xf32>",
      "tensor<1x2xf32>", {ui8({1, 2}, {1, 2}), si8({2, 2}, {1, 2, 3, 4})});
  ASSERT_EQ(results.size(), 1u);
  // Column 0: (0 + 2·2) · 1; column 1: (3 + 2·5) · 8.
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{4, 104}));
  // The same weights transposed carry their axis along.
  results = runOp(
      "%0: tensor<1x2x!quant.uniform<u8:f32, 2.0>>, "
      "%1: tensor<2x2x!quant.uniform<i8:f32:0, {0.5:1,4.0:-1}>>",
      "needle.qmatmul %0, %1 {transpose_rhs} : tensor<1x2x!quant.uniform<u8:"
      "f32, 2.0>>, tensor<2x2x!quant.uniform<i8:f32:0, {0.5:1,4.0:-1}>> -> "
      "tensor<1x2xf32>",
      "tensor<1x2xf32>", {ui8({1, 2}, {1, 2}), si8({2, 2}, {1, 3, 2, 4})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{4, 104}));
}

/// u8 · u8 with zero point 0 over K elements, all 255: 65025 · K.
class ReferenceQMatmulLargeK : public ReferenceTest {
protected:
  llvm::SmallVector<Tensor> sumOf(int64_t k, llvm::StringRef result,
                                  std::string bias = "",
                                  std::vector<Tensor> biasInput = {}) {
    std::string type = "x!quant.uniform<u8:f32, 1.0>>";
    std::string biasArgument = bias.empty() ? "" : ", %2: " + bias;
    if (!bias.empty())
      bias = " bias(%2 : " + bias + ")";
    std::vector<uint8_t> values(k, 255);
    std::vector<Tensor> inputs{ui8({1, k}, values), ui8({k, 1}, values)};
    llvm::append_range(inputs, biasInput);
    return runOp("%0: tensor<1x?" + type + ", %1: tensor<?x1" + type +
                     biasArgument,
                 "needle.qmatmul %0, %1" + bias + " : tensor<1x?" + type +
                     ", tensor<?x1" + type + " -> " + result.str(),
                 result, inputs);
  }
};

TEST_F(ReferenceQMatmulLargeK, SumsBeyondI32AreExact) {
  auto results = sumOf(33025, "tensor<1x1xf32>");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{2147450625.0f}));
  results = sumOf(40000, "tensor<1x1xf32>");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{2601000000.0f}));
  // 66,052 · 65025 would be 65204 modulo 2^32: positive, and wrong.
  results = sumOf(66052, "tensor<1x1xf32>");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]),
            (std::vector<float>{static_cast<float>(66052LL * 65025)}));
}

TEST_F(ReferenceQMatmulLargeK, AnI32ResultIsModulo2To32) {
  auto results = sumOf(40000, "tensor<1x1xi32>");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<int32_t>(results[0]), (std::vector<int32_t>{-1693967296}));
  results = sumOf(40000, "tensor<1x1xi32>", "tensor<1xi32>",
                  {i32({1}, {1693967295})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<int32_t>(results[0]), (std::vector<int32_t>{-1}));
}

TEST_F(ReferenceQMatmulLargeK, AnI32BiasJoinsTheExactSum) {
  auto results = sumOf(33025, "tensor<1x1xf32>", "tensor<1xi32>",
                       {i32({1}, {2147483647})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]),
            (std::vector<float>{static_cast<float>(4294934272LL)}));
}

TEST_F(ReferenceQMatmul, EachStepOfTheRescaleIsRounded) {
  // Cases where a fused multiply-add, or f64, would give other bits. The
  // operands stand for themselves: K is 1, the weight 1, the scale is f32.
  constexpr uint32_t seed = 5;
  std::mt19937 generator(seed);
  std::vector<uint8_t> values(256);
  for (int i = 0; i < 256; ++i)
    values[i] = i;
  std::vector<float> biases;
  biases.reserve(256);
  std::uniform_real_distribution<float> distribution(-50, 50);
  for (int i = 0; i < 256; ++i)
    biases.push_back(distribution(generator));
  auto results =
      runOp("%0: tensor<1x1xui8>, %1: tensor<1x256xui8>, %2: tensor<f32>, "
            "%3: tensor<i32>, %4: tensor<256xf32>",
            "needle.qmatmul %0, %1 lhs_params(%2, %3 : tensor<f32>, "
            "tensor<i32>) rhs_params(%2, %3 : tensor<f32>, tensor<i32>) "
            "bias(%4 : tensor<256xf32>) : tensor<1x1xui8>, tensor<1x256xui8> "
            "-> tensor<1x256xf32>",
            "tensor<1x256xf32>",
            {ui8({1, 1}, {1}), ui8({1, 256}, values), f32({}, {0.3f}),
             i32({}, {0}), f32({256}, biases)});
  ASSERT_EQ(results.size(), 1u);
  volatile float combined = 0.3f * 0.3f;
  int fusedDiffers = 0, wideDiffers = 0;
  for (int i = 0; i < 256; ++i) {
    volatile float product = float(i) * combined;
    volatile float expected = product + biases[i];
    EXPECT_EQ(results[0].getValues<float>()[i], expected)
        << "seed " << seed << ", sum " << i << ", bias " << biases[i];
    fusedDiffers += std::fma(float(i), combined, biases[i]) != expected;
    wideDiffers +=
        float(double(0.3f) * double(0.3f) * i) + biases[i] != expected;
  }
  EXPECT_GT(fusedDiffers, 10);
  EXPECT_GT(wideDiffers, 10);
}

TEST_F(ReferenceQMatmul, RequantizesByN1) {
  // Sums 0.5, 1.5, 2.5 (ties), 1000, -1000 around zero point 3.
  auto results = runOp(
      "%0: tensor<1x1x!quant.uniform<u8:f32, 0.5>>, "
      "%1: tensor<1x5x!quant.uniform<i8:f32, 1.0>>, %2: tensor<5xf32>",
      "needle.qmatmul %0, %1 bias(%2 : tensor<5xf32>) : "
      "tensor<1x1x!quant.uniform<u8:f32, 0.5>>, tensor<1x5x!quant.uniform<i8:"
      "f32, 1.0>> -> tensor<1x5x!quant.uniform<u8:f32, 1.0:3>>",
      "tensor<1x5x!quant.uniform<u8:f32, 1.0:3>>",
      {ui8({1, 1}, {1}), si8({1, 5}, {1, 3, 5, 0, 0}),
       f32({5}, {0, 0, 0, 1000, -1000})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<uint8_t>(results[0]),
            (std::vector<uint8_t>{3, 5, 5, 255, 0}));
}

TEST_F(ReferenceQMatmul, ActivationComesBeforeRequantization) {
  auto results = runOp(
      "%0: tensor<1x1x!quant.uniform<u8:f32, 1.0>>, "
      "%1: tensor<1x3x!quant.uniform<i8:f32, 1.0>>, %2: tensor<3xf32>",
      "needle.qmatmul %0, %1 bias(%2 : tensor<3xf32>) {activation = "
      "#needle.activation<relu>} : tensor<1x1x!quant.uniform<u8:f32, 1.0>>, "
      "tensor<1x3x!quant.uniform<i8:f32, 1.0>> -> "
      "tensor<1x3x!quant.uniform<u8:f32, 1.0:9>>",
      "tensor<1x3x!quant.uniform<u8:f32, 1.0:9>>",
      {ui8({1, 1}, {1}), si8({1, 3}, {-4, 4, 0}), f32({3}, {1, 1, kNaN})});
  ASSERT_EQ(results.size(), 1u);
  // NaN passes the activation and becomes the zero point.
  EXPECT_EQ(valuesOf<uint8_t>(results[0]), (std::vector<uint8_t>{9, 14, 9}));
}

TEST_F(ReferenceQMatmul, ZeroTimesInfinityBecomesTheZeroPoint) {
  auto results = runOp(
      "%0: tensor<1x1xui8>, %1: tensor<1x2x!quant.uniform<i8:f32, 1.0>>, "
      "%2: tensor<f32>, %3: tensor<i32>",
      "needle.qmatmul %0, %1 lhs_params(%2, %3 : tensor<f32>, tensor<i32>) : "
      "tensor<1x1xui8>, tensor<1x2x!quant.uniform<i8:f32, 1.0>> -> "
      "tensor<1x2x!quant.uniform<u8:f32, 1.0:7>>",
      "tensor<1x2x!quant.uniform<u8:f32, 1.0:7>>",
      {ui8({1, 1}, {1}), si8({1, 2}, {0, 1}), f32({}, {kInf}), i32({}, {0})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<uint8_t>(results[0]), (std::vector<uint8_t>{7, 255}));
}

TEST_F(ReferenceQMatmul, EmptyOperands) {
  auto results = runOp(
      "%0: tensor<?x?x!quant.uniform<u8:f32, 0.5:3>>, "
      "%1: tensor<?x2x!quant.uniform<i8:f32, 1.0>>, %2: tensor<2xf32>",
      "needle.qmatmul %0, %1 bias(%2 : tensor<2xf32>) : "
      "tensor<?x?x!quant.uniform<u8:f32, 0.5:3>>, "
      "tensor<?x2x!quant.uniform<i8:f32, 1.0>> -> tensor<?x2xf32>",
      "tensor<?x2xf32>", {ui8({1, 0}, {}), si8({0, 2}, {}), f32({2}, {5, 6})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{5, 6}));
}

/// Random operands in every layout against 128-bit sums; parameters come as
/// operands, so that one text serves all.
TEST_F(ReferenceQMatmul, RandomAgainst128Bits) {
  constexpr uint32_t seed = 99;
  RecordProperty("seed", seed);
  std::mt19937 generator(seed);
  auto integer = [&](int min, int max) {
    return std::uniform_int_distribution<int>(min, max)(generator);
  };
  for (int trial = 0; trial < 50; ++trial) {
    int64_t m = integer(1, 7), k = integer(0, 40), n = integer(1, 7);
    bool left = integer(0, 1), right = integer(0, 1);
    int zeroLeft = integer(0, 255), zeroRight = integer(-128, 127);
    std::vector<uint8_t> lhs(m * k);
    std::vector<int8_t> rhs(k * n);
    std::vector<int32_t> bias(n);
    for (uint8_t &value : lhs)
      value = integer(0, 255);
    for (int8_t &value : rhs)
      value = integer(-128, 127);
    for (int32_t &value : bias)
      value = integer(INT32_MIN, INT32_MAX);
    std::vector<int32_t> expected;
    for (int64_t row = 0; row < m; ++row)
      for (int64_t column = 0; column < n; ++column) {
        __int128 sum = bias[column];
        for (int64_t i = 0; i < k; ++i)
          sum += __int128(lhs[left ? i * m + row : row * k + i] - zeroLeft) *
                 (rhs[right ? column * k + i : i * n + column] - zeroRight);
        expected.push_back(static_cast<int32_t>(static_cast<uint32_t>(sum)));
      }
    std::string flags = std::string(left ? "transpose_lhs" : "") +
                        (left && right ? ", " : "") +
                        (right ? "transpose_rhs" : "");
    auto results = runOp(
        "%0: tensor<?x?xui8>, %1: tensor<?x?xsi8>, %2: tensor<f32>, "
        "%3: tensor<i32>, %4: tensor<i32>, %5: tensor<?xi32>",
        "needle.qmatmul %0, %1 lhs_params(%2, %3 : tensor<f32>, tensor<i32>) "
        "rhs_params(%2, %4 : tensor<f32>, tensor<i32>) bias(%5 : tensor<?xi32>)"
        " {" +
            flags +
            "} : tensor<?x?xui8>, tensor<?x?xsi8> -> "
            "tensor<?x?xi32>",
        "tensor<?x?xi32>",
        {left ? ui8({k, m}, lhs) : ui8({m, k}, lhs),
         right ? si8({n, k}, rhs) : si8({k, n}, rhs), f32({}, {0.5}),
         i32({}, {zeroLeft}), i32({}, {zeroRight}), i32({n}, bias)});
    ASSERT_EQ(results.size(), 1u);
    ASSERT_EQ(valuesOf<int32_t>(results[0]), expected)
        << "seed " << seed << ", trial " << trial;
  }
}

TEST_F(ReferenceQMatmul, Errors) {
  auto withZeroPoint = [&](int32_t zeroPoint) {
    return runOp(
        "%0: tensor<1x1xsi8>, %1: tensor<1x1x!quant.uniform<i8:f32, 1.0>>, "
        "%2: tensor<f32>, %3: tensor<i32>",
        "needle.qmatmul %0, %1 lhs_params(%2, %3 : tensor<f32>, tensor<i32>) : "
        "tensor<1x1xsi8>, tensor<1x1x!quant.uniform<i8:f32, 1.0>> -> "
        "tensor<1x1xi32>",
        "tensor<1x1xi32>",
        {si8({1, 1}, {1}), si8({1, 1}, {1}), f32({}, {1}),
         i32({}, {zeroPoint})});
  };
  EXPECT_EQ(withZeroPoint(-128).size(), 1u);
  expectError(withZeroPoint(128), "loc(\"test\":2:7): 'needle.qmatmul' op zero "
                                  "point of lhs is 128, which is not within "
                                  "[-128, 127]");
  errors.clear();
  expectError(withZeroPoint(INT32_MIN), "zero point of lhs is -2147483648");
  errors.clear();
  expectError(
      runOp("%0: tensor<1x?x!quant.uniform<u8:f32, 1.0>>, "
            "%1: tensor<?x1x!quant.uniform<i8:f32, 1.0>>",
            "needle.qmatmul %0, %1 : tensor<1x?x!quant.uniform<u8:f32, 1.0>>, "
            "tensor<?x1x!quant.uniform<i8:f32, 1.0>> -> tensor<1x1xf32>",
            "tensor<1x1xf32>", {ui8({1, 2}, {1, 2}), si8({1, 1}, {1})}),
      "K differs: it is 2 in lhs");
}

} // namespace

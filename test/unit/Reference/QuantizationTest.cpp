//===- QuantizationTest.cpp - Tests of quantize, dequantize and the like --===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// N1 to N3 as operations: parameters per tensor, per axis, at run time.
//
//===----------------------------------------------------------------------===//

#include "ReferenceTest.h"
#include <cfloat>

using namespace needle;
using namespace needle::test;

namespace {

class ReferenceQuantization : public ReferenceTest {};

TEST_F(ReferenceQuantization, QuantizePerTensor) {
  auto results = runOp("%0: tensor<?xf32>",
                       "needle.quantize %0 : tensor<?xf32> -> "
                       "tensor<?x!quant.uniform<u8:f32, 0.5:3>>",
                       "tensor<?x!quant.uniform<u8:f32, 0.5:3>>",
                       {f32({10}, {0, -0.0f, 0.25, 0.75, -0.75, kNaN, kInf,
                                   -kInf, 3e9, 1e-45f})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<uint8_t>(results[0]),
            (std::vector<uint8_t>{3, 3, 3, 5, 1, 3, 255, 0, 255, 3}));
}

TEST_F(ReferenceQuantization, QuantizeRespectsTheNarrowRange) {
  auto results = runOp("%0: tensor<3xf32>",
                       "needle.quantize %0 : tensor<3xf32> -> "
                       "tensor<3x!quant.uniform<i8<-127:127>:f32, 1.0>>",
                       "tensor<3x!quant.uniform<i8<-127:127>:f32, 1.0>>",
                       {f32({3}, {-1000, 1000, -126.5})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<int8_t>(results[0]),
            (std::vector<int8_t>{-127, 127, -126}));
}

TEST_F(ReferenceQuantization, QuantizePerAxis) {
  // A middle axis: each scale serves two neighbours, in two outer slices.
  llvm::StringRef type = "tensor<2x2x2x!quant.uniform<i8:f32:1, {1.0,0.5:1}>>";
  auto results =
      runOp("%0: tensor<2x2x2xf32>",
            ("needle.quantize %0 : tensor<2x2x2xf32> -> " + type).str(), type,
            {f32({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<int8_t>(results[0]),
            (std::vector<int8_t>{1, 2, 7, 9, 5, 6, 15, 17}));
  results =
      runOp(("%0: " + type).str(),
            ("needle.dequantize %0 : " + type + " -> tensor<2x2x2xf32>").str(),
            "tensor<2x2x2xf32>", {si8({2, 2, 2}, {1, 2, 7, 9, 5, 6, 15, 17})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]),
            (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(ReferenceQuantization, DequantizeIsOneProduct) {
  auto results = runOp("%0: tensor<3xui8>, %1: tensor<f32>, %2: tensor<i32>",
                       "needle.dequantize %0 params(%1, %2 : tensor<f32>, "
                       "tensor<i32>) : tensor<3xui8> -> tensor<3xf32>",
                       "tensor<3xf32>",
                       {ui8({3}, {0, 3, 255}), f32({}, {0.3f}), i32({}, {3})});
  ASSERT_EQ(results.size(), 1u);
  // In f32, 255 · 0.3f - 3 · 0.3f is another number than 252 · 0.3f.
  EXPECT_NE(255 * 0.3f - 3 * 0.3f, 252 * 0.3f);
  EXPECT_EQ(valuesOf<float>(results[0]),
            (std::vector<float>{-3 * 0.3f, 0, 252 * 0.3f}));
}

TEST_F(ReferenceQuantization, DequantizeErrors) {
  expectError(runOp("%0: tensor<1xui8>, %1: tensor<f32>, %2: tensor<i32>",
                    "needle.dequantize %0 params(%1, %2 : tensor<f32>, "
                    "tensor<i32>) : tensor<1xui8> -> tensor<1xf32>",
                    "tensor<1xf32>",
                    {ui8({1}, {0}), f32({}, {0.1f}), i32({}, {-1})}),
              "zero point of operand is -1, which is not within [0, 255]");
}

class ReferenceQuantizeDynamic : public ReferenceTest {
protected:
  llvm::SmallVector<Tensor> quantizeDynamic(std::vector<float> values) {
    return runOp("%0: tensor<?xf32>",
                 "needle.quantize_dynamic %0 : tensor<?xf32> -> tensor<?xui8>, "
                 "tensor<f32>, tensor<i32>",
                 "tensor<?xui8>, tensor<f32>, tensor<i32>",
                 {f32({int64_t(values.size())}, values)});
  }
  void expect(std::vector<float> values, std::vector<uint8_t> stored,
              float scale, int32_t zeroPoint) {
    auto results = quantizeDynamic(std::move(values));
    ASSERT_EQ(results.size(), 3u);
    EXPECT_EQ(valuesOf<uint8_t>(results[0]), stored);
    EXPECT_EQ(results[1].getValues<float>()[0], scale);
    EXPECT_EQ(results[2].getValues<int32_t>()[0], zeroPoint);
  }
};

TEST_F(ReferenceQuantizeDynamic, ByHand) {
  expect({-1, 0, 254}, {0, 1, 255}, 1.0f, 1);
  expect({51, 102, 255}, {51, 102, 255}, 1.0f, 0); // widened to zero
  expect({-510, -255}, {0, 127}, 2.0f, 255);       // -127.5 is a tie
}

TEST_F(ReferenceQuantizeDynamic, DegenerateRanges) {
  expect({}, {}, 1.0f, 0);
  expect({0, -0.0f}, {0, 0}, 1.0f, 0);
  expect({kNaN}, {0}, 1.0f, 0);
  expect({0x1p-149f}, {0}, FLT_MIN, 0);
  expect({-7}, {0}, 7.0f / 255.0f, 255);
}

TEST_F(ReferenceQuantizeDynamic, NaNAndInfinities) {
  expect({kNaN, -1, 254, kNaN}, {1, 0, 255, 1}, 1.0f, 1);
  float scale = static_cast<float>(double(FLT_MAX) / 255.0);
  expect({kInf, 0, 1}, {255, 0, 0}, scale, 0);
  scale = static_cast<float>(2.0 * double(FLT_MAX) / 255.0);
  expect({kInf, -kInf, kNaN, 5}, {255, 0, 128, 128}, scale, 128);
}

TEST_F(ReferenceQuantization, Requantize) {
  auto results =
      runOp("%0: tensor<4x!quant.uniform<u8:f32, 0.5:2>>",
            "needle.requantize %0 : tensor<4x!quant.uniform<u8:f32, 0.5:2>> -> "
            "tensor<4x!quant.uniform<i8<-127:127>:f32, 1.0>>",
            "tensor<4x!quant.uniform<i8<-127:127>:f32, 1.0>>",
            {ui8({4}, {0, 3, 5, 255})});
  ASSERT_EQ(results.size(), 1u);
  // -1, 0.5, 1.5 and 126.5: two ties go down, one goes up.
  EXPECT_EQ(valuesOf<int8_t>(results[0]), (std::vector<int8_t>{-1, 0, 2, 126}));
}

TEST_F(ReferenceQuantization, RequantizeBetweenAxes) {
  auto results = runOp(
      "%0: tensor<2x2x!quant.uniform<i8:f32:0, {1.0,2.0}>>",
      "needle.requantize %0 : tensor<2x2x!quant.uniform<i8:f32:0, {1.0,2.0}>> "
      "-> tensor<2x2x!quant.uniform<i8:f32:1, {0.5,4.0:1}>>",
      "tensor<2x2x!quant.uniform<i8:f32:1, {0.5,4.0:1}>>",
      {si8({2, 2}, {1, 8, 3, -4})});
  ASSERT_EQ(results.size(), 1u);
  // Values 1, 8, 6, -8.
  EXPECT_EQ(valuesOf<int8_t>(results[0]), (std::vector<int8_t>{2, 3, 12, -1}));
}

TEST_F(ReferenceQuantization, FakeQuantize) {
  auto results =
      runOp("%0: tensor<6xf32>",
            "needle.fake_quantize %0 {type = !quant.uniform<u8:f32, 0.5:128>} "
            ": tensor<6xf32> -> tensor<6xf32>",
            "tensor<6xf32>", {f32({6}, {0.25, 0.75, -100, 1e9, kNaN, -0.0f})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(bitsOf(results[0].getValues<float>()),
            bitsOf({0, 1, -64, 63.5, 0, 0}));
}

TEST_F(ReferenceQuantization, FakeQuantizePerAxis) {
  auto results = runOp(
      "%0: tensor<2x2xf32>",
      "needle.fake_quantize %0 {type = !quant.uniform<i8:f32:1, {1.0,8.0}>} : "
      "tensor<2x2xf32> -> tensor<2x2xf32>",
      "tensor<2x2xf32>", {f32({2, 2}, {3.25, 3.25, 5.75, 5.75})});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(valuesOf<float>(results[0]), (std::vector<float>{3, 0, 6, 8}));
}

} // namespace

//===- QuantTypesTest.cpp - Tests of quantized types from parameters ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parameters survive the way into a type, through text, and back.
//
//===----------------------------------------------------------------------===//

#include "needle/Quantization/QuantTypes.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"
#include <cfloat>

using namespace needle;
using namespace mlir;

namespace {

class QuantTypes : public testing::Test {
protected:
  QuantTypes() { context.loadDialect<quant::QuantDialect>(); }

  Type throughText(Type type) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return parseType(text, &context);
  }

  MLIRContext context;
};

TEST_F(QuantTypes, PerTensorSurvivesText) {
  for (float scale : {1.0f, 0.1f, 1.0f / 3.0f, FLT_MIN, FLT_MAX, 0.013696f})
    for (const QuantFormat &format :
         {kUInt8Asymmetric, kInt8Symmetric, kUInt4Asymmetric, kInt4Symmetric}) {
      int64_t zeroPoint = format.isSymmetric ? 0 : 5;
      Type type = getQuantizedType(&context, {scale, zeroPoint}, format);
      EXPECT_EQ(throughText(type), type);
      std::optional<QuantTypeInfo> info = getQuantTypeInfo(type);
      ASSERT_TRUE(info);
      EXPECT_EQ(info->bits, format.bits);
      EXPECT_EQ(info->isSigned, format.isSigned);
      EXPECT_EQ(info->range, format.range);
      EXPECT_FALSE(info->axis);
      ASSERT_EQ(info->params.size(), 1u);
      EXPECT_EQ(info->params[0], (QuantParams{scale, zeroPoint}));
    }
}

TEST_F(QuantTypes, PerAxisSurvivesText) {
  QuantParams params[] = {{0.1f, 0}, {1.0f / 3.0f, 0}, {FLT_MIN, 0}};
  Type type = getPerAxisQuantizedType(&context, params, 1, kInt8Symmetric);
  EXPECT_EQ(throughText(type), type);
  std::optional<QuantTypeInfo> info = getQuantTypeInfo(type);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->axis, 1u);
  EXPECT_EQ(info->range, (IntegerRange{-127, 127}));
  EXPECT_EQ(llvm::ArrayRef<QuantParams>(info->params),
            llvm::ArrayRef<QuantParams>(params));
}

TEST_F(QuantTypes, Text) {
  EXPECT_EQ(getQuantizedType(&context, {0.5f, 3}, kUInt8Asymmetric),
            parseType("!quant.uniform<u8:f32, 0.5:3>", &context));
  EXPECT_EQ(getQuantizedType(&context, {0.5f, 0}, kInt8Symmetric),
            parseType("!quant.uniform<i8<-127:127>:f32, 0.5>", &context));
}

TEST_F(QuantTypes, ZeroPointsOutsideTheRangeAreSeen) {
  auto zeroPointIn = [&](StringRef text) {
    return getQuantTypeInfo(parseType(text, &context))->hasZeroPointsInRange();
  };
  EXPECT_TRUE(zeroPointIn("!quant.uniform<u8:f32, 0.5:255>"));
  EXPECT_FALSE(zeroPointIn("!quant.uniform<u8:f32, 0.5:256>"));
  EXPECT_FALSE(zeroPointIn("!quant.uniform<i8:f32:0, {0.5:1,0.5:-129}>"));
}

TEST_F(QuantTypes, OtherTypesHaveNoParameters) {
  EXPECT_FALSE(getQuantTypeInfo(Float32Type::get(&context)));
  EXPECT_FALSE(getQuantTypeInfo(parseType("!quant.any<u8:f32>", &context)));
}

} // namespace

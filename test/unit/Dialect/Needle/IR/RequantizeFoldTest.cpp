//===- RequantizeFoldTest.cpp - When requantizing is the identity ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// needle.requantize to the same parameters is folded exactly when dequantizing
// (N3) and quantizing (N1) restores every stored integer.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Quantization/QuantTypes.h"
#include "gtest/gtest.h"
#include <cfloat>
#include <cmath>
#include <cstring>
#include <random>

using namespace mlir;
using namespace needle;

namespace {

class RequantizeFoldTest : public testing::Test {
protected:
  RequantizeFoldTest() : builder(&context) {
    context.loadDialect<func::FuncDialect, NeedleDialect>();
  }

  /// Whether a requantize from `element` to itself is folded.
  bool isFolded(Type element) {
    auto type = RankedTensorType::get({1}, element);
    OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
    builder.setInsertionPointToStart(module->getBody());
    auto function = func::FuncOp::create(builder, builder.getUnknownLoc(), "f",
                                         builder.getFunctionType(type, type));
    builder.setInsertionPointToStart(function.addEntryBlock());
    auto op = RequantizeOp::create(builder, builder.getUnknownLoc(), type,
                                   function.getArgument(0));
    SmallVector<OpFoldResult> results;
    return succeeded(op->fold(results)) && results.size() == 1 &&
           results[0] == OpFoldResult(function.getArgument(0));
  }

  static bool restoresAll(QuantParams params, const QuantFormat &format) {
    for (int64_t q = format.range.min; q <= format.range.max; ++q)
      if (quantize(dequantize(q, params), params, format.range) != q)
        return false;
    return true;
  }

  void check(QuantParams params, const QuantFormat &format) {
    SCOPED_TRACE(testing::Message()
                 << "scale " << params.scale << ", zero point "
                 << params.zeroPoint << ", signed " << format.isSigned);
    EXPECT_EQ(isFolded(getQuantizedType(&context, params, format)),
              restoresAll(params, format));
  }

  MLIRContext context;
  OpBuilder builder;
};

TEST_F(RequantizeFoldTest, AgreesWithTheRulesAtTheEdges) {
  for (float scale :
       {FLT_TRUE_MIN, 3 * FLT_TRUE_MIN, FLT_MIN, 1.0f / 3, 1.0f, FLT_MAX / 256,
        FLT_MAX / 255, std::nextafter(FLT_MAX / 255, FLT_MAX), FLT_MAX / 128,
        FLT_MAX / 127, FLT_MAX})
    for (int64_t zeroPoint : {0, 1, 127, 128, 255}) {
      check({scale, zeroPoint}, kUInt8Asymmetric);
      if (zeroPoint <= 127)
        check({scale, zeroPoint}, kInt8Symmetric);
    }
}

TEST_F(RequantizeFoldTest, AgreesWithTheRulesOnRandomScales) {
  uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  std::uniform_int_distribution<uint32_t> bits(1, 0x7F7FFFFF);
  std::uniform_int_distribution<int64_t> zeroPoints(0, 255);
  for (int i = 0; i < 2000; ++i) {
    uint32_t pattern = bits(random);
    float scale;
    static_assert(sizeof(scale) == sizeof(pattern));
    std::memcpy(&scale, &pattern, sizeof(scale));
    check({scale, zeroPoints(random)}, kUInt8Asymmetric);
  }
}

} // namespace

//===- TensorTest.cpp - Tests of host tensors -----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Value semantics, empty tensors, sizes that do not fit.
//
//===----------------------------------------------------------------------===//

#include "ReferenceTest.h"
#include "mlir/AsmParser/AsmParser.h"

using namespace needle;
using namespace needle::test;

// Under a sanitizer, too large an allocation fails as it does elsewhere.
// NOLINTBEGIN(readability-identifier-naming): the sanitizers' names.
extern "C" const char *__asan_default_options() {
  return "allocator_may_return_null=1";
}
extern "C" const char *__tsan_default_options() {
  return "allocator_may_return_null=1";
}
// NOLINTEND(readability-identifier-naming)

namespace {

TEST(Tensor, CopiesAreTheirOwn) {
  Tensor first = f32({2}, {1, 2});
  Tensor second = first;
  second.getMutableValues<float>()[0] = 9;
  EXPECT_EQ(valuesOf<float>(first), (std::vector<float>{1, 2}));
  first = second;
  EXPECT_EQ(valuesOf<float>(first), (std::vector<float>{9, 2}));
}

TEST(Tensor, EmptyAndRankZero) {
  Tensor empty = f32({3, 0}, {});
  EXPECT_EQ(empty.getNumElements(), 0);
  Tensor copy = f32({1}, {1});
  copy = empty;
  EXPECT_EQ(copy.getShape(), llvm::ArrayRef<int64_t>({3, 0}));
  EXPECT_EQ(f32({}, {7}).getNumElements(), 1);
}

TEST(Tensor, SizesThatDoNotFit) {
  EXPECT_TRUE(failed(Tensor::create(ElementKind::F32, {1LL << 40, 1LL << 40})));
  EXPECT_TRUE(failed(Tensor::create(ElementKind::F32, {1LL << 62})));
  EXPECT_TRUE(failed(Tensor::create(ElementKind::UI8, {1LL << 62})));
  // An empty tensor fits, whatever its other extents are.
  EXPECT_TRUE(
      succeeded(Tensor::create(ElementKind::F32, {1LL << 40, 1LL << 40, 0})));
}

TEST(Tensor, StoredIntegersKeepTheirSign) {
  Tensor bytes = ui8({2}, {255, 0}), signedBytes = si8({2}, {-128, 127});
  EXPECT_EQ(bytes.getStoredInteger(0), 255);
  EXPECT_EQ(signedBytes.getStoredInteger(0), -128);
  bytes.setStoredInteger(1, 200);
  signedBytes.setStoredInteger(1, -3);
  EXPECT_EQ(bytes.getStoredInteger(1), 200);
  EXPECT_EQ(signedBytes.getStoredInteger(1), -3);
}

TEST(Tensor, KindsOfTypes) {
  mlir::MLIRContext context;
  context.loadDialect<mlir::quant::QuantDialect>();
  auto kindOf = [&](llvm::StringRef text) {
    return getElementKind(mlir::parseType(text, &context));
  };
  EXPECT_EQ(kindOf("f32"), ElementKind::F32);
  EXPECT_EQ(kindOf("i32"), ElementKind::I32);
  EXPECT_EQ(kindOf("ui8"), ElementKind::UI8);
  EXPECT_EQ(kindOf("si8"), ElementKind::SI8);
  EXPECT_EQ(kindOf("!quant.uniform<u8:f32, 0.5:3>"), ElementKind::UI8);
  EXPECT_EQ(kindOf("!quant.uniform<i8:f32:0, {0.5}>"), ElementKind::SI8);
  EXPECT_FALSE(kindOf("!quant.uniform<i16:f32, 0.5>"));
  EXPECT_FALSE(kindOf("f64"));
  EXPECT_FALSE(kindOf("i8"));
  EXPECT_FALSE(kindOf("ui32"));
}

} // namespace

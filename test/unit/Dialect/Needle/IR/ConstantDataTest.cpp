//===- ConstantDataTest.cpp - Reading the numbers of constants ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace needle;

namespace {

class ConstantDataTest : public testing::Test {
protected:
  ConstantDataTest() : builder(&context) {}

  RankedTensorType getType(int64_t numElements) {
    return RankedTensorType::get({numElements}, builder.getF32Type());
  }

  /// A resource that holds `values` so many bytes beyond an aligned address, in
  /// memory of this test.
  Attribute makeResource(ArrayRef<float> values, size_t misalignment) {
    memory.resize(values.size() + 1);
    char *begin = reinterpret_cast<char *>(memory.data()) + misalignment;
    std::memcpy(begin, values.data(), values.size() * sizeof(float));
    return DenseResourceElementsAttr::get(
        getType(values.size()), "values",
        UnmanagedAsmResourceBlob::allocateWithAlign(
            ArrayRef(begin, values.size() * sizeof(float)), /*align=*/1));
  }

  /// All elements, read one by one and as a whole; the latter at an address
  /// that floats may lie at.
  std::vector<float> read(Attribute attr, int64_t numElements) {
    auto data = ConstantData<float>::get(attr, numElements);
    EXPECT_TRUE(data);
    if (!data)
      return {};
    std::vector<float> storage;
    ArrayRef<float> values = data->getValues(storage);
    EXPECT_TRUE(llvm::isAddrAligned(llvm::Align::Of<float>(), values.data()));
    EXPECT_EQ(values.size(), size_t(numElements));
    for (auto [i, value] : llvm::enumerate(values))
      EXPECT_EQ((*data)[i], value);
    return values.vec();
  }

  MLIRContext context;
  Builder builder;
  std::vector<float> memory;
};

const std::vector<float> numbers = {1.5f, -2.0f, 3.25f};

TEST_F(ConstantDataTest, ReadsDenseValuesInPlace) {
  auto attr = DenseElementsAttr::get(getType(3), ArrayRef(numbers));
  EXPECT_EQ(read(attr, 3), numbers);
  std::vector<float> storage;
  auto values = ConstantData<float>::get(attr, 3)->getValues(storage);
  EXPECT_EQ(static_cast<const void *>(values.data()), attr.getRawData().data());
}

TEST_F(ConstantDataTest, RepeatsSplats) {
  auto attr = DenseElementsAttr::get(getType(3), 7.0f);
  EXPECT_EQ(read(attr, 3), std::vector<float>(3, 7.0f));
  EXPECT_EQ(read(DenseElementsAttr::get(getType(0), 7.0f), 0),
            std::vector<float>());
}

TEST_F(ConstantDataTest, ReadsResourcesOfAnyAlignment) {
  for (size_t misalignment : {0, 1, 2, 3}) {
    SCOPED_TRACE(misalignment);
    EXPECT_EQ(read(makeResource(numbers, misalignment), 3), numbers);
  }
}

TEST_F(ConstantDataTest, RefusesOtherSizesAndKinds) {
  auto attr = DenseElementsAttr::get(getType(3), ArrayRef(numbers));
  EXPECT_FALSE(ConstantData<float>::get(attr, 2));
  EXPECT_FALSE(ConstantData<int8_t>::get(attr, 3));
  EXPECT_FALSE(ConstantData<float>::get(makeResource(numbers, 0), 4));
  EXPECT_FALSE(ConstantData<float>::get(builder.getUnitAttr(), 1));
  EXPECT_FALSE(ConstantData<float>::get(Attribute(), 0));
}

} // namespace

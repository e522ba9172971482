//===- QuantizeConstantTest.cpp - Tests of quantized resources ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights whose memory belongs to somebody else.
//
//===----------------------------------------------------------------------===//

#include "TransformsTest.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cstring>
#include <vector>

using namespace needle;
using namespace needle::test;
using namespace mlir;

namespace {

class QuantizeConstant : public TransformsTest {};

// A slice of a file or of another array need not be aligned to a float.
TEST_F(QuantizeConstant, UnalignedResource) {
  const std::vector<float> weights{63.5f, -0.75f, 1.25f};
  std::vector<char> memory(weights.size() * sizeof(float) + 1);
  std::memcpy(memory.data() + 1, weights.data(),
              weights.size() * sizeof(float));
  OwningOpRef<ModuleOp> module = parse(R"mlir(
    func.func @main(%x: tensor<1x3xf32>) -> tensor<1x1xf32> {
      %o = needle.observe %x {id = 0 : i64, min = 0.0 : f64, max = 1.0 : f64}
        : tensor<1x3xf32> -> tensor<1x3xf32>
      %w = needle.constant dense<0.0> : tensor<3x1xf32> -> tensor<3x1xf32>
      %y = needle.matmul %o, %w : tensor<1x3xf32>, tensor<3x1xf32> -> tensor<1x1xf32>
      return %y : tensor<1x1xf32>
    }
  )mlir");
  module->walk([&](ConstantOp constant) {
    DenseResourceElementsAttr value = DenseF32ResourceElementsAttr::get(
        cast<ShapedType>(constant.getType()), "w",
        UnmanagedAsmResourceBlob::allocateWithAlign(
            llvm::ArrayRef<char>(memory).drop_front(), /*align=*/1));
    constant.setValueAttr(value);
  });
  OwningOpRef<ModuleOp> quantized = transform(
      *module, [](OpPassManager &pm) { pm.addPass(createQuantizePass()); });

  std::vector<int8_t> integers;
  quantized->walk([&](ConstantOp constant) {
    auto value = dyn_cast<DenseI8ResourceElementsAttr>(constant.getValue());
    ASSERT_TRUE(value);
    integers = value.tryGetAsArrayRef()->vec();
  });
  // Scale 0.5; ties to even.
  EXPECT_EQ(integers, (std::vector<int8_t>{127, -2, 2}));
}

} // namespace

//===- QuantizationReportTest.cpp - Tests of the quantization report ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is reported of which operation, and where it stands. The precisions are
// tested through the pass that prints the report.
//
//===----------------------------------------------------------------------===//

#include "needle/Dialect/Needle/Transforms/QuantizationReport.h"
#include "TransformsTest.h"

using namespace needle;
using namespace needle::test;
using namespace mlir;

namespace {

class QuantizationReport : public TransformsTest {};

TEST_F(QuantizationReport, NamesPlacesAndReasons) {
  OwningOpRef<ModuleOp> module = parse(R"mlir(
    func.func @main(%x: tensor<1x2xf32>, %w: tensor<2x1xf32>) -> tensor<1x1xf32> {
      %y = needle.matmul %x, %w {needle.not_quantized = "because"}
        : tensor<1x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32> loc("fc1"("model.py":3:5))
      %z = needle.neg %y : tensor<1x1xf32> -> tensor<1x1xf32> loc("model.py":4:5)
      return %z : tensor<1x1xf32>
    }
  )mlir");
  std::vector<OpQuantizationReport> report = collectQuantizationReport(*module);
  ASSERT_EQ(report.size(), 2u);
  EXPECT_EQ(report[0].name, "fc1");
  EXPECT_EQ(report[0].op, "needle.matmul");
  EXPECT_EQ(report[0].precision, "f32");
  EXPECT_EQ(report[0].reason, "not quantized: because");
  EXPECT_EQ(report[1].name, "");
  EXPECT_EQ(report[1].reason, "");
  auto place = dyn_cast<FileLineColLoc>(report[1].location);
  ASSERT_TRUE(place);
  EXPECT_EQ(place.getLine(), 4u);
}

TEST_F(QuantizationReport, EmptyModule) {
  OwningOpRef<ModuleOp> module = parse("module {}");
  EXPECT_TRUE(collectQuantizationReport(*module).empty());
}

} // namespace

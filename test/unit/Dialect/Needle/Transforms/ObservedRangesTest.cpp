//===- ObservedRangesTest.cpp - Tests of setObservedRanges ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which ranges reach which observes, and what is refused without a change.
//
//===----------------------------------------------------------------------===//

#include "TransformsTest.h"
#include <limits>

using namespace needle;
using namespace needle::test;
using namespace mlir;

namespace {

class ObservedRanges : public TransformsTest {
protected:
  /// Observes 0 and 3, and the latter has a range.
  ObservedRanges() {
    module = parse(R"mlir(
      func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
        %a = needle.observe %x {id = 0 : i64} : tensor<4xf32> -> tensor<4xf32>
        %b = needle.observe %a {id = 3 : i64, min = 1.0 : f64, max = 2.0 : f64}
          : tensor<4xf32> -> tensor<4xf32>
        return %b : tensor<4xf32>
      }
    )mlir");
  }

  std::string text() {
    std::string result;
    llvm::raw_string_ostream(result) << *module;
    return result;
  }

  /// "id:[min, max]" of every observe that has a range.
  std::string ranges() {
    std::string result;
    llvm::raw_string_ostream os(result);
    module->walk([&](ObserveOp observe) {
      if (observe.getMin() && observe.getMax())
        os << observe.getId() << ":[" << observe.getMin()->convertToDouble()
           << ", " << observe.getMax()->convertToDouble() << "] ";
    });
    return result;
  }

  void expectRefused(llvm::ArrayRef<ObservedRange> given,
                     llvm::StringRef message) {
    std::string before = text();
    EXPECT_TRUE(failed(setObservedRanges(*module, given)));
    EXPECT_TRUE(llvm::StringRef(errors).contains(message)) << errors;
    EXPECT_EQ(text(), before);
  }

  OwningOpRef<ModuleOp> module;
};

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST_F(ObservedRanges, SetsAndReplaces) {
  EXPECT_TRUE(
      succeeded(setObservedRanges(*module, {{3, -1.5, 6.0}, {0, 0.0, 0.0}})));
  EXPECT_EQ(ranges(), "0:[0.000000e+00, 0.000000e+00] "
                      "3:[-1.500000e+00, 6.000000e+00] ");
  EXPECT_TRUE(succeeded(verify(*module)));
  EXPECT_EQ(errors, "");
}

TEST_F(ObservedRanges, LeavesOthersAlone) {
  EXPECT_TRUE(succeeded(setObservedRanges(*module, {{0, -1.0, 1.0}})));
  EXPECT_EQ(ranges(), "0:[-1.000000e+00, 1.000000e+00] "
                      "3:[1.000000e+00, 2.000000e+00] ");
  EXPECT_TRUE(succeeded(setObservedRanges(*module, {})));
  EXPECT_EQ(ranges(), "0:[-1.000000e+00, 1.000000e+00] "
                      "3:[1.000000e+00, 2.000000e+00] ");
}

TEST_F(ObservedRanges, TakesInfiniteBounds) {
  EXPECT_TRUE(succeeded(setObservedRanges(*module, {{0, -kInf, kInf}})));
  EXPECT_TRUE(succeeded(verify(*module))) << errors;
}

TEST_F(ObservedRanges, RefusesNaN) {
  expectRefused({{3, 0.0, 1.0}, {0, kNaN, 1.0}},
                "the range of observe 0 is [nan, 1.000000e+00]: no value was "
                "observed");
  expectRefused({{0, 0.0, kNaN}}, "no value was observed");
}

TEST_F(ObservedRanges, RefusesInvertedRange) {
  expectRefused({{3, 0.0, 1.0}, {0, kInf, -kInf}}, "no value was observed");
}

TEST_F(ObservedRanges, RefusesUnknownId) {
  expectRefused({{3, 0.0, 1.0}, {7, 0.0, 1.0}},
                "a range is given for observe 7, but the module has no observe "
                "with this id");
}

TEST_F(ObservedRanges, RefusesTwoRangesForOneId) {
  expectRefused({{3, 0.0, 1.0}, {3, 0.0, 2.0}},
                "two ranges are given for observe 3");
}

TEST_F(ObservedRanges, RefusesAmbiguousId) {
  module->walk([](ObserveOp observe) { observe.setId(3); });
  expectRefused({{3, 0.0, 1.0}},
                "a range is given for observe 3, but 2 observes have this id");
}

} // namespace

//===- ObserverTest.cpp - Tests of the range observers --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an observer learns does not depend on how its values are cut up.
//
//===----------------------------------------------------------------------===//

#include "needle/Quantization/Observer.h"
#include "gtest/gtest.h"
#include <cfloat>
#include <limits>
#include <random>
#include <vector>

using namespace needle;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST(MinMaxObserver, NothingSeen) {
  MinMaxObserver observer;
  EXPECT_FALSE(observer.getRange());
  observer.observe({});
  observer.observe({kNaN});
  EXPECT_FALSE(observer.getRange());
}

TEST(MinMaxObserver, IsNotWidened) {
  MinMaxObserver observer;
  observer.observe({3, 5});
  EXPECT_EQ(observer.getRange(), (RealRange{3, 5}));
  observer.observe({kNaN, 4});
  EXPECT_EQ(observer.getRange(), (RealRange{3, 5}));
  observer.observe({-1});
  EXPECT_EQ(observer.getRange(), (RealRange{-1, 5}));
}

TEST(MinMaxObserver, InfinitiesCountAsTheLargestFinite) {
  MinMaxObserver up, down, both;
  up.observe({kInf});
  down.observe({-kInf, 2});
  both.observe({-kInf, kInf});
  EXPECT_EQ(up.getRange(), (RealRange{FLT_MAX, FLT_MAX}));
  EXPECT_EQ(down.getRange(), (RealRange{-FLT_MAX, 2}));
  EXPECT_EQ(both.getRange(), (RealRange{-FLT_MAX, FLT_MAX}));
}

TEST(MinMaxObserver, MergesInAnyOrder) {
  constexpr uint32_t seed = 7;
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(1000);
  for (float &value : values)
    value = normal(generator);
  MinMaxObserver whole, first, second, nothing;
  whole.observe(values);
  llvm::ArrayRef<float> all(values);
  first.observe(all.take_front(300));
  second.observe(all.drop_front(300));
  ASSERT_TRUE(succeeded(second.merge(nothing)));
  ASSERT_TRUE(succeeded(second.merge(first)));
  EXPECT_EQ(second.getRange(), whole.getRange()) << "seed " << seed;
  ASSERT_TRUE(succeeded(nothing.merge(second)));
  EXPECT_EQ(nothing.getRange(), whole.getRange()) << "seed " << seed;
}

/// Another method, as far as merging can see.
class OtherObserver final : public RangeObserver {
public:
  llvm::StringRef getMethod() const override { return "other"; }
  void observe(llvm::ArrayRef<float>) override {}
  llvm::LogicalResult merge(const RangeObserver &) override {
    return llvm::failure();
  }
  std::optional<RealRange> getRange() const override {
    return RealRange{-9, 9};
  }
};

TEST(MinMaxObserver, DoesNotMergeAnotherMethod) {
  MinMaxObserver observer;
  observer.observe({1});
  EXPECT_TRUE(failed(observer.merge(OtherObserver())));
  EXPECT_EQ(observer.getRange(), (RealRange{1, 1}));
}

TEST(CreateObserver, ByName) {
  std::string error;
  std::unique_ptr<RangeObserver> observer = createObserver("min-max", error);
  ASSERT_TRUE(observer);
  EXPECT_EQ(observer->getMethod(), "min-max");
  EXPECT_FALSE(createObserver("entropyy", error));
  EXPECT_EQ(error, "unknown calibration method 'entropyy'; the methods are: "
                   "min-max");
}

} // namespace

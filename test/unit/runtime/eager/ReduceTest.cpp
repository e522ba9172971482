// Reductions against plain loops.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/reduce.h"
#include "EagerTest.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

namespace ndl::test {
namespace {

using eager::allAxes;
using eager::ReduceKernel;
using eager::View;

class Reduce : public EagerTest {
protected:
  View reduced(ReduceKernel kernel, const View &x, uint32_t axes,
               bool keepDims = false) {
    View result;
    Status status = reduce(library, kernel, x, axes, keepDims, result);
    EXPECT_TRUE(status.ok()) << status.message();
    return result;
  }

  /// The reduction of `x` in f64, in the shape with reduced extents 1.
  static std::vector<double> expected(const View &x, uint32_t axes,
                                      double identity,
                                      double (*combine)(double, double)) {
    Shape shape = shapeOf(x);
    for (size_t d = 0; d < shape.size(); ++d)
      if (axes >> d & 1)
        shape[d] = 1;
    std::vector<double> result(sizeOf(shape), identity);
    forEachIndex(shapeOf(x), [&](const Shape &index) {
      int64_t place = 0;
      for (size_t d = 0; d < shape.size(); ++d)
        place = place * shape[d] + (shape[d] == 1 ? 0 : index[d]);
      result[place] = combine(result[place], at(x, index));
    });
    return result;
  }

  /// Small integers: every intermediate result is exact.
  void check(const View &x, uint32_t axes) {
    auto compare = [&](ReduceKernel kernel, double identity,
                       double (*combine)(double, double)) {
      std::vector<double> wanted = expected(x, axes, identity, combine);
      std::vector<float> got = elements(reduced(kernel, x, axes));
      ASSERT_EQ(got.size(), wanted.size());
      for (size_t i = 0; i < got.size(); ++i)
        ASSERT_EQ(got[i], wanted[i])
            << nameOf(kernel) << " of " << testing::PrintToString(shapeOf(x))
            << " over " << axes << " at " << i;
    };
    compare(ReduceKernel::ReduceSum, 0,
            [](double a, double b) { return a + b; });
    if (x.size() == 0)
      return;
    compare(ReduceKernel::ReduceMax, -INFINITY,
            [](double a, double b) { return std::max(a, b); });
    compare(ReduceKernel::ReduceMin, INFINITY,
            [](double a, double b) { return std::min(a, b); });
  }
};

TEST_P(Reduce, RandomViewsOverRandomAxes) {
  for (int round = 0; round < 400; ++round) {
    View x = randomView(random, randomShape(random, 7, 9));
    check(x, static_cast<uint32_t>(random()));
    check(x, allAxes);
    if (HasFailure())
      return;
  }
}

TEST_P(Reduce, KnownShapes) {
  struct Case {
    Shape shape;
    uint32_t axes;
  };
  // Rows, columns, in blocks with a rest, few and many results.
  const Case cases[] = {{{7, 1000}, 2},
                        {{1000, 7}, 1},
                        {{1000, 37}, 1},
                        {{300000}, 1},
                        {{3, 200003}, 2},
                        {{100001, 5}, 1},
                        {{100001, 5}, 2},
                        {{1000, 300}, 1},
                        {{100, 3, 1000}, 5},
                        {{100, 3, 1000}, 2},
                        {{11, 13, 17, 19}, 10},
                        {{11, 13, 17, 19}, 5},
                        {{2, 3, 2, 3, 2, 3}, 0x2a},
                        {{1, 1}, 1}};
  for (const Case &c : cases) {
    SCOPED_TRACE(testing::PrintToString(c.shape));
    check(makeIntegers(random, c.shape), c.axes);
    // Not broadcast: sums of equal numbers would not be exact.
    check(randomView(random, c.shape, NDL_DTYPE_F32, true), c.axes);
  }
}

TEST_P(Reduce, KeepsDimensions) {
  View x = makeIntegers(random, {2, 3, 4});
  View kept = reduced(ReduceKernel::ReduceSum, x, 2, true);
  EXPECT_EQ(shapeOf(kept), (Shape{2, 1, 4}));
  EXPECT_TRUE(kept.isCompact());
  EXPECT_EQ(elements(kept), elements(reduced(ReduceKernel::ReduceSum, x, 2)));
  EXPECT_EQ(shapeOf(reduced(ReduceKernel::ReduceSum, x, allAxes)), Shape());
  EXPECT_EQ(shapeOf(reduced(ReduceKernel::ReduceSum, x, allAxes, true)),
            (Shape{1, 1, 1}));
}

TEST_P(Reduce, NothingIsReducedWithoutAxes) {
  View x = makeIntegers(random, {2, 3});
  at(x, {0, 0}) = -0.0f;
  View same = reduced(ReduceKernel::ReduceSum, x, 0);
  EXPECT_EQ(elements(same), elements(x));
  EXPECT_TRUE(std::signbit(at(same, {0, 0})));
  EXPECT_NE(same.data(), x.data());
  EXPECT_EQ(
      shapeOf(reduced(ReduceKernel::ReduceMax, makeCounting({}), allAxes)),
      Shape());
}

TEST_P(Reduce, OfNothing) {
  View x = makeCounting({3, 0}), result;
  EXPECT_EQ(elements(reduced(ReduceKernel::ReduceSum, x, 2)),
            (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(elements(reduced(ReduceKernel::ReduceSum, x, allAxes)),
            std::vector<float>{0});
  EXPECT_EQ(reduced(ReduceKernel::ReduceMax, x, 1).size(), 0);
  expectError(reduce(library, ReduceKernel::ReduceMax, x, 2, false, result),
              NDL_INVALID_ARGUMENT, "reduce_max of no elements has no value");
  expectError(
      reduce(library, ReduceKernel::ReduceMin, x, allAxes, false, result),
      NDL_INVALID_ARGUMENT, "reduce_min of no elements has no value");
}

TEST_P(Reduce, RefusesOtherTypes) {
  View result;
  expectError(reduce(library, ReduceKernel::ReduceSum,
                     makeCounting({3}, NDL_DTYPE_U8), 1, false, result),
              NDL_INVALID_ARGUMENT, "reduce_sum takes f32 arrays, not u8");
  eager::KernelLibrary empty(nullptr);
  expectError(reduce(empty, ReduceKernel::ReduceSum, makeCounting({3}), 1,
                     false, result),
              NDL_NOT_FOUND, "'reduce_sum'");
}

TEST_P(Reduce, NanIsTheMaximum) {
  for (int64_t place : {0, 5, 39}) {
    View x = makeIntegers(random, {40});
    at(x, {place}) = NAN;
    EXPECT_TRUE(std::isnan(at(reduced(ReduceKernel::ReduceMax, x, 1), {})));
    EXPECT_TRUE(std::isnan(at(reduced(ReduceKernel::ReduceMin, x, 1), {})));
    EXPECT_TRUE(std::isnan(at(reduced(ReduceKernel::ReduceSum, x, 1), {})));
  }
}

TEST_P(Reduce, RangesIgnoreNanAndBoundInfinity) {
  for (int64_t size : {1, 3, 40, 300000}) {
    View x = makeIntegers(random, {size});
    at(x, {0}) = NAN;
    at(x, {size / 2}) = INFINITY;
    EXPECT_EQ(at(reduced(ReduceKernel::RangeMax, x, 1), {}), FLT_MAX);
    at(x, {size / 2}) = -INFINITY;
    EXPECT_EQ(at(reduced(ReduceKernel::RangeMin, x, 1), {}), -FLT_MAX);
    EXPECT_EQ(at(reduced(ReduceKernel::RangeMin, x, 0), {size / 2}), -FLT_MAX);
  }
}

TEST_P(Reduce, LongSumsStayAccurate) {
  // At most 512 additions in f32 follow each other within a block, after which
  // blocks are added in f64 and rounded; twice, where a large sum is cut into
  // pieces. Each addition and rounding errs by u = 2^-24 of at most Σ|x|.
  constexpr double bound = 2 * (512 + 1) * 0x1p-24;
  std::uniform_real_distribution<float> distribution(0, 1);
  constexpr int64_t length = 1000001;
  for (const Shape &shape : std::vector<Shape>{{length, 2}, {2, length}}) {
    View x =
        makeArray(shape, NDL_DTYPE_F32, [&] { return distribution(random); });
    const auto *values = reinterpret_cast<const float *>(x.data());
    bool longRows = shape[1] == length;
    double sums[2] = {};
    for (int64_t i = 0; i < 2 * length; ++i)
      sums[longRows ? i / length : i % 2] += values[i];
    View each = reduced(ReduceKernel::ReduceSum, x, longRows ? 2 : 1);
    View all = reduced(ReduceKernel::ReduceSum, x, allAxes);
    for (int64_t i = 0; i < 2; ++i)
      EXPECT_NEAR(at(each, {i}), sums[i], bound * sums[i]);
    EXPECT_NEAR(at(all, {}), sums[0] + sums[1], bound * (sums[0] + sums[1]));
  }
}

TEST_P(Reduce, SumsDoNotDependOnThreads) {
  std::uniform_real_distribution<float> distribution(-1, 1);
  for (const Shape &shape : std::vector<Shape>{
           {1000003}, {300, 1000}, {1000, 300}, {200000, 3}, {3, 200000}}) {
    View x =
        makeArray(shape, NDL_DTYPE_F32, [&] { return distribution(random); });
    for (uint32_t axes : {1u, 2u, 3u}) {
      std::vector<float> first =
          elements(reduced(ReduceKernel::ReduceSum, x, axes));
      for (int32_t threads : {1, 2, 4}) {
        RuntimePtr other = makeRuntime(threads);
        std::unique_ptr<eager::KernelLibrary> copy =
            makeLibrary({GetParam().kernels, threads}, other.get());
        View result;
        ASSERT_OK(
            reduce(*copy, ReduceKernel::ReduceSum, x, axes, false, result));
        EXPECT_EQ(elements(result), first) << threads;
      }
    }
  }
}

NEEDLE_INSTANTIATE_EAGER_TEST(Reduce);

} // namespace
} // namespace ndl::test

// Matrix products against plain loops.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/matmul.h"
#include "EagerTest.h"

#include <cmath>

namespace ndl::test {
namespace {

using eager::ContractionKernel;
using eager::QuantParams;
using eager::View;

class Matmul : public EagerTest {
protected:
  /// Σ (a - za)(b - zb) for one element of the product.
  template <typename T>
  static double dot(const View &a, const View &b, const Shape &index,
                    double za = 0, double zb = 0) {
    Shape left = index, right = index;
    double sum = 0;
    for (int64_t k = 0; k < a.shape[a.rank - 1]; ++k) {
      left[left.size() - 1] = k;
      right[right.size() - 2] = k;
      sum += (at<T>(a, left) - za) * (at<T>(b, right) - zb);
    }
    return sum;
  }

  /// Random batch shapes that broadcast, and matrices of these extents.
  void randomOperands(int64_t m, int64_t k, int64_t n, NdlDType dtype, View &a,
                      View &b) {
    Shape batch = randomShape(random, 3, 4, 12);
    Shape shapeA = randomBroadcastable(random, batch);
    Shape shapeB = random() % 2 ? batch : randomBroadcastable(random, batch);
    if (random() % 2)
      std::swap(shapeA, shapeB);
    shapeA.insert(shapeA.end(), {m, k});
    shapeB.insert(shapeB.end(), {k, n});
    a = randomView(random, shapeA, dtype);
    b = randomView(random, shapeB, dtype);
  }

  int64_t extent(int64_t most) {
    return std::uniform_int_distribution<int64_t>(random() % 12 == 0 ? 0 : 1,
                                                  most)(random);
  }
};

TEST_P(Matmul, RandomViewsAndBatches) {
  for (int round = 0; round < 300; ++round) {
    View a, b, result;
    randomOperands(extent(20), extent(20), extent(40), NDL_DTYPE_F32, a, b);
    ASSERT_OK(matmul(library, a, b, result));
    EXPECT_TRUE(result.isCompact());
    // Integers up to 20 · 100 · 100: exact in any order.
    forEachIndex(shapeOf(result), [&](const Shape &index) {
      ASSERT_EQ(at(result, index), dot<float>(a, b, index))
          << testing::PrintToString(shapeOf(a))
          << testing::PrintToString(shapeOf(b));
    });
    if (HasFailure())
      return;
  }
}

TEST_P(Matmul, LargeProducts) {
  struct Case {
    Shape a, b;
  };
  // Shared by threads, batches shared by threads, one row, one column, one
  // right-hand side for all.
  const Case cases[] = {{{131, 97}, {97, 141}},      {{1, 500}, {500, 2100}},
                        {{2100, 500}, {500, 1}},     {{9, 40, 50}, {9, 50, 60}},
                        {{2, 110, 70}, {2, 70, 90}}, {{50, 30, 40}, {40, 20}},
                        {{40, 30}, {20, 30, 50}},    {{20, 1, 60}, {60, 100}}};
  for (const Case &c : cases) {
    View a = makeIntegers(random, c.a), b = makeIntegers(random, c.b), result;
    ASSERT_OK(matmul(library, a, b, result));
    forEachIndex(shapeOf(result), [&](const Shape &index) {
      ASSERT_EQ(at(result, index), dot<float>(a, b, index))
          << testing::PrintToString(c.a) << testing::PrintToString(c.b);
    });
  }
}

TEST_P(Matmul, UnitScaleDataIsAccurate) {
  std::normal_distribution<float> normal;
  View a = makeArray({64, 784}, NDL_DTYPE_F32, [&] { return normal(random); });
  View b = makeArray({784, 33}, NDL_DTYPE_F32, [&] { return normal(random); });
  View result;
  ASSERT_OK(matmul(library, a, b, result));
  forEachIndex(shapeOf(result), [&](const Shape &index) {
    // A sum of K products errs by at most K·u/(1 - K·u) of Σ|a·b|.
    double magnitude = 0;
    for (int64_t k = 0; k < 784; ++k)
      magnitude +=
          std::fabs(double(at(a, {index[0], k})) * at(b, {k, index[1]}));
    ASSERT_NEAR(at(result, index), dot<float>(a, b, index),
                784 * 0x1p-24 / (1 - 784 * 0x1p-24) * magnitude);
  });
}

/// Packings and products launched by a call.
struct Launches {
  explicit Launches(const eager::ContractionSlot &slot)
      : slot(slot), packs(slot.pack.launches), runs(slot.run.launches),
        directs(slot.direct.launches) {}
  int64_t direct() const { return slot.direct.launches - directs; }
  int64_t packed() const { return slot.pack.launches - packs; }
  int64_t ran() const { return slot.run.launches - runs; }

  const eager::ContractionSlot &slot;
  int64_t packs, runs, directs;
};

TEST_P(Matmul, FewRowsReadTheRightHandSideWhereItLies) {
  if (!library[ContractionKernel::MatmulF32].direct.task)
    GTEST_SKIP() << "the kernels written in C++ always pack";
  View weights = makeIntegers(random, {30, 20}), result;
  for (int64_t rows : {1, 12, 13}) {
    Launches launches(library[ContractionKernel::MatmulF32]);
    ASSERT_OK(
        matmul(library, makeIntegers(random, {rows, 30}), weights, result));
    EXPECT_EQ(launches.direct(), rows <= 12);
    EXPECT_EQ(launches.packed(), rows > 12);
  }
  // Each right-hand side is read once.
  Launches launches(library[ContractionKernel::MatmulF32]);
  ASSERT_OK(matmul(library, makeIntegers(random, {5, 2, 30}),
                   makeIntegers(random, {5, 30, 20}), result));
  EXPECT_EQ(launches.direct(), 5);
  EXPECT_EQ(launches.packed(), 0);
}

TEST_P(Matmul, OneRightHandSideIsPackedOnce) {
  View weights = makeIntegers(random, {30, 20}), result;
  {
    // The rows of all batches follow each other: one product.
    Launches launches(library[ContractionKernel::MatmulF32]);
    ASSERT_OK(
        matmul(library, makeIntegers(random, {4, 5, 6, 30}), weights, result));
    EXPECT_EQ(launches.packed(), 1);
    EXPECT_EQ(launches.ran(), 1);
  }
  {
    View x = makeIntegers(random, {5, 30, 6}), transposed;
    int32_t axes[] = {0, 2, 1};
    ASSERT_OK(eager::permuteView(x, axes, transposed));
    Launches launches(library[ContractionKernel::MatmulF32]);
    ASSERT_OK(matmul(library, transposed, weights, result));
    EXPECT_EQ(launches.packed(), 1);
    EXPECT_EQ(launches.ran(), 5);
  }
}

TEST_P(Matmul, TransposedOperandsAreNotCopied) {
  View x = makeIntegers(random, {20, 30}), transposed, result;
  int32_t axes[] = {1, 0};
  ASSERT_OK(eager::permuteView(x, axes, transposed));
  int64_t copies = library[eager::MapKernel::Copy].launches;
  ASSERT_OK(matmul(library, transposed, x, result));
  ASSERT_OK(matmul(library, x, transposed, result));
  EXPECT_EQ(library[eager::MapKernel::Copy].launches, copies);
  forEachIndex(shapeOf(result), [&](const Shape &index) {
    ASSERT_EQ(at(result, index), dot<float>(x, transposed, index));
  });
}

TEST_P(Matmul, WithoutDepthIsZero) {
  View result;
  ASSERT_OK(
      matmul(library, makeCounting({3, 0}), makeCounting({0, 4}), result));
  EXPECT_EQ(elements(result), std::vector<float>(12, 0));
  ASSERT_OK(
      matmul(library, makeCounting({0, 3}), makeCounting({3, 4}), result));
  EXPECT_EQ(shapeOf(result), (Shape{0, 4}));
  ASSERT_OK(matmul(library, makeCounting({2, 0, 5, 3}), makeCounting({3, 4}),
                   result));
  EXPECT_EQ(shapeOf(result), (Shape{2, 0, 5, 4}));
}

TEST_P(Matmul, AddsABias) {
  View a = makeCounting({2, 3, 4}), b = makeCounting({4, 5}), result;
  View bias = makeCounting({5});
  ASSERT_OK(matmul(library, a, b, result, &bias));
  forEachIndex(shapeOf(result), [&](const Shape &index) {
    float sum = dot<float>(a, b, index);
    ASSERT_EQ(at(result, index), sum + at(bias, {index[2]}));
  });
  View wrong = makeCounting({1, 5});
  expectError(matmul(library, a, b, result, &wrong), NDL_INVALID_ARGUMENT,
              "the bias of a product with 5 columns must be as many f32, not "
              "f32 of shape (1, 5)");
}

TEST_P(Matmul, RefusesWhatDoesNotFit) {
  View result;
  auto expect = [&](const Shape &a, const Shape &b, const char *message) {
    expectError(matmul(library, makeCounting(a), makeCounting(b), result),
                NDL_INVALID_ARGUMENT, message);
  };
  expect({3, 4}, {5, 6},
         "cannot multiply arrays of shapes (3, 4) and (5, 6): the last");
  expect({4}, {4, 6}, "both need at least two dimensions");
  expect({4, 4}, {}, "both need at least two dimensions");
  expect({2, 3, 4}, {3, 4, 5}, "the leading dimensions do not broadcast");
  expectError(matmul(library, makeCounting({2, 2}, NDL_DTYPE_U8),
                     makeCounting({2, 2}), result),
              NDL_INVALID_ARGUMENT, "takes f32 arrays, not u8");
  // A matrix that does not exist, and whose packed form would not fit.
  View huge;
  Shape shape = {int64_t(1) << 60, 1};
  ASSERT_OK(eager::broadcastView(makeCounting({1, 1}), 2, shape.data(), huge));
  View row;
  Shape rowShape = {1, int64_t(1) << 60};
  ASSERT_OK(
      eager::broadcastView(makeCounting({1, 1}), 2, rowShape.data(), row));
  expectError(matmul(library, row, huge, result), NDL_OUT_OF_MEMORY,
              "no memory");
}

TEST_P(Matmul, QuantizedIsExact) {
  for (int round = 0; round < 200; ++round) {
    View a, b, result;
    int64_t n = extent(40);
    randomOperands(extent(20), extent(50), n, NDL_DTYPE_U8, a, b);
    QuantParams pa{0.013f, int32_t(random() % 256)};
    QuantParams pb{0.21f, int32_t(random() % 256)};
    View bias = randomView(random, {n});
    bool hasBias = round % 2;
    ASSERT_OK(quantizedMatmul(library, a, pa, b, pb, hasBias ? &bias : nullptr,
                              result));
    // N5: the sum rounded to f32, one multiply, one add.
    volatile float scale = pa.scale * pb.scale;
    forEachIndex(shapeOf(result), [&](const Shape &index) {
      volatile float wanted = static_cast<float>(
          dot<uint8_t>(a, b, index, pa.zeroPoint, pb.zeroPoint));
      wanted = wanted * scale;
      if (hasBias)
        wanted = wanted + at(bias, {index.back()});
      ASSERT_EQ(at(result, index), wanted);
    });
    if (HasFailure())
      return;
  }
}

TEST_P(Matmul, QuantizedSumsBeyond32Bits) {
  // 40,000 products of 255 · 255 exceed a 32-bit integer.
  auto all = [](double value) { return [value] { return value; }; };
  View a = makeArray({2, 40000}, NDL_DTYPE_U8, all(255));
  View b = makeArray({40000, 3}, NDL_DTYPE_U8, all(255));
  View result;
  ASSERT_OK(quantizedMatmul(library, a, {1, 0}, b, {1, 0}, nullptr, result));
  EXPECT_EQ(elements(result),
            std::vector<float>(6, static_cast<float>(40000.0 * 255 * 255)));
  ASSERT_OK(quantizedMatmul(library, a, {1, 0}, b, {1, 255}, nullptr, result));
  EXPECT_EQ(elements(result), std::vector<float>(6, 0));
}

TEST_P(Matmul, QuantizedWithoutDepthIsTheBias) {
  View a = makeCounting({2, 0}, NDL_DTYPE_U8);
  View b = makeCounting({0, 3}, NDL_DTYPE_U8), bias = makeCounting({3}), result;
  ASSERT_OK(quantizedMatmul(library, a, {}, b, {}, &bias, result));
  EXPECT_EQ(elements(result), (std::vector<float>{0, 1, 2, 0, 1, 2}));
}

TEST_P(Matmul, QuantizedRefusesWrongParameters) {
  View x = makeCounting({4, 4}, NDL_DTYPE_U8), result;
  auto expect = [&](QuantParams a, QuantParams b, const View *bias,
                    const char *message) {
    expectError(quantizedMatmul(library, x, a, x, b, bias, result),
                NDL_INVALID_ARGUMENT, message);
  };
  expect({0, 0}, {}, nullptr, "a scale must be positive and finite");
  expect({}, {-1, 0}, nullptr, "a scale must be positive and finite");
  expect({NAN, 0}, {}, nullptr, "a scale must be positive and finite");
  expect({INFINITY, 0}, {}, nullptr, "a scale must be positive and finite");
  expect({}, {1, 256}, nullptr, "must be in 0 to 255, not 256");
  expect({1, -1}, {}, nullptr, "must be in 0 to 255, not -1");
  View five = makeCounting({5}), matrix = makeCounting({1, 4});
  View bytes = makeCounting({4}, NDL_DTYPE_U8);
  expect({}, {}, &five, "the bias of a product with 4 columns must be as many");
  expect({}, {}, &matrix, "not f32 of shape (1, 4)");
  expect({}, {}, &bytes, "not u8 of shape (4,)");
}

NEEDLE_INSTANTIATE_EAGER_TEST(Matmul);

} // namespace
} // namespace ndl::test

// Elementwise operations against plain loops.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "../AllocationCount.h"
#include "EagerTest.h"

#include <cmath>

namespace ndl::test {
namespace {

using eager::KernelLibrary;
using eager::MapKernel;
using eager::Scalar;
using eager::View;

class Elementwise : public EagerTest {
protected:
  /// Checks a binary kernel on views against `expected`.
  void check(MapKernel kernel, const View &a, const View &b,
             float (*expected)(float, float)) {
    View result;
    ASSERT_OK(binary(library, kernel, a, b, result));
    EXPECT_TRUE(result.isCompact());
    forEachIndex(shapeOf(result), [&](const Shape &index) {
      float got = at(result, index);
      float wanted = expected(at(a, index), at(b, index));
      // 0 / 0 is not equal to itself.
      ASSERT_TRUE(got == wanted || (std::isnan(got) && std::isnan(wanted)))
          << got << " instead of " << wanted << " at "
          << testing::PrintToString(index);
    });
  }
};

TEST_P(Elementwise, BinaryOnRandomViews) {
  for (int round = 0; round < 300; ++round) {
    Shape shape = randomShape(random, 7, 9);
    View a = randomView(random, randomBroadcastable(random, shape));
    View b = randomView(random, shape);
    if (round % 2)
      std::swap(a, b);
    check(MapKernel::EwiseAdd, a, b, [](float x, float y) { return x + y; });
    check(MapKernel::EwiseSub, a, b, [](float x, float y) { return x - y; });
    check(MapKernel::EwiseMul, a, b, [](float x, float y) { return x * y; });
    check(MapKernel::EwiseDiv, a, b, [](float x, float y) { return x / y; });
    if (HasFailure())
      return;
  }
}

TEST_P(Elementwise, ComparisonsGiveZeroOrOne) {
  View a = makeIntegers(random, {1000}), b = makeIntegers(random, {1000});
  for (int i = 0; i < 200; ++i)
    at(b, {i}) = at(a, {i});
  at(a, {0}) = at(a, {1}) = at(b, {1}) = NAN;
  check(MapKernel::EwiseEq, a, b,
        [](float x, float y) -> float { return x == y; });
  check(MapKernel::EwiseNe, a, b,
        [](float x, float y) -> float { return x != y; });
  check(MapKernel::EwiseGe, a, b,
        [](float x, float y) -> float { return x >= y; });
  check(MapKernel::EwiseGt, a, b,
        [](float x, float y) -> float { return x > y; });
  check(MapKernel::EwiseLe, a, b,
        [](float x, float y) -> float { return x <= y; });
  check(MapKernel::EwiseLt, a, b,
        [](float x, float y) -> float { return x < y; });
}

TEST_P(Elementwise, UnaryAndScalarsOnRandomViews) {
  Scalar three = Scalar::f32(3);
  for (int round = 0; round < 200; ++round) {
    View x = randomView(random, randomShape(random, 6, 9));
    auto check = [&](MapKernel kernel, const Scalar *scalar,
                     float (*expected)(float)) {
      View result;
      ASSERT_OK(unary(library, kernel, x, result, scalar));
      forEachIndex(shapeOf(x), [&](const Shape &index) {
        ASSERT_EQ(at(result, index), expected(at(x, index)))
            << nameOf(kernel) << testing::PrintToString(index);
      });
    };
    check(MapKernel::Negate, nullptr, [](float v) { return -v; });
    check(MapKernel::Relu, nullptr, [](float v) { return v > 0 ? v : 0.0f; });
    check(MapKernel::Abs, nullptr, [](float v) { return std::fabs(v); });
    check(MapKernel::ScalarAdd, &three, [](float v) { return v + 3; });
    check(MapKernel::ScalarRsub, &three, [](float v) { return 3 - v; });
    check(MapKernel::ScalarDiv, &three, [](float v) { return v / 3; });
    check(MapKernel::ScalarGt, &three, [](float v) -> float { return v > 3; });
    check(MapKernel::ScalarMaximum, &three,
          [](float v) { return v > 3 ? v : 3.0f; });
    if (HasFailure())
      return;
  }
}

TEST_P(Elementwise, LargeArraysOfEveryShape) {
  // Each is split among threads along another dimension, with a rest.
  for (const Shape &shape : std::vector<Shape>{{200003},
                                               {70001, 3},
                                               {3, 70001},
                                               {301, 307},
                                               {2, 3, 5, 7, 997},
                                               {1, 100000, 1}}) {
    View a = randomView(random, shape), b = randomView(random, shape);
    check(MapKernel::EwiseAdd, a, b, [](float x, float y) { return x + y; });
    View row = makeIntegers(random, {shape.back()});
    check(MapKernel::EwiseMul, a, row, [](float x, float y) { return x * y; });
  }
}

TEST_P(Elementwise, WritesIntoViews) {
  for (int round = 0; round < 300; ++round) {
    Shape shape = randomShape(random, 6, 9);
    View target = randomView(random, shape, NDL_DTYPE_F32, true);
    View a = randomView(random, shape), b = randomView(random, shape);
    const View *operands[] = {&a, &b};
    ASSERT_OK(mapInto(library, MapKernel::EwiseSub, target, operands, nullptr));
    forEachIndex(shape, [&](const Shape &index) {
      ASSERT_EQ(at(target, index), at(a, index) - at(b, index));
    });
    if (HasFailure())
      return;
  }
}

/// A view of part of `memory`, which has one dimension.
View part(const View &memory, int64_t first, int64_t count, int64_t step) {
  View view;
  Status status = eager::makeView(memory.storage, memory.dtype, 1, &count,
                                  &step, first, view);
  EXPECT_TRUE(status.ok()) << status.message();
  return view;
}

TEST_P(Elementwise, OperandsAreReadBeforeTheResultIsWritten) {
  struct Case {
    int64_t target, targetStep, source, sourceStep;
  };
  for (Case c : {Case{0, 1, 0, 1},
                 {1, 1, 0, 1},
                 {0, 1, 1, 1},
                 {0, 1, 99, -1},
                 {99, -1, 0, 1},
                 {0, 2, 1, 1},
                 {1, 2, 0, 2},
                 {50, 1, 0, 0}}) {
    View memory = makeCounting({200});
    std::vector<float> before = elements(memory);
    View target = part(memory, c.target, 100, c.targetStep);
    View source = part(memory, c.source, 100, c.sourceStep);
    const View *operands[] = {&source, &target};
    ASSERT_OK(mapInto(library, MapKernel::EwiseSub, target, operands, nullptr));
    for (int64_t i = 0; i < 100; ++i)
      ASSERT_EQ(at(target, {i}), before[c.source + i * c.sourceStep] -
                                     before[c.target + i * c.targetStep]);
  }
}

TEST_P(Elementwise, RefusesWhatDoesNotFit) {
  View a = makeCounting({3, 4}), b = makeCounting({3, 5}), result;
  View bytes = makeCounting({3, 4}, NDL_DTYPE_U8);
  expectError(binary(library, MapKernel::EwiseAdd, a, b, result),
              NDL_INVALID_ARGUMENT,
              "ewise_add: shapes (3, 4) and (3, 5) do not broadcast");
  expectError(binary(library, MapKernel::EwiseAdd, a, bytes, result),
              NDL_INVALID_ARGUMENT, "ewise_add takes f32 arrays, not u8");
  EXPECT_FALSE(result.storage);
  const View *operands[] = {&a, &b};
  expectError(mapInto(library, MapKernel::EwiseAdd, a, operands, nullptr),
              NDL_INVALID_ARGUMENT,
              "ewise_add: an operand of shape (3, 5) does not fit the result "
              "of shape (3, 4)");
  expectError(mapInto(library, MapKernel::Negate, bytes, operands, nullptr),
              NDL_INVALID_ARGUMENT,
              "negate gives f32, not an array of type u8");
  View row;
  Shape shape = {3, 4};
  ASSERT_OK(eager::broadcastView(makeCounting({4}), 2, shape.data(), row));
  expectError(mapInto(library, MapKernel::Negate, row, operands, nullptr),
              NDL_INVALID_ARGUMENT, "(it is broadcast)");
  // Nothing is written to an array without elements.
  View empty;
  Shape none = {3, 0, 2};
  ASSERT_OK(eager::broadcastView(makeCounting({0, 1}), 3, none.data(), empty));
  ASSERT_OK(eager::fill(library, empty, eager::Scalar::f32(1)));
  float memory[12] = {};
  View readOnly;
  ASSERT_OK(
      eager::makeView(eager::Storage::adopt(
                          memory, sizeof memory, [](void *) {}, nullptr, false),
                      NDL_DTYPE_F32, 2, shape.data(), nullptr, 0, readOnly));
  expectError(mapInto(library, MapKernel::Negate, readOnly, operands, nullptr),
              NDL_INVALID_ARGUMENT, "is read-only; write to a copy");
  EXPECT_EQ(memory[5], 0);
}

TEST_P(Elementwise, ReportsWhatCannotRun) {
  expectError(library.parallelFor(nullptr, nullptr, 8), NDL_INVALID_ARGUMENT,
              "null task");
}

TEST_P(Elementwise, CountsLaunches) {
  View x = makeCounting({10}), result;
  const eager::KernelSlot &slot = library[MapKernel::EwiseAdd];
  int64_t before = slot.launches;
  ASSERT_OK(binary(library, MapKernel::EwiseAdd, x, x, result));
  EXPECT_EQ(slot.launches, before + 1);
}

TEST_P(Elementwise, AllocatesNothingButResults) {
  View a = makeCounting({5, 7}), b = makeCounting({7}), result;
  ASSERT_OK(binary(library, MapKernel::EwiseAdd, a, b, result));
  int64_t before = allocationCount();
  for (int i = 0; i < 10; ++i)
    ASSERT_OK(binary(library, MapKernel::EwiseAdd, a, b, result));
  EXPECT_EQ(allocationCount(), before);
}

TEST_P(Elementwise, HonoursDenormalNumbers) {
  View x = makeArray({40}, NDL_DTYPE_F32, [] { return 1e-40; }), result;
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(0x1f80 | 0x8040); // flush and ignore them here
#endif
  Status status = binary(library, MapKernel::EwiseAdd, x, x, result);
#if defined(__x86_64__)
  EXPECT_EQ(__builtin_ia32_stmxcsr() & 0x8040u, 0x8040u);
  __builtin_ia32_ldmxcsr(0x1f80);
#endif
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(at(result, {39}), 2 * 1e-40f);
}

NEEDLE_INSTANTIATE_EAGER_TEST(Elementwise);

TEST(KernelLibrary, NamesTheKernelThatItLacks) {
  KernelLibrary empty(nullptr);
  View x = makeCounting({3}), result;
  expectError(unary(empty, MapKernel::Tanh, x, result), NDL_NOT_FOUND,
              "the kernel library has no kernel 'tanh'");
  EXPECT_STREQ(empty.target(), "none");
}

} // namespace
} // namespace ndl::test

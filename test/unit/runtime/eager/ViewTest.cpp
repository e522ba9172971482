// Views: bounds, reshaping, permuting, broadcasting, overlap.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "EagerTest.h"

namespace ndl::test {
namespace {

using eager::maxRank;
using eager::Storage;
using eager::View;

Status make(const View &memory, const Shape &shape, const Shape &strides,
            int64_t offset, View &view) {
  return eager::makeView(memory.storage, memory.dtype,
                         static_cast<int32_t>(shape.size()), shape.data(),
                         strides.data(), offset, view);
}

Status reshape(const View &x, const Shape &shape, View &result,
               bool &possible) {
  return eager::reshapeView(x, static_cast<int32_t>(shape.size()), shape.data(),
                            result, possible);
}

TEST(View, LiesInsideItsStorage) {
  View memory = makeCounting({10});
  struct Case {
    Shape shape, strides;
    int64_t offset;
    bool inside;
  };
  constexpr int64_t huge = INT64_MAX, tiny = INT64_MIN;
  const Case cases[] = {
      {{10}, {1}, 0, true},
      {{11}, {1}, 0, false},
      {{10}, {1}, 1, false},
      {{10}, {-1}, 9, true},
      {{10}, {-1}, 8, false},
      {{10}, {-1}, 10, false},
      {{2, 5}, {5, 1}, 0, true},
      {{2, 5}, {6, 1}, 0, false},
      {{2, 5}, {-5, 1}, 5, true},
      {{2, 5}, {-5, 1}, 4, false},
      {{100, 10}, {0, 1}, 0, true},
      {{1, 10}, {huge, 1}, 0, true},
      {{2, 10}, {huge, 1}, 0, false},
      {{2}, {tiny}, 0, false},
      {{3}, {huge}, 0, false},
      {{3}, {tiny}, 0, false},
      {{2}, {tiny}, huge, false},
      {{}, {}, 9, true},
      {{}, {}, 10, false},
      {{}, {}, -1, false},
      {{}, {}, tiny, false},
      {{0}, {1}, 10, true},
      {{0}, {1}, 11, false},
      {{0}, {1}, -1, false},
      {{5, 0}, {huge, huge}, 0, true},
      {{2, 2}, {-5, 5}, 5, false},
      {{2, 2}, {-5, 4}, 5, true},
  };
  for (const Case &c : cases) {
    View view;
    Status status = make(memory, c.shape, c.strides, c.offset, view);
    EXPECT_EQ(status.ok(), c.inside)
        << testing::PrintToString(c.shape) << testing::PrintToString(c.strides)
        << c.offset << status.message();
    if (!c.inside)
      expectError(status, NDL_INVALID_ARGUMENT, "memory of 10 elements");
  }
}

TEST(View, RefusesWrongDescriptions) {
  View memory = makeCounting({10}), view;
  expectError(make(memory, {-1}, {1}, 0, view), NDL_INVALID_ARGUMENT,
              "shape (-1,) has a negative extent");
  expectError(make(memory, {-1, 0}, {1, 1}, 0, view), NDL_INVALID_ARGUMENT,
              "negative extent");
  expectError(make(memory, {INT64_MAX, 2}, {0, 0}, 0, view),
              NDL_INVALID_ARGUMENT, "more elements than memory can hold");
  expectError(
      make(memory, Shape(maxRank + 1, 1), Shape(maxRank + 1, 1), 0, view),
      NDL_INVALID_ARGUMENT, "at most 32 dimensions, not 33");
  int64_t one = 1;
  expectError(
      eager::makeView(memory.storage, NDL_DTYPE_F64, 1, &one, nullptr, 0, view),
      NDL_INVALID_ARGUMENT, "arrays hold f32, u8 or i32, not f64");
  expectError(eager::makeView({}, NDL_DTYPE_F32, 1, &one, nullptr, 0, view),
              NDL_INVALID_ARGUMENT, "needs memory");
  View misaligned;
  eager::StoragePtr odd =
      Storage::adopt(memory.storage->data() + 1, 8, [](void *) {}, nullptr);
  expectError(
      eager::makeView(odd, NDL_DTYPE_F32, 1, &one, nullptr, 0, misaligned),
      NDL_INVALID_ARGUMENT, "not aligned to its elements of type f32");
  EXPECT_FALSE(misaligned.storage);
}

TEST(View, AllocatesContiguousArrays) {
  View view;
  Shape shape = {2, 0, 3};
  ASSERT_OK(eager::allocate(NDL_DTYPE_F32, 3, shape.data(), view));
  EXPECT_EQ(view.size(), 0);
  EXPECT_TRUE(view.isCompact());
  shape = {2, 3, 4};
  ASSERT_OK(eager::allocate(NDL_DTYPE_U8, 3, shape.data(), view));
  EXPECT_EQ(Shape(view.strides, view.strides + 3), (Shape{12, 4, 1}));
  EXPECT_EQ(view.storage->bytes(), 24u);
  shape = {int64_t(1) << 60};
  expectError(eager::allocate(NDL_DTYPE_F32, 1, shape.data(), view),
              NDL_OUT_OF_MEMORY, "no memory for an array of shape (11529");
  EXPECT_EQ(view.rank, 3);
}

TEST(View, KnowsWhetherItIsContiguous) {
  View memory = makeCounting({12});
  struct Case {
    Shape shape, strides;
    int64_t offset;
    bool contiguous, compact;
  };
  const Case cases[] = {
      {{12}, {1}, 0, true, true},        {{11}, {1}, 0, true, false},
      {{11}, {1}, 1, true, false},       {{3, 4}, {4, 1}, 0, true, true},
      {{4, 3}, {1, 4}, 0, false, false}, {{3, 1, 4}, {4, 99, 1}, 0, true, true},
      {{1, 12}, {-7, 1}, 0, true, true}, {{12}, {-1}, 11, false, false},
      {{6}, {2}, 0, false, false},       {{5, 0}, {9, 9}, 0, true, false},
      {{}, {}, 0, true, false},          {{3, 4}, {0, 1}, 0, false, false},
  };
  for (const Case &c : cases) {
    View view;
    ASSERT_OK(make(memory, c.shape, c.strides, c.offset, view));
    EXPECT_EQ(view.isContiguous(), c.contiguous)
        << testing::PrintToString(c.shape);
    EXPECT_EQ(view.isCompact(), c.compact) << testing::PrintToString(c.shape);
  }
}

TEST(View, ReshapesWhereStridesAllow) {
  View x = makeCounting({2, 3, 4}), result;
  bool possible = false;
  for (const Shape &shape : std::vector<Shape>{
           {24}, {4, 6}, {1, 2, 1, 12, 1}, {2, 3, 2, 2}, {24, 1, 1}}) {
    ASSERT_OK(reshape(x, shape, result, possible));
    ASSERT_TRUE(possible);
    EXPECT_EQ(shapeOf(result), shape);
    EXPECT_EQ(elements(result), elements(x));
    Shape compact(shape.size());
    eager::rowMajorStrides(result.rank, shape.data(), compact.data());
    EXPECT_EQ(Shape(result.strides, result.strides + result.rank), compact);
  }
  int32_t axes[] = {1, 0, 2};
  View permuted;
  ASSERT_OK(eager::permuteView(x, axes, permuted));
  ASSERT_OK(reshape(permuted, {6, 4}, result, possible));
  EXPECT_FALSE(possible);
  ASSERT_OK(reshape(permuted, {3, 2, 2, 2}, result, possible));
  EXPECT_TRUE(possible);
  EXPECT_EQ(elements(result), elements(permuted));
  expectError(reshape(x, {5, 5}, result, possible), NDL_INVALID_ARGUMENT,
              "cannot reshape an array of shape (2, 3, 4) with 24 elements to "
              "shape (5, 5)");
  for (const Shape &shape :
       std::vector<Shape>{{-1, 24}, {-4, -6}, {0}, {INT64_MAX, 2}})
    expectError(reshape(x, shape, result, possible), NDL_INVALID_ARGUMENT,
                "cannot reshape");
}

TEST(View, ReshapesRandomViews) {
  uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  int done = 0;
  for (int round = 0; round < 3000; ++round) {
    Shape shape = randomShape(random, 4, 4);
    View x = randomView(random, shape), result;
    // Cuts the number of elements into factors.
    Shape target;
    int64_t rest = sizeOf(shape);
    for (int i = 0; i < 4 && rest > 0; ++i) {
      int64_t factor = 1 + static_cast<int64_t>(random() % 4);
      target.push_back(rest % factor == 0 ? factor : 1);
      rest /= target.back();
    }
    target.push_back(rest);
    bool possible = false;
    ASSERT_OK(reshape(x, target, result, possible));
    EXPECT_TRUE(possible || !x.isContiguous());
    if (!possible)
      continue;
    ++done;
    EXPECT_EQ(shapeOf(result), target);
    ASSERT_EQ(elements(result), elements(x));
  }
  EXPECT_GT(done, 500);
}

TEST(View, Permutes) {
  View x = makeCounting({2, 3, 4}), result;
  int32_t axes[] = {2, 0, 1};
  ASSERT_OK(eager::permuteView(x, axes, result));
  EXPECT_EQ(shapeOf(result), (Shape{4, 2, 3}));
  EXPECT_EQ(at(result, {3, 1, 2}), at(x, {1, 2, 3}));
  int32_t twice[] = {0, 1, 0}, outside[] = {0, 1, 3}, negative[] = {0, -1, 2};
  expectError(eager::permuteView(x, twice, result), NDL_INVALID_ARGUMENT,
              "axis 0 appears twice");
  expectError(eager::permuteView(x, outside, result), NDL_INVALID_ARGUMENT,
              "axis 3 is out of range");
  expectError(eager::permuteView(x, negative, result), NDL_INVALID_ARGUMENT,
              "axis -1 is out of range");
}

TEST(View, Broadcasts) {
  View x = makeCounting({3, 1}), result;
  Shape shape = {2, 3, 4};
  ASSERT_OK(eager::broadcastView(x, 3, shape.data(), result));
  EXPECT_EQ(shapeOf(result), shape);
  EXPECT_EQ(at(result, {1, 2, 3}), 2);
  for (const Shape &wrong :
       std::vector<Shape>{{3}, {4, 4}, {3, 4, 4}, {-1, 3, 4}, {3, -1}})
    expectError(eager::broadcastView(x, static_cast<int32_t>(wrong.size()),
                                     wrong.data(), result),
                NDL_INVALID_ARGUMENT,
                "cannot broadcast an array of shape (3, 1) to shape ");
  // Within bounds, but more elements than can be counted.
  constexpr int64_t many = int64_t(1) << 32;
  Shape huge = {many, 3, many}, empty = {many, 3, many, 0};
  expectError(eager::broadcastView(x, 3, huge.data(), result),
              NDL_INVALID_ARGUMENT,
              "(4294967296, 3, 4294967296) has more elements");
  View none = makeCounting({3, 1, 0});
  ASSERT_OK(eager::broadcastView(none, 4, empty.data(), result));
  EXPECT_EQ(result.size(), 0);
  int32_t rank;
  int64_t common[maxRank];
  Shape a = {5, 1, 3}, b = {4, 1}, c = {2};
  ASSERT_OK(eager::broadcastShapes(3, a.data(), 2, b.data(), rank, common));
  EXPECT_EQ(Shape(common, common + rank), (Shape{5, 4, 3}));
  expectError(eager::broadcastShapes(3, a.data(), 1, c.data(), rank, common),
              NDL_INVALID_ARGUMENT,
              "shapes (5, 1, 3) and (2,) do not broadcast");
  Shape zero = {0}, one = {1};
  ASSERT_OK(
      eager::broadcastShapes(1, zero.data(), 1, one.data(), rank, common));
  EXPECT_EQ(common[0], 0);
}

TEST(View, KnowsItsMemory) {
  View memory = makeCounting({10}), low, high, odd, backwards, none;
  ASSERT_OK(make(memory, {5}, {1}, 0, low));
  ASSERT_OK(make(memory, {5}, {1}, 5, high));
  ASSERT_OK(make(memory, {5}, {2}, 1, odd));
  ASSERT_OK(make(memory, {5}, {-1}, 4, backwards));
  ASSERT_OK(make(memory, {0}, {1}, 3, none));
  EXPECT_FALSE(mayOverlap(low, high));
  EXPECT_TRUE(mayOverlap(low, odd));
  EXPECT_TRUE(mayOverlap(low, backwards));
  EXPECT_FALSE(mayOverlap(high, backwards));
  EXPECT_FALSE(mayOverlap(low, none));
  EXPECT_FALSE(mayOverlap(low, makeCounting({5})));
  EXPECT_TRUE(sameElements(low, View(low)));
  EXPECT_FALSE(sameElements(low, high));
  EXPECT_FALSE(sameElements(low, backwards));
}

} // namespace
} // namespace ndl::test

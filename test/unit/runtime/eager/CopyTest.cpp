// Copying and filling arrays.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "EagerTest.h"

#include <cmath>
#include <numeric>

namespace ndl::test {
namespace {

using eager::Scalar;
using eager::View;

class CopyArrays : public EagerTest {
protected:
  template <typename T>
  void checkCompact(NdlDType dtype) {
    for (int round = 0; round < 150; ++round) {
      View x = randomView(random, randomShape(random, 7, 9), dtype), result;
      ASSERT_OK(compact(library, x, result));
      EXPECT_TRUE(result.isCompact());
      ASSERT_EQ(elements<T>(result), elements<T>(x));
    }
  }

  template <typename T>
  void checkCopyInto(NdlDType dtype) {
    for (int round = 0; round < 150; ++round) {
      Shape shape = randomShape(random, 6, 9);
      View target = randomView(random, shape, dtype, true);
      View source =
          randomView(random, randomBroadcastable(random, shape), dtype);
      ASSERT_OK(copyInto(library, target, source));
      forEachIndex(shape, [&](const Shape &index) {
        ASSERT_EQ(at<T>(target, index), at<T>(source, index));
      });
      if (HasFailure())
        return;
    }
  }
};

TEST_P(CopyArrays, CompactsRandomViews) {
  checkCompact<float>(NDL_DTYPE_F32);
  checkCompact<uint8_t>(NDL_DTYPE_U8);
}

TEST_P(CopyArrays, WritesIntoRandomViews) {
  checkCopyInto<float>(NDL_DTYPE_F32);
  checkCopyInto<uint8_t>(NDL_DTYPE_U8);
}

TEST_P(CopyArrays, LeavesTheRestOfTheMemoryAlone) {
  View memory = makeCounting({6, 8}), inner;
  int64_t shape[] = {2, 3}, strides[] = {16, 2};
  ASSERT_OK(eager::makeView(memory.storage, memory.dtype, 2, shape, strides, 9,
                            inner));
  ASSERT_OK(copyInto(library, inner,
                     makeArray({}, NDL_DTYPE_F32, [] { return -1; })));
  for (int64_t i = 0; i < 48; ++i) {
    bool written =
        (i / 8 == 1 || i / 8 == 3) && (i % 8 == 1 || i % 8 == 3 || i % 8 == 5);
    EXPECT_EQ(at(memory, {i / 8, i % 8}), written ? -1 : i);
  }
}

TEST_P(CopyArrays, SourcesMayHaveLeadingUnits) {
  View target = makeCounting({2, 3}), source = makeIntegers(random, {1, 1, 3});
  ASSERT_OK(copyInto(library, target, source));
  EXPECT_EQ(at(target, {1, 2}), at(source, {0, 0, 2}));
  expectError(copyInto(library, target, makeCounting({2, 1, 3})),
              NDL_INVALID_ARGUMENT,
              "cannot broadcast an array of shape (2, 1, 3) to shape (2, 3)");
  expectError(copyInto(library, target, makeCounting({4})),
              NDL_INVALID_ARGUMENT, "cannot broadcast");
  expectError(copyInto(library, target, makeCounting({3}, NDL_DTYPE_U8)),
              NDL_INVALID_ARGUMENT, "copy takes f32 arrays, not u8");
}

TEST_P(CopyArrays, OverlapsAreAsIfTheSourceWasCopiedFirst) {
  for (int round = 0; round < 200; ++round) {
    View memory = makeCounting({400});
    // Two views of one shape anywhere in the same memory.
    Shape shape = {1 + int64_t(random() % 5), 1 + int64_t(random() % 9)};
    auto place = [&] {
      int64_t step = 1 + int64_t(random() % 2);
      int64_t strides[] = {int64_t(random() % 2 ? 20 : 30), step};
      int64_t offset = 10 + static_cast<int64_t>(random() % 100);
      if (random() % 3 == 0) {
        offset += (shape[1] - 1) * step;
        strides[1] = -step;
      }
      View view;
      Status status = eager::makeView(memory.storage, memory.dtype, 2,
                                      shape.data(), strides, offset, view);
      EXPECT_TRUE(status.ok()) << status.message();
      return view;
    };
    View target = place(), source = place();
    std::vector<float> wanted = elements(source);
    ASSERT_OK(copyInto(library, target, source));
    ASSERT_EQ(elements(target), wanted);
  }
}

TEST_P(CopyArrays, Fills) {
  for (int round = 0; round < 100; ++round) {
    Shape shape = randomShape(random, 5, 9);
    View f32 = randomView(random, shape, NDL_DTYPE_F32, true);
    View u8 = randomView(random, shape, NDL_DTYPE_U8, true);
    ASSERT_OK(fill(library, f32, Scalar::f32(-2.5f)));
    ASSERT_OK(fill(library, u8, Scalar::i32(200)));
    size_t size = sizeOf(shape);
    ASSERT_EQ(elements(f32), std::vector<float>(size, -2.5f));
    ASSERT_EQ(elements<uint8_t>(u8), std::vector<uint8_t>(size, 200));
  }
}

NEEDLE_INSTANTIATE_EAGER_TEST(CopyArrays);

} // namespace
} // namespace ndl::test

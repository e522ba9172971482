// Simplified loops visit the same elements together, in fewer dimensions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "EagerTest.h"
#include "eager/loop_nest.h"

#include <algorithm>
#include <array>

namespace ndl::test {
namespace {

using eager::LoopNest;
using eager::Odometer;
using eager::View;

using Visit = std::array<const uint8_t *, 3>;

std::vector<Visit> visits(LoopNest &nest) {
  std::vector<Visit> result;
  if (nest.size() == 0)
    return result;
  Odometer odometer(nest, nest.rank);
  do {
    Visit visit = {};
    for (int32_t i = 0; i < nest.numOperands; ++i)
      visit[i] = nest.operands[i].data;
    result.push_back(visit);
  } while (odometer.next());
  std::sort(result.begin(), result.end());
  return result;
}

LoopNest nestOf(std::initializer_list<View> views) {
  LoopNest nest;
  for (const View &view : views)
    nest.numOperands ? nest.addBroadcast(view) : nest.add(view);
  return nest;
}

TEST(LoopNest, KeepsTheSetOfVisits) {
  uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    Shape shape = randomShape(random, 6, 5, 200);
    View out = randomView(random, shape, NDL_DTYPE_F32, true);
    View a = randomView(random, randomBroadcastable(random, shape));
    View b =
        randomView(random, randomBroadcastable(random, shape), NDL_DTYPE_U8);
    LoopNest nest = nestOf({out, a, b}), simple = nest;
    simple.simplify();
    ASSERT_EQ(visits(simple), visits(nest));
    EXPECT_GE(simple.rank, 1);
    EXPECT_LE(simple.rank, std::max(1, nest.rank));
    for (int32_t d = 0; d + 1 < simple.rank; ++d) {
      EXPECT_NE(simple.extents[d], 1);
      EXPECT_GE(simple.operands[0].strides[d],
                simple.operands[0].strides[d + 1]);
    }
  }
}

TEST(LoopNest, ContiguousArraysAreOneLoop) {
  View x = makeCounting({2, 3, 4, 5});
  LoopNest nest = nestOf({x, x, makeCounting({2, 3, 4, 5})});
  nest.simplify();
  ASSERT_EQ(nest.rank, 1);
  EXPECT_EQ(nest.extents[0], 120);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(nest.operands[i].strides[0], 1);
}

TEST(LoopNest, PermutedAlikeAreOneLoopToo) {
  int32_t axes[] = {2, 0, 1};
  View a, b;
  ASSERT_OK(eager::permuteView(makeCounting({2, 3, 4}), axes, a));
  ASSERT_OK(eager::permuteView(makeCounting({2, 3, 4}), axes, b));
  LoopNest nest = nestOf({a, b});
  nest.simplify();
  EXPECT_EQ(nest.rank, 1);
}

TEST(LoopNest, BackwardsAlikeIsForwards) {
  View x = makeCounting({12}), backwards;
  int64_t shape = 12, stride = -1;
  ASSERT_OK(
      eager::makeView(x.storage, x.dtype, 1, &shape, &stride, 11, backwards));
  LoopNest nest = nestOf({backwards, backwards});
  nest.simplify();
  EXPECT_EQ(nest.operands[0].strides[0], 1);
  EXPECT_EQ(nest.operands[1].strides[0], 1);
  EXPECT_EQ(nest.operands[0].data, x.data());
}

TEST(LoopNest, ARowBroadcastStaysTwoLoops) {
  LoopNest nest = nestOf({makeCounting({2, 3, 5}), makeCounting({5})});
  nest.simplify();
  ASSERT_EQ(nest.rank, 2);
  EXPECT_EQ(nest.extents[0], 6);
  EXPECT_EQ(nest.operands[1].strides[0], 0);
  EXPECT_EQ(nest.operands[1].strides[1], 1);
}

TEST(LoopNest, TheResultsSmallestStrideIsInnermost) {
  int32_t axes[] = {1, 0};
  View transposed;
  ASSERT_OK(eager::permuteView(makeCounting({4, 3}), axes, transposed));
  LoopNest nest = nestOf({transposed, makeCounting({3, 4})});
  nest.simplify();
  ASSERT_EQ(nest.rank, 2);
  EXPECT_EQ(nest.extents[1], 3);
  EXPECT_EQ(nest.operands[0].strides[1], 1);
  EXPECT_EQ(nest.operands[1].strides[1], 4);
}

TEST(LoopNest, ASingleElementIsOneLoop) {
  LoopNest nest = nestOf({makeCounting({1, 1}), makeCounting({})});
  nest.simplify();
  ASSERT_EQ(nest.rank, 1);
  EXPECT_EQ(nest.extents[0], 1);
}

} // namespace
} // namespace ndl::test

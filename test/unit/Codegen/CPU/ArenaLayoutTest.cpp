//===- ArenaLayoutTest.cpp - Buffers that share memory --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Codegen/CPU/ArenaLayout.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <random>

using namespace needle::cpu;

namespace {

TEST(StaticBuffers, NothingNeedsNothing) {
  EXPECT_EQ(placeStaticBuffers({}), 0);
}

TEST(StaticBuffers, ReusesMemoryOfTheDead) {
  StaticBuffer buffers[] = {{{0, 1}, 100}, {{1, 2}, 60}, {{2, 3}, 100}};
  EXPECT_EQ(placeStaticBuffers(buffers), 192);
  EXPECT_EQ(buffers[0].offset, 0);
  EXPECT_EQ(buffers[1].offset, 128);
  EXPECT_EQ(buffers[2].offset, 0);
}

TEST(StaticBuffers, FillsGaps) {
  // The last one fits between two that are alive with it.
  StaticBuffer buffers[] = {
      {{0, 9}, 256}, {{0, 3}, 192}, {{0, 9}, 128}, {{5, 9}, 64}};
  EXPECT_EQ(placeStaticBuffers(buffers), 576);
  EXPECT_EQ(buffers[3].offset, 256);
}

TEST(StaticBuffers, EmptyBuffersTakeNoSpace) {
  StaticBuffer buffers[] = {{{0, 1}, 0}, {{0, 1}, 64}, {{0, 1}, 0}};
  EXPECT_EQ(placeStaticBuffers(buffers), 64);
}

/// The most bytes that are alive at one time, aligned: no layout needs less.
int64_t lowerBound(llvm::ArrayRef<StaticBuffer> buffers, int64_t end) {
  int64_t most = 0;
  for (int64_t time = 0; time < end; ++time) {
    int64_t alive = 0;
    for (const StaticBuffer &buffer : buffers)
      if (buffer.lifetime.overlaps({time, time}))
        alive += buffer.bytes;
    most = std::max(most, alive);
  }
  return most;
}

TEST(StaticBuffers, RandomLayoutsNeverOverlap) {
  constexpr unsigned seed = 12345;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  auto draw = [&](int64_t end) { return int64_t(random() % end); };
  for (int round = 0; round < 200; ++round) {
    std::vector<StaticBuffer> buffers(1 + draw(20));
    for (StaticBuffer &buffer : buffers) {
      int64_t first = draw(20);
      buffer = {{first, first + draw(8)}, draw(5) == 0 ? 0 : draw(1000)};
    }
    int64_t total = placeStaticBuffers(buffers);
    EXPECT_EQ(total % arenaAlignment, 0);
    EXPECT_GE(total, lowerBound(buffers, 30));
    for (const StaticBuffer &a : buffers) {
      EXPECT_EQ(a.offset % arenaAlignment, 0);
      EXPECT_GE(a.offset, 0);
      EXPECT_LE(a.offset + a.bytes, total);
      for (const StaticBuffer &b : buffers)
        if (&a != &b && a.lifetime.overlaps(b.lifetime) && a.bytes && b.bytes)
          EXPECT_TRUE(a.offset + a.bytes <= b.offset ||
                      b.offset + b.bytes <= a.offset);
    }
  }
}

TEST(Slots, PrefersASlotThatIsLargeEnough) {
  DynamicBuffer buffers[] = {
      {{0, 1}, 4, {1}},
      {{0, 1}, 16, {1}},
      {{0, 1}, 64, {1}},
      // All three are free; 16 is the smallest that fits.
      {{2, 3}, 12, {1}},
      // 64 is left that fits.
      {{2, 3}, 20, {1}},
      {{2, 3}, 2, {1}}};
  EXPECT_EQ(assignSlots(buffers), 3u);
  EXPECT_EQ(buffers[3].slot, buffers[1].slot);
  EXPECT_EQ(buffers[4].slot, buffers[2].slot);
  EXPECT_EQ(buffers[5].slot, buffers[0].slot);
}

TEST(Slots, PrefersASlotOfTheSameFactors) {
  DynamicBuffer buffers[] = {
      {{0, 1}, 4, {1}}, {{0, 1}, 4, {2}}, {{2, 3}, 8, {2}}};
  EXPECT_EQ(assignSlots(buffers), 2u);
  EXPECT_EQ(buffers[2].slot, buffers[1].slot);
}

TEST(Slots, RandomAssignmentsAreValidAndMinimal) {
  constexpr unsigned seed = 54321;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  auto draw = [&](int64_t end) { return int64_t(random() % end); };
  for (int round = 0; round < 200; ++round) {
    std::vector<DynamicBuffer> buffers(1 + draw(20));
    for (DynamicBuffer &buffer : buffers) {
      int64_t first = draw(20);
      buffer = {{first, first + draw(8)}, draw(64), {uintptr_t(draw(3))}};
    }
    llvm::sort(buffers, [](const DynamicBuffer &a, const DynamicBuffer &b) {
      return a.lifetime.first < b.lifetime.first;
    });
    unsigned slots = assignSlots(buffers);
    unsigned most = 0;
    for (int64_t time = 0; time < 30; ++time)
      most = std::max<unsigned>(
          most, llvm::count_if(buffers, [&](const DynamicBuffer &buffer) {
            return buffer.lifetime.overlaps({time, time});
          }));
    EXPECT_EQ(slots, most);
    for (const DynamicBuffer &a : buffers) {
      EXPECT_LT(a.slot, slots);
      for (const DynamicBuffer &b : buffers)
        if (&a != &b && a.slot == b.slot)
          EXPECT_FALSE(a.lifetime.overlaps(b.lifetime));
    }
  }
}

} // namespace

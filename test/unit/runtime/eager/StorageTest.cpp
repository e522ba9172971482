// Reference-counted memory and the cache of freed blocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/storage.h"

#include "needle-rt/abi.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace ndl::test {
namespace {

using eager::releaseCachedStorage;
using eager::Storage;
using eager::StoragePtr;
using eager::storageStats;

bool isAligned(const Storage &storage) {
  return reinterpret_cast<uintptr_t>(storage.data()) % NDL_ABI_ALIGNMENT == 0;
}

TEST(Storage, IsAlignedAndLargeEnough) {
  for (size_t bytes : {0, 1, 4, 63, 64, 65, 511, 512, 513, 1000, 4096, 5000,
                       100000, 1 << 20, (1 << 20) + 1, 5 << 20}) {
    StoragePtr storage = Storage::allocate(bytes);
    ASSERT_TRUE(storage) << bytes;
    EXPECT_EQ(storage->bytes(), bytes);
    EXPECT_TRUE(isAligned(*storage)) << bytes;
    EXPECT_TRUE(storage->writable());
    EXPECT_FALSE(storage->foreign());
    std::memset(storage->data(), 0x5a, bytes);
  }
}

TEST(Storage, TooLargeIsNull) {
  EXPECT_FALSE(Storage::allocate(SIZE_MAX));
  EXPECT_FALSE(Storage::allocate(SIZE_MAX / 2));
  EXPECT_FALSE(Storage::allocate(size_t(1) << 60));
}

TEST(Storage, IsCounted) {
  int64_t before = storageStats().liveBytes;
  StoragePtr a = Storage::allocate(1000);
  EXPECT_EQ(a->useCount(), 1);
  EXPECT_GE(storageStats().liveBytes, before + 1000);
  {
    StoragePtr b = a, c;
    c = b;
    EXPECT_EQ(a->useCount(), 3);
    StoragePtr d = std::move(b);
    EXPECT_FALSE(b); // NOLINT: null after a move
    EXPECT_EQ(a->useCount(), 3);
    EXPECT_TRUE(a == d);
    a = *&a;
    EXPECT_EQ(a->useCount(), 3);
  }
  EXPECT_EQ(a->useCount(), 1);
  a = StoragePtr();
  EXPECT_EQ(storageStats().liveBytes, before);
}

TEST(Storage, ReleasesForeignMemoryOnce) {
  int64_t before = storageStats().liveBytes;
  int released = 0;
  float memory[5];
  {
    StoragePtr storage = Storage::adopt(
        memory, sizeof memory,
        [](void *count) { ++*static_cast<int *>(count); }, &released,
        /*writable=*/false);
    ASSERT_TRUE(storage);
    EXPECT_EQ(storage->data(), reinterpret_cast<uint8_t *>(memory));
    EXPECT_EQ(storage->bytes(), sizeof memory);
    EXPECT_TRUE(storage->foreign());
    EXPECT_FALSE(storage->writable());
    StoragePtr other = storage;
    storage = StoragePtr();
    EXPECT_EQ(released, 0);
  }
  EXPECT_EQ(released, 1);
  EXPECT_EQ(storageStats().liveBytes, before);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NEEDLE_TEST_CACHE 0
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define NEEDLE_TEST_CACHE 0
#endif
#ifndef NEEDLE_TEST_CACHE
#define NEEDLE_TEST_CACHE 1
#endif

#if NEEDLE_TEST_CACHE
TEST(Storage, IsReusedForTheSameSize) {
  releaseCachedStorage();
  for (size_t bytes : {10, 1000, 100000, 1 << 20}) {
    const uint8_t *first = Storage::allocate(bytes)->data();
    EXPECT_GT(storageStats().cachedBytes, 0);
    StoragePtr second = Storage::allocate(bytes);
    EXPECT_EQ(second->data(), first) << bytes;
    EXPECT_EQ(storageStats().cachedBytes, 0);
    second = StoragePtr();
    releaseCachedStorage();
    EXPECT_EQ(storageStats().cachedBytes, 0);
  }
}
#endif

TEST(Storage, LargeBlocksAreNotKept) {
  releaseCachedStorage();
  Storage::allocate(eager::storageCacheLargestBlock + 1);
  EXPECT_EQ(storageStats().cachedBytes, 0);
}

TEST(Storage, CacheIsBounded) {
  releaseCachedStorage();
  for (int round = 0; round < 2; ++round) {
    std::vector<StoragePtr> storages;
    for (size_t bytes = 1; bytes <= eager::storageCacheLargestBlock;
         bytes += bytes / 8 + 1)
      for (int i = 0; i < 20; ++i)
        storages.push_back(Storage::allocate(bytes));
    storages.clear();
    EXPECT_LE(storageStats().cachedBytes, int64_t(eager::storageCacheLimit));
  }
  releaseCachedStorage();
  EXPECT_EQ(storageStats().cachedBytes, 0);
}

TEST(Storage, IsSharedByThreads) {
  int64_t before = storageStats().liveBytes;
  StoragePtr shared = Storage::allocate(64);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (uint32_t t = 0; t < 4; ++t)
    threads.emplace_back([t, shared] {
      std::mt19937 random(t);
      std::vector<StoragePtr> held(16);
      for (int i = 0; i < 5000; ++i) {
        StoragePtr &place = held[random() % held.size()];
        place = random() % 8 ? Storage::allocate(random() % 2000) : shared;
        ASSERT_TRUE(place);
        if (!(place == shared) && place->bytes() > 0)
          place->data()[place->bytes() - 1] = static_cast<uint8_t>(t);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(shared->useCount(), 1);
  shared = StoragePtr();
  EXPECT_EQ(storageStats().liveBytes, before);
}

} // namespace
} // namespace ndl::test

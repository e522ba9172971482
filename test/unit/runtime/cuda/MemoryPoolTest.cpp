// Device memory and its cache.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestDevice.h"

namespace ndl::test {
namespace {

class CudaMemoryPool : public DeviceTest {
protected:
  uint64_t driverBytes() {
    size_t free = 0, total = 0;
    CurrentContext current(context());
    EXPECT_EQ((*driver)->memGetInfo(&free, &total), CUDA_SUCCESS);
    return total - free;
  }
  static CUdeviceptr get(MemoryPool &pool, size_t bytes) {
    CUdeviceptr address = 0;
    EXPECT_OK(pool.allocate(bytes, address));
    return address;
  }
};

TEST(CudaBlockBytes, AreTheClassesAbove) {
  // Multiples of 512 up to 4096, then four to a doubling.
  size_t expected[] = {512,  1024, 1536, 2048, 2560,  3072,  3584,  4096,
                       5120, 6144, 7168, 8192, 10240, 12288, 14336, 16384};
  size_t before = 0;
  for (size_t size : expected) {
    EXPECT_EQ(blockBytes(before + 1), size);
    EXPECT_EQ(blockBytes(size), size);
    before = size;
  }
  EXPECT_EQ(blockBytes(0), 512u);
  EXPECT_EQ(blockBytes(size_t(1) << 30), size_t(1) << 30);
  EXPECT_EQ(blockBytes((size_t(1) << 30) + 1), size_t(5) << 28);
}

TEST_F(CudaMemoryPool, ReusesFreedBlocks) {
  MemoryPool pool(context(), MemoryPool::Caching::On);
  CUdeviceptr first = get(pool, 1000), second = get(pool, 900);
  EXPECT_NE(first, second);
  EXPECT_OK(pool.free(first));
  EXPECT_EQ(pool.stats().cachedBytes, 1024u);
  EXPECT_EQ(get(pool, 600), first); // the same class
  EXPECT_EQ(pool.stats().cachedBytes, 0u);
  EXPECT_OK(pool.free(first));
  EXPECT_NE(get(pool, 100), first); // another one
}

TEST_F(CudaMemoryPool, CountsBytes) {
  MemoryPool pool(context(), MemoryPool::Caching::On);
  CUdeviceptr first = get(pool, 1000), second = get(pool, 4096);
  PoolStats stats = pool.stats();
  EXPECT_EQ(stats.liveBytes, 1024u + 4096u);
  EXPECT_EQ(stats.liveBlocks, 2u);
  EXPECT_EQ(stats.cachedBytes, 0u);
  EXPECT_OK(pool.free(first));
  EXPECT_OK(pool.free(second));
  stats = pool.stats();
  EXPECT_EQ(stats.liveBytes, 0u);
  EXPECT_EQ(stats.liveBlocks, 0u);
  EXPECT_EQ(stats.cachedBytes, 1024u + 4096u);
  EXPECT_EQ(stats.peakBytes, 1024u + 4096u);
  EXPECT_EQ(driverBytes(), 1024u + 4096u);
  EXPECT_OK(pool.releaseCache());
  EXPECT_EQ(pool.stats().cachedBytes, 0u);
  EXPECT_EQ(driverBytes(), 0u);
}

TEST_F(CudaMemoryPool, OnTheSimulatorBlocksAreExact) {
  CUdeviceptr address = 0, again = 0;
  EXPECT_OK(device->memory().allocate(10, address));
  EXPECT_EQ(driverBytes(), 10u);
  EXPECT_OK(device->memory().free(address));
  EXPECT_EQ(driverBytes(), 0u);
  EXPECT_OK(device->memory().allocate(10, again));
  EXPECT_NE(again, address);
  EXPECT_OK(device->memory().free(again));
}

TEST_F(CudaMemoryPool, GivesNothingAnAddress) {
  for (auto caching : {MemoryPool::Caching::On, MemoryPool::Caching::Off}) {
    MemoryPool pool(context(), caching);
    CUdeviceptr first = get(pool, 0), second = get(pool, 0);
    EXPECT_NE(first, 0u);
    EXPECT_NE(first, second);
    EXPECT_OK(pool.free(first));
    EXPECT_OK(pool.free(second));
    EXPECT_OK(pool.free(0));
  }
}

TEST_F(CudaMemoryPool, ReleasesTheCacheWhenMemoryRunsOut) {
  start({{"NEEDLE_CUDASIM_MEMORY", "1M"}});
  MemoryPool pool(context(), MemoryPool::Caching::On);
  CUdeviceptr kept = get(pool, 256 << 10);
  EXPECT_OK(pool.free(get(pool, 512 << 10)));
  // 256 KiB in use, 512 KiB cached: it fits only without the cache.
  CUdeviceptr large = get(pool, 768 << 10);
  EXPECT_EQ(pool.stats().cachedBytes, 0u);
  CUdeviceptr none = 0;
  Status status = pool.allocate(1, none);
  EXPECT_EQ(status.code(), NDL_OUT_OF_MEMORY);
  EXPECT_EQ(status.message(),
            "out of memory on CUDA device 0 (needle simulated CUDA device "
            "(sm_80)): asked for 512 bytes; 0 of 1048576 bytes are free, "
            "1048576 are in use by needle");
  EXPECT_OK(pool.free(large));
  EXPECT_OK(pool.free(kept));
}

TEST_F(CudaMemoryPool, RefusesTheImpossible) {
  for (auto caching : {MemoryPool::Caching::On, MemoryPool::Caching::Off}) {
    MemoryPool pool(context(), caching);
    CUdeviceptr address = 0;
    for (size_t bytes :
         {SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 2, size_t(1) << 50})
      EXPECT_ERROR(pool.allocate(bytes, address), NDL_OUT_OF_MEMORY,
                   "asked for ");
  }
}

TEST_F(CudaMemoryPool, ReportsFreeingTwice) {
  CUdeviceptr address = 0;
  EXPECT_OK(device->memory().allocate(10, address));
  EXPECT_OK(device->memory().free(address));
  EXPECT_ERROR(device->memory().free(address), NDL_INVALID_ARGUMENT,
               "freed twice?");
}

// The next user of a block works later on the same stream.
TEST_F(CudaMemoryPool, ABlockIsReusedInTheOrderOfTheStream) {
  MemoryPool pool(context(), MemoryPool::Caching::On);
  Kernel *add = kernel("add");
  CUdeviceptr first = get(pool, 4), result = get(pool, 4000);
  uint32_t one = 1, two = 2;
  EXPECT_OK(device->staging().upload(first, &one, 4));
  EXPECT_OK(run(*add, first, 1, 10));
  EXPECT_OK(device->staging().copy(result, first, 4));
  EXPECT_OK(pool.free(first));
  CUdeviceptr second = get(pool, 4);
  ASSERT_EQ(second, first);
  EXPECT_OK(device->staging().upload(second, &two, 4));
  EXPECT_EQ(download(result, 1)[0], 11u);
  EXPECT_EQ(download(second, 1)[0], 2u);
}

} // namespace
} // namespace ndl::test

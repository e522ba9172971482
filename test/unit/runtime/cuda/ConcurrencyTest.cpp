// One device, many threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestDevice.h"

#include <thread>

namespace ndl::test {
namespace {

using Words = std::vector<uint32_t>;
using CudaThreads = DeviceTest;

/// Calls `body(thread)` on several threads at once.
template <typename Body>
void onThreads(Body body) {
  std::thread threads[4];
  for (uint32_t i = 0; i < 4; ++i)
    threads[i] = std::thread([&body, i] { body(i); });
  for (std::thread &thread : threads)
    thread.join();
}

TEST_F(CudaThreads, ComputeAtTheSameTime) {
  Staging staging(context(), 512);
  MemoryPool pool(context(), MemoryPool::Caching::On);
  onThreads([&](uint32_t thread) {
    for (uint32_t round = 0; round < 20; ++round) {
      size_t count = 1 + (thread * 37 + round * 53) % 300;
      Words words(count, thread), back(count);
      CUdeviceptr data = 0;
      EXPECT_OK(pool.allocate(count * 4, data));
      EXPECT_OK(staging.upload(data, words.data(), count * 4));
      EXPECT_OK(run(*kernel(round % 2 ? "add" : "multiply"), data,
                    static_cast<uint32_t>(count), 3, "threads"));
      EXPECT_OK(staging.download(back.data(), data, count * 4));
      EXPECT_EQ(back, Words(count, round % 2 ? thread + 3 : thread * 3));
      EXPECT_OK(pool.free(data));
    }
  });
  EXPECT_EQ(pool.stats().liveBytes, 0u);
  EXPECT_EQ(device->modules().size(), 1u);
}

TEST_F(CudaThreads, OneLossReachesAll) {
  Kernel *add = kernel("add");
  CUdeviceptr data = upload({1, 2});
  std::atomic<int> causes{0}, consequences{0};
  onThreads([&](uint32_t thread) {
    Status status;
    for (int i = 0; i < 50 && status.ok(); ++i) {
      status = run(*add, data, thread == 0 && i == 10 ? 3 : 2, 1, "here");
      if (status.ok())
        status = context().synchronize();
    }
    if (status.message().find("lost by CUDA_ERROR") != std::string::npos)
      ++causes;
    else if (status.message().find("lost by an earlier") != std::string::npos)
      ++consequences;
  });
  EXPECT_EQ(causes, 1);
  EXPECT_LE(consequences, 3);
  EXPECT_FALSE(context().usable().ok());
}

} // namespace
} // namespace ndl::test

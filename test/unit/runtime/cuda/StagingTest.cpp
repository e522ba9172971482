// Copies between host and device through page-locked buffers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestDevice.h"

#include <numeric>

namespace ndl::test {
namespace {

using Words = std::vector<uint32_t>;
using CudaStaging = DeviceTest;

Words numbers(size_t count, uint32_t first) {
  Words words(count);
  std::iota(words.begin(), words.end(), first);
  return words;
}

TEST_F(CudaStaging, CopiesBothWaysInPieces) {
  // 256 bytes a buffer: from a part of one to many of both.
  Staging staging(context(), 256);
  for (size_t count : {1, 63, 64, 65, 127, 128, 129, 192, 1000}) {
    Words words = numbers(count, 100), back(count);
    CUdeviceptr data = 0;
    EXPECT_OK(device->memory().allocate(count * 4, data));
    EXPECT_OK(staging.upload(data, words.data(), count * 4));
    EXPECT_OK(staging.download(back.data(), data, count * 4));
    EXPECT_EQ(back, words) << count;
    EXPECT_OK(device->memory().free(data));
  }
}

TEST_F(CudaStaging, TheSourceMayBeChangedAtOnce) {
  Staging staging(context(), 1024);
  CUdeviceptr data = 0;
  EXPECT_OK(device->memory().allocate(400 * 4, data));
  Words words = numbers(400, 0);
  EXPECT_OK(staging.upload(data, words.data(), words.size() * 4));
  words.assign(400, 99);
  EXPECT_EQ(download(data, 400), numbers(400, 0));
}

// The simulator makes copies as late as the API allows, so that a buffer which
// is filled again too early shows.
TEST_F(CudaStaging, BuffersAreNotReusedTooEarly) {
  Staging staging(context(), 1024);
  std::vector<CUdeviceptr> blocks(100);
  for (uint32_t i = 0; i < blocks.size(); ++i) {
    EXPECT_OK(device->memory().allocate(40, blocks[i]));
    Words words = numbers(10, i * 10);
    EXPECT_OK(staging.upload(blocks[i], words.data(), 40));
  }
  for (uint32_t i = 0; i < blocks.size(); ++i)
    EXPECT_EQ(download(blocks[i], 10), numbers(10, i * 10)) << i;
}

// The proof that the test above can fail: the same without waiting.
TEST_F(CudaStaging, ReuseThatIsTooEarlyWouldShow) {
  CurrentContext current(context());
  void *memory = nullptr;
  ASSERT_EQ((*driver)->memHostAlloc(&memory, 4, 0), CUDA_SUCCESS);
  auto *buffer = static_cast<uint32_t *>(memory);
  CUdeviceptr blocks[2];
  for (uint32_t i = 0; i < 2; ++i) {
    EXPECT_OK(device->memory().allocate(4, blocks[i]));
    *buffer = i;
    EXPECT_EQ(
        (*driver)->memcpyHtoDAsync(blocks[i], buffer, 4, context().stream()),
        CUDA_SUCCESS);
  }
  EXPECT_EQ(download(blocks[0], 1), (Words{1})); // not 0
}

TEST_F(CudaStaging, SmallUploadsWaitForNothing) {
  Kernel *add = kernel("add");
  CUdeviceptr data = upload({1}), other = upload({0});
  EXPECT_OK(run(*add, data, 1, 10));
  uint32_t two = 2;
  EXPECT_OK(device->staging().upload(other, &two, 4));
  // Queued behind the kernel, which therefore has not run.
  EXPECT_EQ((*driver)->streamQuery(context().stream()),
            CUDA_ERROR_INVALID_CONTEXT);
  CurrentContext current(context());
  EXPECT_EQ((*driver)->streamQuery(context().stream()), CUDA_ERROR_NOT_READY);
  EXPECT_EQ(download(data, 1), (Words{11}));
}

TEST_F(CudaStaging, CopiesInOrderOfTheStream) {
  Kernel *multiply = kernel("multiply");
  CUdeviceptr data = upload({3}), copy = upload({0});
  EXPECT_OK(run(*multiply, data, 1, 5));
  EXPECT_OK(device->staging().copy(copy, data, 4));
  EXPECT_OK(run(*multiply, data, 1, 7));
  EXPECT_EQ(download(copy, 1), (Words{15}));
  EXPECT_EQ(download(data, 1), (Words{105}));
}

TEST_F(CudaStaging, CopiesNothing) {
  EXPECT_OK(device->staging().upload(0, nullptr, 0));
  EXPECT_OK(device->staging().download(nullptr, 0, 0));
  EXPECT_OK(device->staging().copy(0, 0, 0));
}

TEST_F(CudaStaging, SaysWhatIsWrong) {
  CUdeviceptr data = upload({1, 2});
  uint32_t words[3] = {};
  EXPECT_ERROR(device->staging().upload(data, words, 12), NDL_INTERNAL_ERROR,
               "4 bytes past the end of an allocation of 8 bytes");
  EXPECT_ERROR(device->staging().download(words, data, 12), NDL_INTERNAL_ERROR,
               "cuMemcpyDtoHAsync: CUDA_ERROR_INVALID_VALUE");
  // The context is as good as before.
  EXPECT_EQ(download(data, 2), (Words{1, 2}));
}

TEST_F(CudaStaging, MakesNewBuffersAfterARelease) {
  CUdeviceptr data = upload({1, 2});
  EXPECT_OK(device->staging().release());
  EXPECT_EQ(download(data, 2), (Words{1, 2}));
  EXPECT_EQ(download(upload({3}), 1), (Words{3}));
}

} // namespace
} // namespace ndl::test

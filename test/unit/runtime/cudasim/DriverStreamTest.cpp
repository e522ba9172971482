// The simulated driver: when work on streams happens, and when it does not.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestSimulator.h"

namespace ndl::test {
namespace {

using Words = std::vector<uint32_t>;

class DriverStream : public SimulatorTest {
protected:
  void SetUp() override {
    SimulatorTest::SetUp();
    CUmodule module = load(kArithmeticPtx);
    add = function(module, "add");
    multiply = function(module, "multiply");
  }

  CUfunction add = nullptr, multiply = nullptr;
};

TEST_F(DriverStream, RunsWorkInOrder) {
  CUstream queue = stream();
  CUdeviceptr data = upload({1, 2, 3});
  EXPECT_EQ(launch(add, data, 3, 10, queue), CUDA_SUCCESS);
  EXPECT_EQ(launch(multiply, data, 3, 2, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->streamSynchronize(queue), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 3), (Words{22, 24, 26}));
}

TEST_F(DriverStream, ShowsReuseOfPinnedMemoryThatIsTooEarly) {
  CUstream queue = stream();
  CUdeviceptr data = allocate(4);
  uint32_t *staging = pinned(1);
  staging[0] = 1;
  EXPECT_EQ(api()->memcpyHtoDAsync(data, staging, 4, queue), CUDA_SUCCESS);
  staging[0] = 2; // The planted mistake: the copy has not been waited for.
  EXPECT_EQ(api()->streamSynchronize(queue), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1), (Words{2}));
}

TEST_F(DriverStream, TakesPageableMemoryAtOnce) {
  CUstream queue = stream();
  CUdeviceptr data = allocate(4);
  uint32_t host = 1;
  EXPECT_EQ(api()->memcpyHtoDAsync(data, &host, 4, queue), CUDA_SUCCESS);
  host = 2;
  EXPECT_EQ(api()->streamSynchronize(queue), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1), (Words{1}));
}

TEST_F(DriverStream, DeliversToPinnedMemoryAtSynchronization) {
  CUstream queue = stream();
  CUdeviceptr data = upload({5});
  uint32_t *result = pinned(1);
  result[0] = 7;
  EXPECT_EQ(api()->memcpyDtoHAsync(result, data, 4, queue), CUDA_SUCCESS);
  EXPECT_EQ(result[0], 7u); // Who reads here reads too early.
  EXPECT_EQ(api()->streamSynchronize(queue), CUDA_SUCCESS);
  EXPECT_EQ(result[0], 5u);
}

TEST_F(DriverStream, DeliversToPageableMemoryAtOnce) {
  CUstream queue = stream();
  CUdeviceptr data = upload({5});
  uint32_t result = 7;
  EXPECT_EQ(launch(add, data, 1, 1, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->memcpyDtoHAsync(&result, data, 4, queue), CUDA_SUCCESS);
  EXPECT_EQ(result, 6u);
}

TEST_F(DriverStream, ShowsThatStreamsAreNotOrdered) {
  CUstream producer = stream(), consumer = stream();
  CUdeviceptr data = upload({1});
  EXPECT_EQ(launch(add, data, 1, 10, producer), CUDA_SUCCESS);
  // The planted mistake: nothing makes the consumer wait.
  EXPECT_EQ(launch(multiply, data, 1, 2, consumer), CUDA_SUCCESS);
  EXPECT_EQ(api()->streamSynchronize(consumer), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1), (Words{12}));
}

TEST_F(DriverStream, OrdersStreamsByEvents) {
  CUstream producer = stream(), consumer = stream();
  CUevent ready = event(CU_EVENT_DISABLE_TIMING);
  CUdeviceptr data = upload({1});
  EXPECT_EQ(launch(add, data, 1, 10, producer), CUDA_SUCCESS);
  EXPECT_EQ(api()->eventRecord(ready, producer), CUDA_SUCCESS);
  EXPECT_EQ(launch(add, data, 1, 100, producer), CUDA_SUCCESS);
  EXPECT_EQ(api()->streamWaitEvent(consumer, ready, 0), CUDA_SUCCESS);
  // The wait is for what was recorded until now.
  EXPECT_EQ(api()->eventRecord(ready, producer), CUDA_SUCCESS);
  EXPECT_EQ(launch(multiply, data, 1, 2, consumer), CUDA_SUCCESS);
  EXPECT_EQ(api()->streamSynchronize(consumer), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1), (Words{122})); // (1 + 10) * 2 + 100
}

TEST_F(DriverStream, AnEventThatWasNeverRecordedIsComplete) {
  CUstream queue = stream();
  CUevent never = event();
  EXPECT_EQ(api()->streamWaitEvent(queue, never, 0), CUDA_SUCCESS);
  EXPECT_EQ(api()->eventQuery(never), CUDA_SUCCESS);
  EXPECT_EQ(api()->eventSynchronize(never), CUDA_SUCCESS);
}

TEST_F(DriverStream, SynchronizingAnEventRunsWhatIsBeforeIt) {
  CUstream queue = stream();
  CUevent between = event();
  uint32_t *first = pinned(1), *second = pinned(1);
  CUdeviceptr data = upload({3});
  *first = *second = 0;
  EXPECT_EQ(api()->memcpyDtoHAsync(first, data, 4, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->eventRecord(between, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->memcpyDtoHAsync(second, data, 4, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->eventSynchronize(between), CUDA_SUCCESS);
  EXPECT_EQ(*first, 3u);
  EXPECT_EQ(*second, 0u);
}

TEST_F(DriverStream, PollingWaitsAndEnds) {
  CUstream queue = stream();
  CUevent end = event();
  CUdeviceptr data = upload({1});
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(launch(add, data, 1, 1, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->eventRecord(end, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->streamQuery(queue), CUDA_ERROR_NOT_READY);
  int polls = 1;
  while (api()->eventQuery(end) == CUDA_ERROR_NOT_READY && polls < 100)
    ++polls;
  EXPECT_LT(polls, 100);
  EXPECT_EQ(api()->streamQuery(queue), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1), (Words{4}));
}

TEST_F(DriverStream, SynchronousCopiesDoNotWaitForNonBlockingStreams) {
  CUstream apart = stream(CU_STREAM_NON_BLOCKING);
  CUdeviceptr data = upload({1});
  uint32_t seen = 0;
  EXPECT_EQ(launch(add, data, 1, 10, apart), CUDA_SUCCESS);
  EXPECT_EQ(api()->memcpyDtoH(&seen, data, 4), CUDA_SUCCESS);
  EXPECT_EQ(seen, 1u);
  CUstream ordered = stream(CU_STREAM_DEFAULT);
  CUdeviceptr other = upload({1});
  EXPECT_EQ(launch(add, other, 1, 10, ordered), CUDA_SUCCESS);
  EXPECT_EQ(api()->memcpyDtoH(&seen, other, 4), CUDA_SUCCESS);
  EXPECT_EQ(seen, 11u);
}

TEST_F(DriverStream, TheLegacyStreamIsOrderedWithBlockingOnes) {
  CUstream ordered = stream(CU_STREAM_DEFAULT);
  CUdeviceptr data = upload({1});
  EXPECT_EQ(launch(add, data, 1, 10, ordered), CUDA_SUCCESS);
  EXPECT_EQ(launch(multiply, data, 1, 2, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(launch(add, data, 1, 100, ordered), CUDA_SUCCESS);
  EXPECT_EQ(api()->streamSynchronize(ordered), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1), (Words{122}));
}

TEST_F(DriverStream, WorkOnTheLegacyStreamWaitsForBlockingOnes) {
  CUstream ordered = stream(CU_STREAM_DEFAULT), apart = stream();
  CUevent end = event();
  CUdeviceptr data = upload({1, 1});
  EXPECT_EQ(launch(add, data, 1, 10, ordered), CUDA_SUCCESS);
  EXPECT_EQ(launch(add, data + 4, 1, 10, apart), CUDA_SUCCESS);
  EXPECT_EQ(launch(multiply, data, 2, 2, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(api()->eventRecord(end, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(api()->eventSynchronize(end), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 2), (Words{22, 12}));
}

TEST_F(DriverStream, FreeingWaitsForAllStreams) {
  CUstream queue = stream();
  CUdeviceptr data = upload({1}), other = allocate(4);
  uint32_t *result = pinned(1);
  EXPECT_EQ(api()->memcpyDtoHAsync(result, data, 4, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->memFree(other), CUDA_SUCCESS);
  EXPECT_EQ(*result, 1u);
}

TEST_F(DriverStream, AQueueThatIsFullRunsItsOldestWork) {
  CUstream queue = stream();
  CUdeviceptr data = upload({7});
  uint32_t *first = pinned(1);
  EXPECT_EQ(api()->memcpyDtoHAsync(first, data, 4, queue), CUDA_SUCCESS);
  for (int i = 0; i < 5000; ++i)
    ASSERT_EQ(api()->memsetD32Async(data, i, 1, queue), CUDA_SUCCESS);
  EXPECT_EQ(*first, 7u);
  EXPECT_EQ(download(data, 1), (Words{4999}));
}

TEST_F(DriverStream, FillsAndCopiesInDeviceMemory) {
  CUstream queue = stream();
  CUdeviceptr data = upload({1, 2, 3, 4});
  EXPECT_EQ(api()->memsetD32Async(data, 0xabcd, 2, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->memsetD8Async(data + 8, 0x11, 2, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->memcpyDtoDAsync(data + 12, data, 4, queue), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 4), (Words{0xabcd, 0xabcd, 0x1111, 0xabcd}));
}

TEST_F(DriverStream, MeasuresTimeBetweenEvents) {
  CUevent begin = event(), end = event();
  CUevent untimed = event(CU_EVENT_DISABLE_TIMING);
  CUstream queue = stream();
  float elapsed = -1;
  EXPECT_EQ(api()->eventElapsedTime(&elapsed, begin, end),
            CUDA_ERROR_INVALID_HANDLE); // not recorded
  api()->eventRecord(begin, queue);
  api()->eventRecord(end, queue);
  api()->eventRecord(untimed, queue);
  EXPECT_EQ(api()->eventElapsedTime(&elapsed, begin, end),
            CUDA_ERROR_NOT_READY);
  EXPECT_EQ(api()->streamSynchronize(queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->eventElapsedTime(&elapsed, begin, end), CUDA_SUCCESS);
  EXPECT_GE(elapsed, 0);
  EXPECT_EQ(api()->eventElapsedTime(&elapsed, begin, untimed),
            CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(DriverStream, RefusesWrongHandles) {
  CUstream queue = stream();
  CUevent mark = event();
  CUdeviceptr data = upload({1});
  EXPECT_EQ(api()->streamDestroy(queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->streamDestroy(queue), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(api()->streamSynchronize(queue), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(launch(add, data, 1, 1, queue), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(api()->eventDestroy(mark), CUDA_SUCCESS);
  EXPECT_EQ(api()->eventDestroy(mark), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(api()->eventRecord(mark, nullptr), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(api()->streamDestroy(nullptr), CUDA_ERROR_INVALID_HANDLE);
  // A handle of another kind.
  EXPECT_EQ(api()->streamQuery(reinterpret_cast<CUstream>(add)),
            CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(api()->streamCreate(&queue, 2), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(api()->eventCreate(&mark, 8), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverStream, DestroyingAStreamKeepsItsWork) {
  CUstream queue = stream();
  CUdeviceptr data = upload({1});
  EXPECT_EQ(launch(add, data, 1, 10, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->streamDestroy(queue), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1), (Words{11}));
}

} // namespace
} // namespace ndl::test

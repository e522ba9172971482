// The simulated driver: capturing streams, and graphs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestSimulator.h"

#include <thread>

namespace ndl::test {
namespace {

using Words = std::vector<uint32_t>;

class DriverGraph : public SimulatorTest {
protected:
  void SetUp() override {
    SimulatorTest::SetUp();
    add = function(load(kArithmeticPtx), "add");
    queue = stream();
    data = upload({1, 2});
  }
  void begin(CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL) {
    ASSERT_EQ(api()->streamBeginCapture(queue, mode), CUDA_SUCCESS);
  }
  CUresult end() { return api()->streamEndCapture(queue, &graph); }
  CUstreamCaptureStatus status() {
    CUstreamCaptureStatus status{99};
    EXPECT_EQ(api()->streamIsCapturing(queue, &status), CUDA_SUCCESS);
    return status;
  }

  CUfunction add = nullptr;
  CUstream queue = nullptr;
  CUdeviceptr data = 0;
  CUgraph graph = nullptr;
};

TEST_F(DriverGraph, RunsWhatWasCapturedAsOftenAsAsked) {
  uint32_t *host = pinned(2);
  host[0] = 10;
  begin();
  EXPECT_EQ(status(), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_EQ(launch(add, data, 2, 5, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->memcpyHtoDAsync(data + 4, host, 4, queue), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_SUCCESS);
  EXPECT_EQ(status(), CU_STREAM_CAPTURE_STATUS_NONE);
  EXPECT_EQ(download(data, 2), (Words{1, 2})); // captured, not run
  CUgraphExec executable = nullptr;
  EXPECT_EQ(api()->graphInstantiateWithFlags(&executable, graph, 0),
            CUDA_SUCCESS);
  EXPECT_EQ(api()->graphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(api()->graphLaunch(executable, queue), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 2), (Words{6, 10}));
  host[0] = 20;
  EXPECT_EQ(api()->graphLaunch(executable, queue), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 2), (Words{11, 20}));
  EXPECT_EQ(api()->graphExecDestroy(executable), CUDA_SUCCESS);
  EXPECT_EQ(api()->graphLaunch(executable, queue), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(api()->graphDestroy(graph), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(api()->graphExecDestroy(executable), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(DriverGraph, CallsThatWaitInvalidateTheCapture) {
  CUdeviceptr address;
  CUevent mark = event();
  CUresult (*calls[])(const Driver &, CUstream, CUdeviceptr &) = {
      [](const Driver &api, CUstream queue, CUdeviceptr &) {
        return api->streamSynchronize(queue);
      },
      [](const Driver &api, CUstream queue, CUdeviceptr &) {
        return api->streamQuery(queue);
      },
      [](const Driver &api, CUstream, CUdeviceptr &) {
        return api->ctxSynchronize();
      },
      [](const Driver &api, CUstream, CUdeviceptr &address) {
        return api->memAlloc(&address, 4);
      }};
  for (auto call : calls) {
    begin();
    EXPECT_EQ(call(api(), queue, address),
              CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    EXPECT_EQ(status(), CU_STREAM_CAPTURE_STATUS_INVALIDATED);
    EXPECT_EQ(launch(add, data, 1, 1, queue),
              CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    EXPECT_EQ(api()->eventRecord(mark, queue),
              CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    EXPECT_EQ(graph, nullptr);
    EXPECT_EQ(status(), CU_STREAM_CAPTURE_STATUS_NONE);
  }
}

TEST_F(DriverGraph, ModesSayWhoMayAllocate) {
  CUdeviceptr address;
  begin(CU_STREAM_CAPTURE_MODE_RELAXED);
  EXPECT_EQ(api()->memAlloc(&address, 4), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_SUCCESS);
  auto allocateElsewhere = [&] {
    CUresult result = CUDA_SUCCESS;
    std::thread([&] {
      api()->ctxSetCurrent(context);
      result = api()->memAlloc(&address, 4);
    }).join();
    return result;
  };
  begin(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
  EXPECT_EQ(allocateElsewhere(), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_SUCCESS);
  begin(CU_STREAM_CAPTURE_MODE_GLOBAL);
  EXPECT_EQ(allocateElsewhere(), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

TEST_F(DriverGraph, BeginsAndEndsInPairs) {
  EXPECT_EQ(end(), CUDA_ERROR_ILLEGAL_STATE);
  EXPECT_EQ(api()->streamBeginCapture(nullptr, CU_STREAM_CAPTURE_MODE_GLOBAL),
            CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(api()->streamBeginCapture(queue, CUstreamCaptureMode{7}),
            CUDA_ERROR_INVALID_VALUE);
  begin();
  EXPECT_EQ(api()->streamBeginCapture(queue, CU_STREAM_CAPTURE_MODE_GLOBAL),
            CUDA_ERROR_ILLEGAL_STATE);
  std::thread([&] {
    api()->ctxSetCurrent(context);
    EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
  }).join();
  EXPECT_EQ(end(), CUDA_SUCCESS);
}

TEST_F(DriverGraph, EventsOfACaptureStayInIt) {
  CUevent captured = event(), before = event();
  CUstream other = stream();
  EXPECT_EQ(api()->eventRecord(before, other), CUDA_SUCCESS);
  begin();
  EXPECT_EQ(api()->eventRecord(captured, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->streamWaitEvent(queue, captured, 0), CUDA_SUCCESS);
  EXPECT_EQ(api()->eventQuery(captured), CUDA_ERROR_CAPTURED_EVENT);
  EXPECT_EQ(api()->eventSynchronize(captured), CUDA_ERROR_CAPTURED_EVENT);
  EXPECT_EQ(api()->streamWaitEvent(other, captured, 0),
            CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_NE(report().find("one stream at a time"), std::string::npos);
  EXPECT_EQ(api()->streamWaitEvent(queue, before, 0),
            CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

TEST_F(DriverGraph, TheLegacyStreamDisturbsCapturesOfBlockingStreams) {
  EXPECT_EQ(api()->streamDestroy(queue), CUDA_SUCCESS);
  queue = stream(CU_STREAM_DEFAULT);
  begin();
  CUstreamCaptureStatus unused;
  EXPECT_EQ(api()->streamIsCapturing(nullptr, &unused),
            CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  EXPECT_EQ(launch(add, data, 1, 1, nullptr),
            CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

TEST_F(DriverGraph, AFaultInAGraphLosesTheContext) {
  begin();
  EXPECT_EQ(launch(add, data, 3, 5, queue), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_SUCCESS);
  CUgraphExec executable = nullptr;
  EXPECT_EQ(api()->graphInstantiateWithFlags(&executable, graph, 64),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(api()->graphInstantiateWithFlags(
                &executable, graph, CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH),
            CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(api()->graphInstantiateWithFlags(&executable, graph, 0),
            CUDA_SUCCESS);
  EXPECT_EQ(api()->graphLaunch(executable, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->streamSynchronize(queue), CUDA_ERROR_ILLEGAL_ADDRESS);
}

TEST_F(DriverGraph, ACopyOfMemoryThatWasFreedIsAFault) {
  uint32_t *host = pinned(1);
  begin();
  EXPECT_EQ(api()->memcpyDtoHAsync(host, data, 4, queue), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_SUCCESS);
  CUgraphExec executable = nullptr;
  EXPECT_EQ(api()->graphInstantiateWithFlags(&executable, graph, 0),
            CUDA_SUCCESS);
  EXPECT_EQ(api()->memFree(data), CUDA_SUCCESS);
  EXPECT_EQ(api()->graphLaunch(executable, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->streamSynchronize(queue), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_NE(report().find("freed"), std::string::npos) << report();
}

} // namespace
} // namespace ndl::test

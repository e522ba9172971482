// The simulated driver: launches, their checks, and errors of kernels.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestSimulator.h"

#include <array>

namespace ndl::test {
namespace {

using Words = std::vector<uint32_t>;

constexpr const char *kShapesPtx =
    ".version 6.3\n"
    ".target sm_75\n"
    ".address_size 64\n"
    ".visible .entry any() { ret; }\n"
    ".visible .entry exact() .reqntid 32, 2, 1 { ret; }\n"
    ".visible .entry atMost() .maxntid 64, 1, 1 { ret; }\n"
    ".visible .entry shared()\n"
    "{\n"
    "  .shared .align 4 .b8 buffer[1024];\n"
    "  .reg .b32 %r<2>;\n"
    "  mov.u32 %r1, 0;\n"
    "  st.shared.u32 [buffer], %r1;\n"
    "  ret;\n"
    "}\n"
    ".visible .entry endless()\n"
    "{\n"
    "$L:\n"
    "  bra $L;\n"
    "}\n";

class DriverLaunch : public SimulatorTest {
protected:
  void SetUp() override {
    SimulatorTest::SetUp();
    shapes = load(kShapesPtx);
  }
  CUresult launchShape(const char *name, std::array<unsigned, 3> grid,
                       std::array<unsigned, 3> block, unsigned shared = 0) {
    return api()->launchKernel(function(shapes, name), grid[0], grid[1],
                               grid[2], block[0], block[1], block[2], shared,
                               nullptr, nullptr, nullptr);
  }
  void expectReport(const std::string &text) {
    EXPECT_NE(report().find(text), std::string::npos) << report();
  }

  CUmodule shapes = nullptr;
};

TEST_F(DriverLaunch, RunsAKernel) {
  CUfunction add = function(load(kArithmeticPtx), "add");
  Words words(1000), expected(1000);
  for (uint32_t i = 0; i < 1000; ++i) {
    words[i] = i * i;
    expected[i] = i * i + 77;
  }
  CUdeviceptr data = upload(words);
  EXPECT_EQ(launch(add, data, 1000, 77, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1000), expected);
}

TEST_F(DriverLaunch, ResultsDoNotDependOnTheSeed) {
  for (const char *seed : {"0", "1", "12345"}) {
    TearDown();
    start({{"NEEDLE_CUDASIM_SEED", seed}});
    CUfunction add = function(load(kArithmeticPtx), "add");
    CUdeviceptr data = upload(Words(300, 1));
    EXPECT_EQ(launch(add, data, 300, 1, nullptr), CUDA_SUCCESS);
    EXPECT_EQ(download(data, 300), Words(300, 2));
  }
}

TEST_F(DriverLaunch, TakesParametersWhenItIsIssued) {
  CUfunction add = function(load(kArithmeticPtx), "add");
  CUdeviceptr data = upload({1});
  uint32_t count = 1, value = 10;
  void *parameters[] = {&data, &count, &value};
  EXPECT_EQ(api()->launchKernel(add, 1, 1, 1, 1, 1, 1, 0, nullptr, parameters,
                                nullptr),
            CUDA_SUCCESS);
  value = 20;
  EXPECT_EQ(download(data, 1), (Words{11}));
}

TEST_F(DriverLaunch, TakesParametersFromABuffer) {
  CUfunction add = function(load(kArithmeticPtx), "add");
  CUdeviceptr data = upload({1});
  struct {
    CUdeviceptr data;
    uint32_t count, value;
  } buffer = {data, 1, 10};
  size_t size = sizeof buffer;
  auto key = [](uintptr_t value) { return reinterpret_cast<void *>(value); };
  void *extra[] = {key(kLaunchParamBufferPointer), &buffer,
                   key(kLaunchParamBufferSize), &size, key(kLaunchParamEnd)};
  auto launchIt = [&] {
    return api()->launchKernel(add, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr,
                               extra);
  };
  EXPECT_EQ(launchIt(), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1), (Words{11}));
  size = 12;
  EXPECT_EQ(launchIt(), CUDA_ERROR_INVALID_VALUE);
  expectReport("12 bytes of parameters, the kernel 16");
}

TEST_F(DriverLaunch, WantsAllParameters) {
  CUfunction add = function(load(kArithmeticPtx), "add");
  CUdeviceptr data = upload({1});
  uint32_t count = 1;
  void *parameters[] = {&data, &count, nullptr};
  EXPECT_EQ(
      api()->launchKernel(add, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr),
      CUDA_ERROR_INVALID_VALUE);
  expectReport("kernel `add`: no value for parameter 0");
  EXPECT_EQ(api()->launchKernel(add, 1, 1, 1, 1, 1, 1, 0, nullptr, parameters,
                                nullptr),
            CUDA_ERROR_INVALID_VALUE);
  expectReport("no value for parameter 2");
}

TEST_F(DriverLaunch, LimitsGridAndBlock) {
  EXPECT_EQ(launchShape("any", {1, 1, 1}, {1024, 1, 1}), CUDA_SUCCESS);
  EXPECT_EQ(launchShape("any", {1, 1, 1}, {1, 1, 64}), CUDA_SUCCESS);
  EXPECT_EQ(launchShape("any", {1, 1, 1}, {1024, 2, 1}),
            CUDA_ERROR_INVALID_VALUE);
  expectReport("the block (1024,2,1) has 2048 threads, more than 1024");
  EXPECT_EQ(launchShape("any", {1, 1, 1}, {1025, 1, 1}),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchShape("any", {1, 1, 1}, {1, 1, 65}),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchShape("any", {1, 1, 1}, {0, 1, 1}), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchShape("any", {1, 0, 1}, {1, 1, 1}), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchShape("any", {0x80000000, 1, 1}, {1, 1, 1}),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchShape("any", {1, 65536, 1}, {1, 1, 1}),
            CUDA_ERROR_INVALID_VALUE);
  expectReport("the grid (1,65536,1) is not allowed");
}

TEST_F(DriverLaunch, HonoursWhatTheKernelDeclares) {
  EXPECT_EQ(launchShape("exact", {1, 1, 1}, {32, 2, 1}), CUDA_SUCCESS);
  EXPECT_EQ(launchShape("exact", {1, 1, 1}, {64, 1, 1}),
            CUDA_ERROR_INVALID_VALUE);
  expectReport("is not the kernel's .reqntid (32,2,1)");
  EXPECT_EQ(launchShape("atMost", {1, 1, 1}, {32, 2, 1}), CUDA_SUCCESS);
  EXPECT_EQ(launchShape("atMost", {1, 1, 1}, {65, 1, 1}),
            CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
  expectReport(".maxntid (64,1,1)");
}

TEST_F(DriverLaunch, LimitsSharedMemory) {
  CUfunction shared = function(shapes, "shared");
  auto raise = [&](int bytes) {
    return api()->funcSetAttribute(
        shared, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes);
  };
  EXPECT_EQ(launchShape("shared", {1, 1, 1}, {1, 1, 1}, 47 << 10),
            CUDA_SUCCESS);
  EXPECT_EQ(launchShape("shared", {1, 1, 1}, {1, 1, 1}, (47 << 10) + 1),
            CUDA_ERROR_INVALID_VALUE);
  expectReport("48129 bytes of dynamic shared memory beside 1024 static ones");
  // 163 KiB a block on sm_80.
  EXPECT_EQ(raise((162 << 10) + 1), CUDA_ERROR_INVALID_VALUE);
  expectReport("more than the device's 166912");
  EXPECT_EQ(raise(162 << 10), CUDA_SUCCESS);
  EXPECT_EQ(launchShape("shared", {1, 1, 1}, {1, 1, 1}, 162 << 10),
            CUDA_SUCCESS);
  EXPECT_EQ(api()->ctxSynchronize(), CUDA_SUCCESS);
}

// On sm_80: 2048 threads, 32 blocks and 164 KiB of shared memory a
// multiprocessor, of which each block takes 1 KiB more than it asks for.
TEST_F(DriverLaunch, ComputesOccupancy) {
  CUfunction any = function(shapes, "any"), shared = function(shapes, "shared");
  auto occupancy = [&](CUfunction function, int block, size_t dynamic) {
    int blocks = -1;
    EXPECT_EQ(api()->occupancyMaxActiveBlocksPerMultiprocessor(
                  &blocks, function, block, dynamic),
              CUDA_SUCCESS);
    return blocks;
  };
  EXPECT_EQ(occupancy(any, 1, 0), 32);
  EXPECT_EQ(occupancy(any, 256, 0), 8);
  EXPECT_EQ(occupancy(any, 250, 0), 8);
  EXPECT_EQ(occupancy(any, 257, 0), 7);
  EXPECT_EQ(occupancy(any, 1024, 0), 2);
  EXPECT_EQ(occupancy(any, 32, 40 << 10), 4);
  EXPECT_EQ(occupancy(shared, 32, 39 << 10), 4);
  EXPECT_EQ(occupancy(any, 32, 100 << 10), 0); // not allowed yet
  int blocks;
  EXPECT_EQ(
      api()->occupancyMaxActiveBlocksPerMultiprocessor(&blocks, any, 0, 0),
      CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverLaunch, AFaultSurfacesLaterAndStays) {
  CUfunction add = function(load(kArithmeticPtx), "add");
  CUdeviceptr data = upload(Words(64, 1)), other = 0;
  // The planted mistake: one element too many.
  EXPECT_EQ(launch(add, data, 65, 1, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(api()->memAlloc(&other, 4), CUDA_SUCCESS);
  EXPECT_EQ(api()->ctxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  expectReport("kernel `add`, PTX line");
  expectReport("ld.global.u32");
  expectReport("block (1,0,0), thread (0,0,0)");
  std::string fault = report();
  // Every later call, and what explains it.
  EXPECT_EQ(api()->ctxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(api()->memAlloc(&other, 4), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(api()->memFree(data), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(launch(add, data, 1, 1, nullptr), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(report(), fault);
  // Also with a new context: only a new process helps.
  CUcontext again;
  EXPECT_EQ(api()->devicePrimaryCtxRelease(0), CUDA_SUCCESS);
  EXPECT_EQ(api()->devicePrimaryCtxRetain(&again, 0),
            CUDA_ERROR_ILLEGAL_ADDRESS);
}

TEST_F(DriverLaunch, AMisalignedAccessIsAFault) {
  CUfunction add = function(load(kArithmeticPtx), "add");
  CUdeviceptr data = upload(Words(2, 1));
  EXPECT_EQ(launch(add, data + 2, 1, 1, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(api()->ctxSynchronize(), CUDA_ERROR_MISALIGNED_ADDRESS);
}

TEST_F(DriverLaunch, UseAfterFreeIsAFault) {
  CUfunction add = function(load(kArithmeticPtx), "add");
  CUdeviceptr data = upload(Words(2, 1));
  EXPECT_EQ(api()->memFree(data), CUDA_SUCCESS);
  EXPECT_EQ(launch(add, data, 1, 1, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(api()->ctxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  expectReport("freed");
}

TEST_F(DriverLaunch, AKernelThatDoesNotEndIsAFault) {
  TearDown();
  start({{"NEEDLE_CUDASIM_LIMIT", "10000"}});
  shapes = load(kShapesPtx);
  EXPECT_EQ(launchShape("endless", {1, 1, 1}, {32, 1, 1}), CUDA_SUCCESS);
  EXPECT_EQ(api()->ctxSynchronize(), CUDA_ERROR_LAUNCH_TIMEOUT);
  expectReport("endless");
}

TEST_F(DriverLaunch, UnloadingAModuleWaitsForItsKernels) {
  CUmodule module = load(kArithmeticPtx);
  CUfunction add = function(module, "add");
  CUdeviceptr data = upload({1});
  CUstream queue = stream();
  EXPECT_EQ(launch(add, data, 1, 1, queue), CUDA_SUCCESS);
  EXPECT_EQ(api()->moduleUnload(module), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1), (Words{2}));
  EXPECT_EQ(launch(add, data, 1, 1, queue), CUDA_ERROR_INVALID_HANDLE);
}

} // namespace
} // namespace ndl::test

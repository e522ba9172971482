// The simulated driver: device memory, page-locked memory, leaks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestSimulator.h"

#include <cstdlib>

namespace ndl::test {
namespace {

using testing::ExitedWithCode;

class DriverMemory : public SimulatorTest {
protected:
  void expectReport(const std::string &text) {
    EXPECT_NE(report().find(text), std::string::npos) << report();
  }
};

TEST_F(DriverMemory, HoldsWhatIsCopiedToIt) {
  CUdeviceptr address = upload({1, 2, 3, 4});
  EXPECT_EQ(address % 256, 0u);
  EXPECT_EQ(download(address + 4, 2), (std::vector<uint32_t>{2, 3}));
  EXPECT_EQ(api()->memFree(address), CUDA_SUCCESS);
}

TEST_F(DriverMemory, IsNotZeroAtFirst) {
  EXPECT_EQ(download(allocate(4), 1)[0], 0xffffffffu);
}

TEST_F(DriverMemory, RefusesWrongArguments) {
  CUdeviceptr address;
  size_t bytes;
  EXPECT_EQ(api()->memAlloc(nullptr, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(api()->memAlloc(&address, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(api()->memGetInfo(nullptr, &bytes), CUDA_ERROR_INVALID_VALUE);
  void *memory;
  EXPECT_EQ(api()->memHostAlloc(&memory, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(api()->memHostAlloc(&memory, 16, 8), CUDA_ERROR_INVALID_VALUE);
  int onHost;
  EXPECT_EQ(api()->memFreeHost(&onHost), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverMemory, ReportsFreeingTwiceAndWhatWasNotAllocated) {
  CUdeviceptr address = allocate(64);
  EXPECT_EQ(api()->memFree(address + 4), CUDA_ERROR_INVALID_VALUE);
  expectReport("is not the start of an allocation");
  EXPECT_EQ(api()->memFree(address), CUDA_SUCCESS);
  EXPECT_EQ(api()->memFree(address), CUDA_ERROR_INVALID_VALUE);
  expectReport("freed");
  int onHost;
  EXPECT_EQ(api()->memFree(reinterpret_cast<uintptr_t>(&onHost)),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverMemory, ReportsCopiesOutOfBounds) {
  CUdeviceptr address = allocate(64);
  char host[128] = {};
  EXPECT_EQ(api()->memcpyHtoD(address, host, 80), CUDA_ERROR_INVALID_VALUE);
  expectReport("cuMemcpyHtoD: the target, 80 bytes at 0x");
  expectReport("16 bytes past the end of an allocation of 64 bytes");
  EXPECT_EQ(api()->memcpyDtoH(host, address + 60, 5), CUDA_ERROR_INVALID_VALUE);
  expectReport("1 byte past the end");
  EXPECT_EQ(api()->memsetD8Async(address, 0, 65, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(api()->memsetD32Async(address, 0, 17, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(api()->memsetD32Async(address + 2, 0, 1, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(api()->memcpyDtoDAsync(address, address + 32, 33, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  expectReport("the source");
  // Nothing is not out of bounds.
  EXPECT_EQ(api()->memcpyHtoD(address + 64, host, 0), CUDA_SUCCESS);
}

TEST_F(DriverMemory, TellsHostPointersFromDevicePointers) {
  CUdeviceptr address = allocate(64);
  uint32_t *locked = pinned(16);
  char host[64];
  EXPECT_EQ(api()->memcpyHtoD(reinterpret_cast<uintptr_t>(host), host, 64),
            CUDA_ERROR_INVALID_VALUE);
  expectReport("in no memory of the device");
  EXPECT_EQ(api()->memcpyHtoD(reinterpret_cast<uintptr_t>(locked), host, 64),
            CUDA_ERROR_INVALID_VALUE);
  expectReport("page-locked host memory, not device memory");
  EXPECT_EQ(api()->memcpyHtoD(address, reinterpret_cast<void *>(address), 64),
            CUDA_ERROR_INVALID_VALUE);
  expectReport("device memory, not host memory");
  EXPECT_EQ(api()->memcpyDtoH(nullptr, address, 64), CUDA_ERROR_INVALID_VALUE);
  expectReport("a null pointer");
  EXPECT_EQ(api()->memcpyHtoDAsync(address, locked + 8, 40, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  expectReport("8 bytes past the end of a page-locked allocation of 64 bytes");
}

TEST_F(DriverMemory, AReportBelongsToItsError) {
  char host[8];
  EXPECT_EQ(api()->memcpyHtoD(0, host, 8), CUDA_ERROR_INVALID_VALUE);
  expectReport("a null pointer");
  EXPECT_EQ(api()->memAlloc(nullptr, 8), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(report(), "");
}

TEST_F(DriverMemory, HasAnEnd) {
  TearDown();
  start({{"NEEDLE_CUDASIM_MEMORY", "64K"}});
  CUdeviceptr first = allocate(48 << 10), second = 0;
  EXPECT_EQ(api()->memAlloc(&second, (16 << 10) + 1), CUDA_ERROR_OUT_OF_MEMORY);
  expectReport("49152 of 65536 bytes are in use");
  size_t free = 0, total = 0;
  EXPECT_EQ(api()->memGetInfo(&free, &total), CUDA_SUCCESS);
  EXPECT_EQ(free, size_t(16) << 10);
  EXPECT_EQ(total, size_t(64) << 10);
  EXPECT_EQ(api()->memFree(first), CUDA_SUCCESS);
  EXPECT_EQ(api()->memAlloc(&second, 64 << 10), CUDA_SUCCESS);
}

TEST_F(DriverMemory, SaysWhatAPointerIs) {
  CUdeviceptr address = allocate(64);
  auto locked = reinterpret_cast<CUdeviceptr>(pinned(4));
  uint32_t type = 0;
  EXPECT_EQ(api()->pointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                       address + 8),
            CUDA_SUCCESS);
  EXPECT_EQ(type, CU_MEMORYTYPE_DEVICE);
  EXPECT_EQ(api()->pointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                       locked),
            CUDA_SUCCESS);
  EXPECT_EQ(type, CU_MEMORYTYPE_HOST);
  CUdeviceptr start = 0;
  size_t size = 0;
  EXPECT_EQ(api()->pointerGetAttribute(
                &start, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, address + 8),
            CUDA_SUCCESS);
  EXPECT_EQ(start, address);
  EXPECT_EQ(api()->pointerGetAttribute(&size, CU_POINTER_ATTRIBUTE_RANGE_SIZE,
                                       address + 8),
            CUDA_SUCCESS);
  EXPECT_EQ(size, 64u);
  EXPECT_EQ(api()->pointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                       reinterpret_cast<uintptr_t>(&type)),
            CUDA_ERROR_INVALID_VALUE);
}

/// Leaks many blocks in a new simulator.
void leakMany() {
  auto driver = loadSimulator();
  CUcontext context;
  CUdeviceptr address;
  (*driver)->devicePrimaryCtxRetain(&context, 0);
  (*driver)->ctxSetCurrent(context);
  for (int i = 0; i < 25; ++i)
    (*driver)->memAlloc(&address, 4);
  std::exit(0);
}

/// Allocates three blocks in a new simulator, frees the second, and ends.
void leak(bool release) {
  auto driver = loadSimulator();
  CUcontext context;
  CUdeviceptr address[3];
  (*driver)->devicePrimaryCtxRetain(&context, 0);
  (*driver)->ctxSetCurrent(context);
  for (int i = 0; i < 3; ++i)
    (*driver)->memAlloc(&address[i], 1000u << i);
  (*driver)->memFree(address[1]);
  if (release)
    (*driver)->devicePrimaryCtxRelease(0);
  std::exit(0);
}

TEST(DriverLeaks, AreReportedAtExit) {
  EXPECT_EXIT(leak(false), ExitedWithCode(0),
              "device memory leaked at exit: 2 allocations, 5000 bytes\n"
              "  allocation 1: 1000 bytes at 0x[0-9a-f]+\n"
              "  allocation 3: 4000 bytes at 0x[0-9a-f]+\n");
}

TEST(DriverLeaks, AreNotAllListedWhereThereAreMany) {
  EXPECT_EXIT(
      leakMany(), ExitedWithCode(0),
      "25 allocations, 100 bytes\n.*allocation 20: .*\n  and 5 more\n$");
}

TEST(DriverLeaks, AreNotOfContextsThatWereReleased) {
  EXPECT_EXIT(leak(true), ExitedWithCode(0), "^$");
}

} // namespace
} // namespace ndl::test

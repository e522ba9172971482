// The simulated driver: initialization, the device, contexts.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestSimulator.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <thread>

#include <dlfcn.h>

namespace ndl::test {
namespace {

using DriverDevice = SimulatorTest;

/// The functions of a simulator on which cuInit was not called.
DriverFunctions openUninitialized() {
  DriverFunctions functions;
  void *library = ::dlopen(copySimulator().c_str(), RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(library, nullptr) << ::dlerror();
#define NEEDLE_CUDA_FUNCTION(name, symbol, parameters)                         \
  functions.name =                                                             \
      reinterpret_cast<decltype(functions.name)>(::dlsym(library, #symbol));
#include "cuda/driver_functions.def"
  return functions;
}

TEST(DriverLibrary, ExportsTheEntryPointsAlone) {
  std::set<std::string> expected = {"ndlCudaSim", "ndlCudaSimReport"};
#define NEEDLE_CUDA_FUNCTION(name, symbol, parameters) expected.insert(#symbol);
#include "cuda/driver_functions.def"
  std::string command = std::string(NEEDLE_TEST_NM) +
                        " -D --defined-only --format=posix " +
                        NEEDLE_TEST_SIMULATOR;
  FILE *pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::set<std::string> exported;
  char line[512];
  while (std::fgets(line, sizeof line, pipe)) {
    std::string name = line;
    name.resize(name.find(' '));
    // Sanitizers and coverage export what is theirs.
    if (name.rfind("__", 0) != 0)
      exported.insert(name);
  }
  ASSERT_EQ(::pclose(pipe), 0);
  EXPECT_EQ(exported, expected);
}

TEST(DriverLibrary, NothingWorksBeforeInitialization) {
  DriverFunctions api = openUninitialized();
  int count = 0, version = 0;
  CUcontext context = nullptr;
  CUdeviceptr address = 0;
  EXPECT_EQ(api.deviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(api.devicePrimaryCtxRetain(&context, 0),
            CUDA_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(api.memAlloc(&address, 4), CUDA_ERROR_NOT_INITIALIZED);
  // Documented to work.
  EXPECT_EQ(api.driverGetVersion(&version), CUDA_SUCCESS);
  EXPECT_EQ(version, 13000);
  EXPECT_EQ(api.init(1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(api.init(0), CUDA_SUCCESS);
  EXPECT_EQ(api.init(0), CUDA_SUCCESS);
  EXPECT_EQ(api.deviceGetCount(&count), CUDA_SUCCESS);
  EXPECT_EQ(count, 1);
}

TEST(DriverLibrary, RefusesSettingsThatMakeNoSense) {
  struct {
    const char *name, *value, *message;
  } cases[] = {
      {"NEEDLE_CUDASIM_ARCH", "81",
       "NEEDLE_CUDASIM_ARCH is 81, but must be one of 75, 80, 86"},
      {"NEEDLE_CUDASIM_ARCH", "sm_80",
       "NEEDLE_CUDASIM_ARCH is 'sm_80', but must be a number"},
      {"NEEDLE_CUDASIM_MEMORY", "1T",
       "NEEDLE_CUDASIM_MEMORY is '1T', but must be a number of bytes"},
      {"NEEDLE_CUDASIM_MEMORY", "18446744073709551615G",
       "must be a number of bytes"},
      {"NEEDLE_CUDASIM_SEED", "-1", "NEEDLE_CUDASIM_SEED is '-1'"},
  };
  for (const auto &c : cases) {
    ::setenv(c.name, c.value, 1);
    std::unique_ptr<const Driver> driver;
    Status status = Driver::load(copySimulator(), driver);
    ::unsetenv(c.name);
    EXPECT_EQ(status.code(), NDL_NOT_FOUND) << c.value;
    EXPECT_NE(status.message().find(c.message), std::string::npos)
        << status.message();
  }
}

TEST_F(DriverDevice, SaysWhatItIs) {
  char name[64], shortName[8];
  EXPECT_EQ(api()->deviceGetName(name, sizeof name, 0), CUDA_SUCCESS);
  EXPECT_STREQ(name, "needle simulated CUDA device (sm_80)");
  EXPECT_EQ(api()->deviceGetName(shortName, sizeof shortName, 0), CUDA_SUCCESS);
  EXPECT_STREQ(shortName, "needle ");
  CUdevice device = -1;
  EXPECT_EQ(api()->deviceGet(&device, 0), CUDA_SUCCESS);
  EXPECT_EQ(device, 0);
  EXPECT_EQ(api()->deviceGet(&device, 1), CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(api()->deviceGetName(name, sizeof name, 1),
            CUDA_ERROR_INVALID_DEVICE);
  size_t bytes = 0;
  EXPECT_EQ(api()->deviceTotalMem(&bytes, 0), CUDA_SUCCESS);
  EXPECT_EQ(bytes, size_t(1) << 30);
}

// Values from the CUDA C++ Programming Guide, "Technical Specifications per
// Compute Capability".
TEST(DriverAttributes, AreThoseOfTheArchitecture) {
  struct {
    const char *architecture;
    int major, minor, optin, perMultiprocessor, threads;
  } cases[] = {{"75", 7, 5, 64, 64, 1024},
               {"80", 8, 0, 163, 164, 2048},
               {"86", 8, 6, 99, 100, 1536},
               {"89", 8, 9, 99, 100, 1536},
               {"90", 9, 0, 227, 228, 2048}};
  for (const auto &c : cases) {
    auto driver = loadSimulator({{"NEEDLE_CUDASIM_ARCH", c.architecture}});
    auto attribute = [&](CUdeviceAttribute attribute) {
      int value = -1;
      EXPECT_EQ((*driver)->deviceGetAttribute(&value, attribute, 0),
                CUDA_SUCCESS);
      return value;
    };
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR), c.major);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR), c.minor);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
              c.optin * 1024);
    EXPECT_EQ(
        attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR),
        c.perMultiprocessor * 1024);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR),
              c.threads);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK),
              48 * 1024);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z), 64);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_WARP_SIZE), 32);
    int value;
    EXPECT_EQ((*driver)->deviceGetAttribute(&value, CUdeviceAttribute(9999), 0),
              CUDA_ERROR_INVALID_VALUE);
  }
}

TEST_F(DriverDevice, NamesErrors) {
  const char *text = nullptr;
  EXPECT_EQ(api()->getErrorName(CUDA_ERROR_ILLEGAL_ADDRESS, &text),
            CUDA_SUCCESS);
  EXPECT_STREQ(text, "CUDA_ERROR_ILLEGAL_ADDRESS");
  EXPECT_EQ(api()->getErrorString(CUDA_ERROR_ILLEGAL_ADDRESS, &text),
            CUDA_SUCCESS);
  EXPECT_STRNE(text, "");
  EXPECT_EQ(api()->getErrorName(CUresult(12345), &text),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(text, nullptr);
  EXPECT_EQ(api().describe(CUresult(12345)), "CUDA error 12345");
}

TEST_F(DriverDevice, KeepsAStackOfContextsForEachThread) {
  CUcontext current = nullptr;
  EXPECT_EQ(api()->ctxGetCurrent(&current), CUDA_SUCCESS);
  EXPECT_EQ(current, context);
  std::thread([&] {
    CUdeviceptr address;
    EXPECT_EQ(api()->ctxGetCurrent(&current), CUDA_SUCCESS);
    EXPECT_EQ(current, nullptr);
    EXPECT_EQ(api()->memAlloc(&address, 4), CUDA_ERROR_INVALID_CONTEXT);
    EXPECT_EQ(api()->ctxPopCurrent(&current), CUDA_ERROR_INVALID_CONTEXT);
    EXPECT_EQ(api()->ctxPushCurrent(context), CUDA_SUCCESS);
    EXPECT_EQ(api()->memAlloc(&address, 4), CUDA_SUCCESS);
    EXPECT_EQ(api()->memFree(address), CUDA_SUCCESS);
    EXPECT_EQ(api()->ctxPopCurrent(&current), CUDA_SUCCESS);
    EXPECT_EQ(current, context);
    EXPECT_EQ(api()->ctxGetCurrent(&current), CUDA_SUCCESS);
    EXPECT_EQ(current, nullptr);
  }).join();
  EXPECT_EQ(api()->ctxSetCurrent(nullptr), CUDA_SUCCESS);
  EXPECT_EQ(api()->ctxSynchronize(), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(api()->ctxPushCurrent(reinterpret_cast<CUcontext>(&current)),
            CUDA_ERROR_INVALID_CONTEXT);
}

TEST_F(DriverDevice, CountsWhoRetainsTheContext) {
  CUcontext again = nullptr;
  EXPECT_EQ(api()->devicePrimaryCtxRetain(&again, 0), CUDA_SUCCESS);
  EXPECT_EQ(again, context);
  EXPECT_EQ(api()->devicePrimaryCtxRelease(0), CUDA_SUCCESS);
  CUdeviceptr address = allocate(16);
  EXPECT_EQ(api()->devicePrimaryCtxRelease(0), CUDA_SUCCESS);
  // Gone, with all that lived in it, though still on the thread's stack.
  EXPECT_EQ(api()->memFree(address), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  EXPECT_EQ(api()->devicePrimaryCtxRelease(0), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(api()->devicePrimaryCtxRetain(&again, 0), CUDA_SUCCESS);
  EXPECT_NE(again, context);
  EXPECT_EQ(api()->ctxSetCurrent(again), CUDA_SUCCESS);
  EXPECT_EQ(api()->memFree(address), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverDevice, IsOfNoUseInAForkedChild) {
  EXPECT_EXIT(
      {
        int count;
        std::exit(api()->deviceGetCount(&count) == CUDA_ERROR_NOT_INITIALIZED &&
                          api()->init(0) == CUDA_ERROR_NOT_INITIALIZED
                      ? 0
                      : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(DriverTrace, WritesALineForEachCall) {
  testing::internal::CaptureStderr();
  auto driver = loadSimulator({{"NEEDLE_CUDASIM_TRACE", "1"}});
  CUdevice device;
  (*driver)->deviceGet(&device, 7);
  std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_NE(lines.find("cudasim: cuInit: CUDA_SUCCESS\n"), std::string::npos);
  EXPECT_NE(lines.find("cudasim: cuDeviceGet: CUDA_ERROR_INVALID_DEVICE\n"),
            std::string::npos);
}

} // namespace
} // namespace ndl::test

// Finding and loading a CUDA driver.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestSimulator.h"

#include "cuda/driver_library.h"

#include <cstdlib>

#include <dlfcn.h>

namespace ndl::test {
namespace {

using testing::ExitedWithCode;

/// The error of a driver that cannot be loaded.
Status loadWrong(const std::string &choice) {
  std::unique_ptr<const Driver> driver;
  Status status = Driver::load(choice, driver);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(driver, nullptr);
  // Every one ends with what to do.
  EXPECT_NE(status.message().find("set NEEDLE_CUDA_DRIVER=sim to simulate a "
                                  "device, or use the CPU"),
            std::string::npos)
      << status.message();
  return status;
}

#define EXPECT_MENTIONS(status, text)                                          \
  EXPECT_NE((status).message().find(text), std::string::npos)                  \
      << (status).message()

TEST(CudaDriver, LoadsTheSimulator) {
  std::unique_ptr<const Driver> driver = loadSimulator();
  EXPECT_TRUE(driver->simulated());
  EXPECT_GE(driver->version(), Driver::kOldestVersion);
  EXPECT_EQ(driver->report(), "");
  int count = 0;
  EXPECT_EQ((*driver)->deviceGetCount(&count), CUDA_SUCCESS);
  EXPECT_EQ(count, 1);
}

TEST(CudaDriver, FindsTheSimulatorByItsName) {
  std::unique_ptr<const Driver> driver;
  // The build puts programs into bin and libraries into lib.
  Status status = Driver::load("sim", driver);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(driver->simulated());
  EXPECT_NE(driver->path().find("/libneedle_cudasim.so"), std::string::npos);
}

TEST(CudaDriver, FindsTheSimulatorWhereItIsToldTo) {
  Driver::setSimulatorPath("/nowhere/libneedle_cudasim.so");
  Status status = loadWrong("sim");
  EXPECT_EQ(status.code(), NDL_NOT_FOUND);
  EXPECT_MENTIONS(status, "the simulated CUDA driver (NEEDLE_CUDA_DRIVER=sim) "
                          "was not found");
  EXPECT_MENTIONS(status, "/nowhere/libneedle_cudasim.so");
  std::string copy = copySimulator();
  Driver::setSimulatorPath(copy);
  std::unique_ptr<const Driver> driver;
  status = Driver::load("sim", driver);
  Driver::setSimulatorPath("");
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(driver->path(), copy);
}

TEST(CudaDriver, SaysWhatWasTried) {
  Status status = loadWrong("/nowhere/libcuda.so");
  EXPECT_EQ(status.code(), NDL_NOT_FOUND);
  EXPECT_MENTIONS(status,
                  "the CUDA driver named by NEEDLE_CUDA_DRIVER was not found");
  EXPECT_MENTIONS(status, "/nowhere/libcuda.so");
}

TEST(CudaDriver, SaysThatTheSystemHasNone) {
  if (void *library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)) {
    ::dlclose(library);
    GTEST_SKIP() << "this system has a driver";
  }
  Status status = loadWrong("");
  EXPECT_EQ(status.code(), NDL_NOT_FOUND);
  EXPECT_MENTIONS(status, "no CUDA driver was found");
  EXPECT_MENTIONS(status, "install or repair NVIDIA's driver");
  EXPECT_MENTIONS(status, "libcuda.so.1");
  EXPECT_MENTIONS(status, "libcuda.so:");
}

TEST(CudaDriver, RefusesAnOldDriver) {
  Status status = loadWrong(NEEDLE_TEST_OLD_DRIVER);
  EXPECT_EQ(status.code(), NDL_UNSUPPORTED_VERSION);
  EXPECT_MENTIONS(status,
                  "it is for CUDA 10.2, but needle needs 11.4 or newer");
}

TEST(CudaDriver, NamesTheFunctionsThatADriverLacks) {
  Status status = loadWrong(NEEDLE_TEST_INCOMPLETE_DRIVER);
  EXPECT_EQ(status.code(), NDL_INVALID_ARGUMENT);
  EXPECT_MENTIONS(status, "it lacks the functions cuGetErrorName, ");
  EXPECT_MENTIONS(status, "cuMemAlloc_v2");
  EXPECT_EQ(status.message().find("cuInit"), std::string::npos);
}

TEST(CudaDriver, RefusesALibraryThatIsNoDriver) {
  Status status = loadWrong("libm.so.6");
  EXPECT_MENTIONS(status, "cuInit");
}

TEST(CudaDriver, SaysThatThereIsNoDevice) {
  Status status = loadWrong(NEEDLE_TEST_DEVICELESS_DRIVER);
  EXPECT_EQ(status.code(), NDL_NOT_FOUND);
  EXPECT_MENTIONS(status, "CUDA error 100");
}

/// The process's driver, in a child of its own.
void useProcessDriver() {
  const Driver *driver = nullptr, *again = nullptr;
  ::setenv("NEEDLE_CUDA_DRIVER", "/nowhere", 1);
  if (Driver::get(driver).code() != NDL_NOT_FOUND)
    std::exit(1);
  // A later call may find what an earlier one missed.
  std::string path = copySimulator();
  ::setenv("NEEDLE_CUDA_DRIVER", path.c_str(), 1);
  if (!Driver::get(driver).ok() || driver->path() != path)
    std::exit(2);
  ::setenv("NEEDLE_CUDA_DRIVER", "/nowhere", 1);
  if (!Driver::get(again).ok() || again != driver)
    std::exit(3);
  std::exit(0);
}

TEST(CudaDriver, IsLoadedOnceForTheProcess) {
  EXPECT_EXIT(useProcessDriver(), ExitedWithCode(0), "");
}

TEST(CudaDriver, WorksInNoForkedChild) {
  std::unique_ptr<const Driver> driver = loadSimulator();
  EXPECT_TRUE(driver->checkProcess().ok());
  EXPECT_EXIT(
      {
        Status status = driver->checkProcess();
        std::fprintf(stderr, "%s", status.message().c_str());
        std::exit(status.code() == NDL_INVALID_ARGUMENT ? 0 : 1);
      },
      ExitedWithCode(0), "CUDA was in use when this process was forked");
}

} // namespace
} // namespace ndl::test

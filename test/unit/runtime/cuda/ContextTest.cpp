// A device's context: properties, what is current, its end.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestDevice.h"

#include <cstdlib>
#include <thread>

namespace ndl::test {
namespace {

using testing::ExitedWithCode;

using CudaContext = DeviceTest;

TEST_F(CudaContext, KnowsTheDevice) {
  start({{"NEEDLE_CUDASIM_ARCH", "86"}, {"NEEDLE_CUDASIM_MEMORY", "3M"}});
  const DeviceProperties &properties = context().properties();
  EXPECT_EQ(properties.name, "needle simulated CUDA device (sm_86)");
  EXPECT_EQ(properties.capability, 86);
  EXPECT_EQ(properties.warpSize, 32);
  EXPECT_EQ(properties.maxThreadsPerBlock, 1024);
  EXPECT_EQ(properties.sharedPerBlock, 48 << 10);
  EXPECT_EQ(properties.sharedPerBlockOptin, 99 << 10);
  EXPECT_EQ(properties.memory, uint64_t(3) << 20);
  EXPECT_GT(properties.multiprocessors, 0);
  EXPECT_TRUE(properties.simulated);
}

TEST_F(CudaContext, LeavesWhatIsCurrentAsItWas) {
  CUcontext current = context().handle();
  EXPECT_OK(context().synchronize());
  EXPECT_EQ((*driver)->ctxGetCurrent(&current), CUDA_SUCCESS);
  EXPECT_EQ(current, nullptr);
  EXPECT_EQ((*driver)->ctxSetCurrent(context().handle()), CUDA_SUCCESS);
  EXPECT_OK(context().synchronize());
  EXPECT_EQ((*driver)->ctxGetCurrent(&current), CUDA_SUCCESS);
  EXPECT_EQ(current, context().handle());
}

TEST_F(CudaContext, NeedsADeviceThatExists) {
  std::unique_ptr<Context> other;
  EXPECT_ERROR(Context::create(*driver, 1, other), NDL_NOT_FOUND,
               "CUDA device 1: there is no such device; the driver has 1");
  EXPECT_ERROR(Context::create(*driver, -1, other), NDL_NOT_FOUND, "no such");
}

TEST(CudaDefaultDevice, IsChosenByTheEnvironment) {
  int ordinal = -1;
  ::unsetenv("NEEDLE_CUDA_DEVICE");
  EXPECT_OK(defaultDevice(ordinal));
  EXPECT_EQ(ordinal, 0);
  ::setenv("NEEDLE_CUDA_DEVICE", "12", 1);
  EXPECT_OK(defaultDevice(ordinal));
  EXPECT_EQ(ordinal, 12);
  for (const char *wrong : {"one", "-1", "99999"}) {
    ::setenv("NEEDLE_CUDA_DEVICE", wrong, 1);
    EXPECT_ERROR(defaultDevice(ordinal), NDL_INVALID_ARGUMENT,
                 "NEEDLE_CUDA_DEVICE is '" + std::string(wrong) + "'");
  }
  ::unsetenv("NEEDLE_CUDA_DEVICE");
}

TEST_F(CudaContext, EndsAtShutdown) {
  CUdeviceptr data = upload({1, 2, 3});
  Kernel *add = kernel("add");
  EXPECT_OK(run(*add, data, 3, 1));
  EXPECT_OK(device->shutdown());
  EXPECT_OK(device->shutdown());
  // The context was the only one, so it is gone.
  CUcontext current = nullptr;
  EXPECT_EQ((*driver)->ctxPushCurrent(context().handle()),
            CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ((*driver)->ctxGetCurrent(&current), CUDA_SUCCESS);
  CUdeviceptr more = 0;
  const char *text = "the CUDA device has been shut down";
  EXPECT_ERROR(device->memory().allocate(4, more), NDL_INVALID_ARGUMENT, text);
  EXPECT_ERROR(device->staging().upload(data, &more, 4), NDL_INVALID_ARGUMENT,
               text);
  EXPECT_ERROR(run(*add, data, 3, 1), NDL_INVALID_ARGUMENT, text);
  EXPECT_ERROR(context().synchronize(), NDL_INVALID_ARGUMENT, text);
  // Arrays may outlive the device.
  EXPECT_OK(device->memory().free(data));
}

TEST_F(CudaContext, WorksInNoForkedChild) {
  EXPECT_EXIT(
      {
        Status status = device->context().synchronize();
        std::fprintf(stderr, "%s", status.message().c_str());
        // Neither does shutting down there touch the parent's device.
        std::exit(status.ok() || device->shutdown().ok() ? 1 : 0);
      },
      ExitedWithCode(0), "CUDA was in use when this process was forked");
  EXPECT_OK(context().synchronize());
}

/// Uses the process's device, in a child of its own.
void useProcessDevice(bool shutdown) {
  ::setenv("NEEDLE_CUDA_DRIVER", "sim", 1);
  ::setenv("NEEDLE_CUDA_DEVICE", "5", 1);
  Device *device = nullptr, *again = nullptr;
  if (Device::get(device).code() != NDL_NOT_FOUND)
    std::exit(1);
  ::unsetenv("NEEDLE_CUDA_DEVICE");
  CUdeviceptr data;
  if (!Device::get(device).ok() || !Device::get(again).ok() ||
      device != again || !device->memory().allocate(100, data).ok())
    std::exit(2);
  if (shutdown && (!device->shutdown().ok() ||
                   Device::get(again).code() != NDL_INVALID_ARGUMENT))
    std::exit(3);
  std::exit(0);
}

TEST(CudaDevice, BelongsToTheProcess) {
  EXPECT_EXIT(useProcessDevice(true), ExitedWithCode(0), "^$");
}

TEST(CudaDevice, LeaksAreReportedWithoutShutdown) {
  EXPECT_EXIT(useProcessDevice(false), ExitedWithCode(0),
              "device memory leaked at exit: 1 allocation, 100 bytes");
}

} // namespace
} // namespace ndl::test

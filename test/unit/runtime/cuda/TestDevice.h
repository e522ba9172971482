// A simulated device for tests of the runtime.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_TEST_CUDA_TEST_DEVICE_H
#define NEEDLE_TEST_CUDA_TEST_DEVICE_H

#include "TestSimulator.h"

#include "cuda/device.h"
#include "cuda/launch.h"

#include <cstdlib>

namespace ndl::test {

#define EXPECT_OK(expression)                                                  \
  do {                                                                         \
    Status checked = (expression);                                             \
    EXPECT_TRUE(checked.ok()) << checked.message();                            \
  } while (false)
#define ASSERT_OK(expression)                                                  \
  do {                                                                         \
    Status checked = (expression);                                             \
    ASSERT_TRUE(checked.ok()) << checked.message();                            \
  } while (false)
/// The error has the code, and its message holds the text.
#define EXPECT_ERROR(expression, expectedCode, text)                           \
  do {                                                                         \
    Status checked = (expression);                                             \
    EXPECT_EQ(checked.code(), expectedCode);                                   \
    EXPECT_NE(checked.message().find(text), std::string::npos)                 \
        << checked.message();                                                  \
  } while (false)

class DeviceTest : public testing::Test {
protected:
  /// Called by SetUp; again, for another device.
  void start(Environment environment = {}) {
    if (device)
      EXPECT_OK(device->shutdown());
    driver = loadSimulator(environment);
    ASSERT_OK(Device::create(*driver, 0, device));
  }
  void SetUp() override { start(); }
  void TearDown() override { EXPECT_OK(device->shutdown()); }

  Context &context() { return device->context(); }
  Kernel *kernel(const char *name, const char *ptx = kArithmeticPtx) {
    Module *module = nullptr;
    Kernel *kernel = nullptr;
    EXPECT_OK(device->modules().load(ptx, module));
    if (module)
      EXPECT_OK(module->kernel(name, kernel));
    if (!kernel)
      std::abort();
    return kernel;
  }
  CUdeviceptr upload(const std::vector<uint32_t> &words) {
    CUdeviceptr address = 0;
    EXPECT_OK(device->memory().allocate(words.size() * 4, address));
    EXPECT_OK(
        device->staging().upload(address, words.data(), words.size() * 4));
    return address;
  }
  std::vector<uint32_t> download(CUdeviceptr address, size_t count) {
    std::vector<uint32_t> words(count);
    EXPECT_OK(device->staging().download(words.data(), address, count * 4));
    return words;
  }
  /// Launches `add` or `multiply`.
  Status run(Kernel &kernel, CUdeviceptr data, uint32_t count, uint32_t value,
             const char *location = "") {
    void *parameters[] = {&data, &count, &value};
    LaunchShape shape;
    shape.grid[0] = (count + 63) / 64;
    shape.block[0] = 64;
    return launch(context(), kernel, shape, parameters, location);
  }

  std::unique_ptr<const Driver> driver;
  std::unique_ptr<Device> device;
};

} // namespace ndl::test

#endif // NEEDLE_TEST_CUDA_TEST_DEVICE_H

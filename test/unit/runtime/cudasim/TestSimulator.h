// Simulators for tests, and PTX for them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_TEST_CUDASIM_TEST_SIMULATOR_H
#define NEEDLE_TEST_CUDASIM_TEST_SIMULATOR_H

#include "cuda/driver.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ndl::test {

using namespace ndl::cuda; // NOLINT(google-build-using-namespace)

using Environment =
    std::initializer_list<std::pair<const char *, const char *>>;

/// The path of a new copy of the simulator's library. A copy is a device of its
/// own: a lost context stays with it. Removed when the process ends.
std::string copySimulator();

/// A driver that is a copy of the simulator, initialized with these variables.
std::unique_ptr<const Driver> loadSimulator(Environment environment = {});

/// `add(u32 *data, u32 count, u32 value)`, one thread an element; `multiply`,
/// the same; each in blocks of any size, and made for sm_75.
extern const char *const kArithmeticPtx;

/// A simulator with its context current.
class SimulatorTest : public testing::Test {
protected:
  /// Called by SetUp; again, for another device.
  void start(Environment environment = {});
  void SetUp() override { start(); }
  void TearDown() override;

  const Driver &api() const { return *driver; }
  std::string report() const { return driver->report(); }

  CUdeviceptr allocate(size_t bytes);
  /// Allocates and fills words.
  CUdeviceptr upload(const std::vector<uint32_t> &words);
  /// Reads words after all work is done.
  std::vector<uint32_t> download(CUdeviceptr address, size_t count);
  CUmodule load(const char *ptx);
  CUfunction function(CUmodule module, const char *name);
  CUstream stream(unsigned flags = CU_STREAM_NON_BLOCKING);
  CUevent event(unsigned flags = CU_EVENT_DEFAULT);
  uint32_t *pinned(size_t words);
  /// Launches `add` or `multiply` on `count` words.
  CUresult launch(CUfunction function, CUdeviceptr data, uint32_t count,
                  uint32_t value, CUstream stream);

  std::unique_ptr<const Driver> driver;
  CUcontext context = nullptr;
};

} // namespace ndl::test

#endif // NEEDLE_TEST_CUDASIM_TEST_SIMULATOR_H

// Launches, and how errors of kernels reach the user.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestDevice.h"

namespace ndl::test {
namespace {

using Words = std::vector<uint32_t>;
using CudaLaunch = DeviceTest;

const char *const kSharedPtx =
    ".version 6.3\n"
    ".target sm_75\n"
    ".address_size 64\n"
    ".extern .shared .align 16 .b8 dynamic[];\n"
    // Writes to the last word of `bytes` bytes of shared memory, and reads it.
    ".visible .entry last(.param .u64 out, .param .u32 bytes)\n"
    "{\n"
    "  .reg .b32 %r<5>;\n"
    "  .reg .b64 %rd<2>;\n"
    "  ld.param.u64 %rd1, [out];\n"
    "  ld.param.u32 %r1, [bytes];\n"
    "  mov.u32 %r2, dynamic;\n"
    "  add.u32 %r3, %r2, %r1;\n"
    "  mov.u32 %r4, 42;\n"
    "  st.shared.u32 [%r3+-4], %r4;\n"
    "  ld.shared.u32 %r4, [%r3+-4];\n"
    "  st.global.u32 [%rd1], %r4;\n"
    "  ret;\n"
    "}\n";

TEST_F(CudaLaunch, RunsKernels) {
  Kernel *add = kernel("add"), *multiply = kernel("multiply");
  CUdeviceptr data = upload({1, 2, 3, 4});
  EXPECT_OK(run(*add, data, 4, 10));
  EXPECT_OK(run(*multiply, data, 4, 3));
  EXPECT_EQ(download(data, 4), (Words{33, 36, 39, 42}));
}

TEST_F(CudaLaunch, AnEmptyGridDoesNothing) {
  EXPECT_OK(run(*kernel("add"), 0, 0, 10));
  EXPECT_OK(context().synchronize());
}

TEST_F(CudaLaunch, AllowsAllTheSharedMemoryThatTheDeviceHas) {
  Kernel *last = kernel("last", kSharedPtx);
  CUdeviceptr out = upload({0});
  for (uint32_t bytes : {1u << 10, 48u << 10, 163u << 10, 100u << 10}) {
    LaunchShape shape;
    shape.dynamicSharedBytes = bytes;
    void *parameters[] = {&out, &bytes};
    EXPECT_OK(launch(context(), *last, shape, parameters, ""));
    EXPECT_EQ(download(out, 1), (Words{42})) << bytes;
  }
  LaunchShape shape;
  shape.dynamicSharedBytes = (163 << 10) + 1;
  EXPECT_ERROR(launch(context(), *last, shape, nullptr, "softmax of x"),
               NDL_INVALID_ARGUMENT,
               "launching `last` (softmax of x) with grid (1, 1, 1), block (1, "
               "1, 1), 166913 bytes of dynamic shared memory: 166913 bytes of "
               "dynamic shared memory beside 0 static ones are more than a "
               "block can have");
}

TEST_F(CudaLaunch, SaysWhichLaunchWasRefused) {
  LaunchShape shape;
  shape.block[0] = 2000;
  EXPECT_ERROR(
      launch(context(), *kernel("add"), shape, nullptr, "model.mlir:12:3"),
      NDL_INTERNAL_ERROR,
      "launching `add` (model.mlir:12:3) with grid (1, 1, 1), block (2000, 1, "
      "1): cuLaunchKernel: CUDA_ERROR_INVALID_VALUE");
  // That is no loss.
  EXPECT_OK(context().synchronize());
  EXPECT_EQ(download(upload({1}), 1), (Words{1}));
}

TEST_F(CudaLaunch, AFaultNamesTheKernelsThatMayHaveCausedIt) {
  Kernel *add = kernel("add"), *multiply = kernel("multiply");
  CUdeviceptr data = upload({1, 2});
  EXPECT_OK(run(*multiply, data, 2, 1, "before.mlir:1:1"));
  EXPECT_OK(context().synchronize());
  EXPECT_OK(run(*multiply, data, 2, 1, "model.mlir:7:1"));
  // The planted mistake: one element too many.
  EXPECT_OK(run(*add, data, 3, 1, "model.mlir:8:1"));
  Status status = context().synchronize();
  EXPECT_EQ(status.code(), NDL_INTERNAL_ERROR);
  const std::string &text = status.message();
  EXPECT_EQ(
      text.find("the CUDA context was lost by CUDA_ERROR_ILLEGAL_ADDRESS"), 0u)
      << text;
  EXPECT_NE(text.find("kernels launched since the last synchronization: "
                      "`multiply` (model.mlir:7:1), `add` (model.mlir:8:1)"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("before.mlir"), std::string::npos) << text;
  // The simulator knows more.
  EXPECT_NE(text.find("\nkernel `add`, PTX line"), std::string::npos) << text;
  EXPECT_NE(text.find("thread (2,0,0)"), std::string::npos) << text;
  EXPECT_NE(text.find("Restart the process"), std::string::npos) << text;
}

TEST_F(CudaLaunch, ADownloadProvesThatEarlierKernelsEndedWell) {
  Kernel *add = kernel("add"), *multiply = kernel("multiply");
  CUdeviceptr data = upload({1, 2});
  EXPECT_OK(run(*multiply, data, 2, 2, "good"));
  EXPECT_EQ(download(data, 2), (Words{2, 4}));
  EXPECT_OK(run(*add, data, 3, 1, "bad"));
  EXPECT_ERROR(context().synchronize(), NDL_INTERNAL_ERROR,
               "synchronization: `add` (bad)");
}

TEST_F(CudaLaunch, AfterALossEveryCallSaysSo) {
  Kernel *add = kernel("add");
  CUdeviceptr data = upload({1, 2}), more = 0;
  EXPECT_OK(run(*add, data, 3, 1, "here"));
  uint32_t words[2];
  EXPECT_ERROR(device->staging().download(words, data, 8), NDL_INTERNAL_ERROR,
               "`add` (here)");
  const char *text = "the CUDA context was lost by an earlier error, "
                     "CUDA_ERROR_ILLEGAL_ADDRESS";
  Module *module = nullptr;
  EXPECT_ERROR(context().synchronize(), NDL_INTERNAL_ERROR, text);
  EXPECT_ERROR(run(*add, data, 2, 1), NDL_INTERNAL_ERROR, text);
  EXPECT_ERROR(device->memory().allocate(4, more), NDL_INTERNAL_ERROR, text);
  EXPECT_ERROR(device->staging().upload(data, words, 8), NDL_INTERNAL_ERROR,
               text);
  EXPECT_ERROR(device->staging().copy(data, data, 4), NDL_INTERNAL_ERROR, text);
  EXPECT_ERROR(device->modules().load(kSharedPtx, module), NDL_INTERNAL_ERROR,
               text);
  EXPECT_ERROR(context().usable(), NDL_INTERNAL_ERROR, "restart the process");
  // What the context held went with it.
  EXPECT_OK(device->memory().free(data));
  EXPECT_OK(device->shutdown());
}

TEST_F(CudaLaunch, ALossIsFoundByWhateverIsCalledNext) {
  Kernel *add = kernel("add");
  CUdeviceptr data = upload({1, 2});
  EXPECT_OK(run(*add, data, 3, 1, "here"));
  // On the simulator, freeing waits.
  EXPECT_ERROR(device->memory().free(data), NDL_INTERNAL_ERROR,
               "reported by cuMemFree; kernels launched since the last "
               "synchronization: `add` (here)");
}

TEST(CudaLaunchLog, KeepsTheNewest) {
  LaunchLog log;
  EXPECT_EQ(log.describe(), "");
  log.add("a", "x:1");
  log.add("b", "");
  EXPECT_EQ(log.describe(),
            "kernels launched since the last synchronization: `a` (x:1), `b`");
  uint64_t mark = log.mark();
  log.add("c", "");
  log.completed(mark);
  EXPECT_EQ(log.describe(),
            "kernels launched since the last synchronization: `c`");
  log.completed(mark - 1); // an older mark changes nothing
  for (uint64_t i = 0; i < LaunchLog::numKept; ++i)
    log.add("k" + std::to_string(i), "");
  EXPECT_EQ(log.describe(),
            "kernels launched since the last synchronization: 1 earlier ones, "
            "`k0`, `k1`, `k2`, `k3`, `k4`, `k5`, `k6`, `k7`");
  log.completed(log.mark());
  EXPECT_EQ(log.describe(), "");
}

} // namespace
} // namespace ndl::test

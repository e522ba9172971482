// PTX: choosing, loading, kernels.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestDevice.h"

#include "cuda/ptx_choice.h"

namespace ndl::test {
namespace {

using CudaModuleCache = DeviceTest;

/// The text of the image chosen for a device; "" if there is none.
std::string choose(const std::vector<PtxImage> &images, int capability) {
  DeviceProperties device;
  device.capability = capability;
  const PtxImage *chosen = nullptr;
  Status status = choosePtx(images.data(), images.size(), device, chosen);
  return status.ok() ? std::string(chosen->text) : "";
}

TEST(CudaPtxChoice, IsTheHighestTargetNotAboveTheDevice) {
  std::vector<PtxImage> images = {{80, false, "80"},
                                  {75, false, "75"},
                                  {90, true, "90a"},
                                  {90, false, "90"}};
  EXPECT_EQ(choose(images, 70), "");
  EXPECT_EQ(choose(images, 75), "75");
  EXPECT_EQ(choose(images, 80), "80");
  EXPECT_EQ(choose(images, 89), "80");
  EXPECT_EQ(choose(images, 90), "90a");
  EXPECT_EQ(choose(images, 100), "90"); // 90a runs on 9.0 alone
  EXPECT_EQ(choose({}, 80), "");
}

TEST(CudaPtxChoice, SaysWhatThereIs) {
  DeviceProperties device;
  device.name = "Old";
  device.capability = 61;
  std::vector<PtxImage> images = {{80, false, ""}, {90, true, ""}};
  const PtxImage *chosen = nullptr;
  EXPECT_ERROR(
      choosePtx(images.data(), images.size(), device, chosen), NDL_NOT_FOUND,
      "no PTX for the CUDA device Old (sm_61): the artifact has it for "
      "sm_80, sm_90a; compile for sm_61 or an older target, or use "
      "the CPU");
  EXPECT_ERROR(choosePtx(nullptr, 0, device, chosen), NDL_NOT_FOUND,
               "the artifact has none");
}

TEST_F(CudaModuleCache, LoadsEachTextOnce) {
  Module *first = nullptr, *second = nullptr, *third = nullptr;
  std::string copy = kArithmeticPtx;
  EXPECT_OK(device->modules().load(kArithmeticPtx, first));
  EXPECT_OK(device->modules().load(copy, second));
  EXPECT_EQ(first, second);
  copy += "\n";
  EXPECT_OK(device->modules().load(copy, third));
  EXPECT_NE(first, third);
  EXPECT_EQ(device->modules().size(), 2u);
  Kernel *add = nullptr, *again = nullptr;
  EXPECT_OK(first->kernel("add", add));
  EXPECT_OK(first->kernel("add", again));
  EXPECT_EQ(add, again);
  EXPECT_OK(device->modules().clear());
  EXPECT_EQ(device->modules().size(), 0u);
}

TEST_F(CudaModuleCache, TakesTextThatDoesNotEnd) {
  // A view into a larger file.
  std::string file = std::string(kArithmeticPtx) + "@garbage";
  Module *module = nullptr;
  EXPECT_OK(device->modules().load(
      std::string_view(file).substr(0, file.size() - 8), module));
}

TEST_F(CudaModuleCache, HandsOnWhatTheCompilerSays) {
  Module *module = nullptr;
  EXPECT_ERROR(device->modules().load(".version 6.3\n"
                                      ".target sm_75\n"
                                      ".address_size 64\n"
                                      ".visible .entry f()\n"
                                      "{\n"
                                      "  frobnicate.u32 %r1;\n"
                                      "}\n",
                                      module),
               NDL_INTERNAL_ERROR,
               "cuModuleLoadDataEx: CUDA_ERROR_INVALID_PTX");
  Status status = device->modules().load(".version 9.9\n.target sm_75\n"
                                         ".address_size 64\n",
                                         module);
  EXPECT_EQ(status.code(), NDL_UNSUPPORTED_VERSION);
  EXPECT_NE(status.message().find("\nPTX version 9.9 is newer"),
            std::string::npos)
      << status.message();
  // Nothing wrong is kept.
  EXPECT_EQ(device->modules().size(), 0u);
}

TEST_F(CudaModuleCache, KnowsKernelsAndVariables) {
  const char *ptx = ".version 6.3\n"
                    ".target sm_75\n"
                    ".address_size 64\n"
                    ".visible .global .align 4 .u32 table[2] = {7, 8};\n"
                    ".visible .entry f() .maxntid 96, 1, 1\n"
                    "{\n"
                    "  .shared .align 4 .b8 buffer[20];\n"
                    "  .reg .b32 %r<2>;\n"
                    "  mov.u32 %r1, 0;\n"
                    "  st.shared.u32 [buffer], %r1;\n"
                    "  ret;\n"
                    "}\n";
  Kernel *f = kernel("f", ptx);
  EXPECT_EQ(f->name(), "f");
  EXPECT_EQ(f->maxThreadsPerBlock(), 96);
  EXPECT_EQ(f->staticSharedBytes(), 20);
  EXPECT_EQ(f->localBytes(), 0);
  Module *module = nullptr;
  EXPECT_OK(device->modules().load(ptx, module));
  Kernel *none = nullptr;
  EXPECT_ERROR(module->kernel("g", none), NDL_NOT_FOUND, "kernel `g`: ");
  CUdeviceptr address = 0;
  size_t bytes = 0;
  EXPECT_OK(module->global("table", address, bytes));
  EXPECT_EQ(bytes, 8u);
  EXPECT_EQ(download(address, 2), (std::vector<uint32_t>{7, 8}));
  EXPECT_ERROR(module->global("chair", address, bytes), NDL_NOT_FOUND,
               "variable `chair`: ");
}

} // namespace
} // namespace ndl::test

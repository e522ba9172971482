// The simulated driver: loading PTX, functions and variables.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestSimulator.h"

#include <cstring>

namespace ndl::test {
namespace {

constexpr const char *kHeader = ".version 6.3\n"
                                ".target sm_75\n"
                                ".address_size 64\n";

class DriverModule : public SimulatorTest {
protected:
  /// Loads PTX that the driver refuses; returns the error log.
  std::string loadWrong(const std::string &ptx, CUresult expected) {
    CUmodule module = nullptr;
    char log[512];
    std::memset(log, 'x', sizeof log);
    CUjitOption options[] = {CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
                             CU_JIT_OPTIMIZATION_LEVEL,
                             CU_JIT_ERROR_LOG_BUFFER};
    void *values[] = {reinterpret_cast<void *>(sizeof log),
                      reinterpret_cast<void *>(4), log};
    EXPECT_EQ(api()->moduleLoadDataEx(&module, ptx.c_str(), 3, options, values),
              expected)
        << ptx;
    EXPECT_EQ(reinterpret_cast<size_t>(values[0]), std::strlen(log));
    return log;
  }
  int attribute(CUfunction function, CUfunctionAttribute attribute) {
    int value = -2;
    EXPECT_EQ(api()->funcGetAttribute(&value, attribute, function),
              CUDA_SUCCESS);
    return value;
  }
};

TEST_F(DriverModule, FindsFunctions) {
  CUmodule module = load(kArithmeticPtx);
  CUfunction add = function(module, "add"), again = function(module, "add");
  EXPECT_EQ(add, again);
  EXPECT_NE(add, function(module, "multiply"));
  CUfunction none = nullptr;
  EXPECT_EQ(api()->moduleGetFunction(&none, module, "divide"),
            CUDA_ERROR_NOT_FOUND);
  EXPECT_NE(report().find("no kernel `divide`"), std::string::npos);
  EXPECT_EQ(api()->moduleUnload(module), CUDA_SUCCESS);
  EXPECT_EQ(api()->moduleUnload(module), CUDA_ERROR_INVALID_HANDLE);
  int value;
  EXPECT_EQ(api()->funcGetAttribute(&value, CU_FUNC_ATTRIBUTE_NUM_REGS, add),
            CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(DriverModule, SaysWhatIsWrongWithThePtx) {
  std::string log = loadWrong(std::string(kHeader) + ".visible .entry f()\n"
                                                     "{\n"
                                                     "  frobnicate.u32 %r1;\n"
                                                     "}\n",
                              CUDA_ERROR_INVALID_PTX);
  EXPECT_NE(log.find("PTX line 6: "), std::string::npos) << log;
  EXPECT_NE(log.find("frobnicate"), std::string::npos) << log;
}

TEST_F(DriverModule, RefusesTargetsThatTheDeviceIsNot) {
  std::string log = loadWrong(".version 7.8\n.target sm_90\n.address_size 64\n",
                              CUDA_ERROR_INVALID_PTX);
  EXPECT_NE(log.find(".target sm_90 does not run on the device, which is "
                     "sm_80"),
            std::string::npos)
      << log;
  loadWrong(".version 8.0\n.target sm_90a\n.address_size 64\n",
            CUDA_ERROR_INVALID_PTX);
  TearDown();
  start({{"NEEDLE_CUDASIM_ARCH", "100"}});
  load(".version 7.8\n.target sm_90\n.address_size 64\n");
  // Features of an architecture are of that one alone.
  loadWrong(".version 8.0\n.target sm_90a\n.address_size 64\n",
            CUDA_ERROR_INVALID_PTX);
}

TEST_F(DriverModule, RefusesWhatIsNoPtxItKnows) {
  std::string log = loadWrong(".version 9.9\n.target sm_75\n.address_size 64\n",
                              CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
  EXPECT_NE(log.find("PTX version 9.9 is newer than the driver"),
            std::string::npos)
      << log;
  log = loadWrong("\x7f"
                  "ELF...",
                  CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_NE(log.find("PTX text, not compiled code"), std::string::npos);
  loadWrong("", CUDA_ERROR_INVALID_PTX);
  CUmodule module;
  EXPECT_EQ(api()->moduleLoadDataEx(&module, nullptr, 0, nullptr, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(
      api()->moduleLoadDataEx(&module, kArithmeticPtx, 1, nullptr, nullptr),
      CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverModule, CutsALogThatIsTooLong) {
  char log[9] = "xxxxxxxx";
  CUjitOption options[] = {CU_JIT_ERROR_LOG_BUFFER,
                           CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, reinterpret_cast<void *>(5)};
  CUmodule module;
  EXPECT_EQ(api()->moduleLoadDataEx(&module,
                                    "\x7f"
                                    "ELF",
                                    2, options, values),
            CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(std::string(log, 8), std::string("the \0xxx", 8));
}

TEST_F(DriverModule, KnowsAttributesOfFunctions) {
  std::string ptx = std::string(kHeader) +
                    ".visible .entry f(.param .u32 x)\n"
                    ".maxntid 16, 8, 2\n"
                    "{\n"
                    "  .shared .align 4 .b8 buffer[1000];\n"
                    "  .reg .b32 %r<2>;\n"
                    "  ld.param.u32 %r1, [x];\n"
                    "  st.shared.u32 [buffer], %r1;\n"
                    "  ret;\n"
                    "}\n";
  CUfunction f = function(load(ptx.c_str()), "f");
  EXPECT_EQ(attribute(f, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 256);
  EXPECT_EQ(attribute(f, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES), 1000);
  EXPECT_EQ(attribute(f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES),
            48 * 1024 - 1000);
  EXPECT_EQ(attribute(f, CU_FUNC_ATTRIBUTE_PTX_VERSION), 75);
  EXPECT_EQ(attribute(f, CU_FUNC_ATTRIBUTE_BINARY_VERSION), 80);
  EXPECT_EQ(attribute(f, CU_FUNC_ATTRIBUTE_NUM_REGS), 0);
  int value;
  EXPECT_EQ(api()->funcGetAttribute(&value, CUfunctionAttribute(99), f),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverModule, LimitsStaticSharedMemory) {
  auto ptx = [](int bytes) {
    return std::string(kHeader) + ".visible .entry f()\n{\n" +
           "  .shared .align 4 .b8 buffer[" + std::to_string(bytes) + "];\n" +
           "  .reg .b32 %r<2>;\n"
           "  mov.u32 %r1, 0;\n"
           "  st.shared.u32 [buffer], %r1;\n"
           "  ret;\n}\n";
  };
  load(ptx(49152).c_str());
  std::string log = loadWrong(ptx(49156), CUDA_ERROR_INVALID_PTX);
  EXPECT_NE(log.find("too much shared data: 49156 bytes, at most 49152"),
            std::string::npos)
      << log;
}

TEST_F(DriverModule, PlacesVariables) {
  std::string ptx = std::string(kHeader) +
                    ".visible .global .align 4 .u32 numbers[3] = {7, 8, 9};\n"
                    ".visible .const .align 4 .u32 factor = 5;\n";
  CUmodule module = load(ptx.c_str());
  CUdeviceptr address = 0;
  size_t bytes = 0;
  EXPECT_EQ(api()->moduleGetGlobal(&address, &bytes, module, "numbers"),
            CUDA_SUCCESS);
  EXPECT_EQ(bytes, 12u);
  EXPECT_EQ(download(address, 3), (std::vector<uint32_t>{7, 8, 9}));
  EXPECT_EQ(api()->moduleGetGlobal(&address, nullptr, module, "factor"),
            CUDA_SUCCESS);
  EXPECT_EQ(download(address, 1), (std::vector<uint32_t>{5}));
  EXPECT_EQ(api()->moduleGetGlobal(&address, &bytes, module, "none"),
            CUDA_ERROR_NOT_FOUND);
  // Unloading gives the memory back.
  size_t before = 0, after = 0, total;
  api()->memGetInfo(&before, &total);
  EXPECT_EQ(api()->moduleUnload(module), CUDA_SUCCESS);
  api()->memGetInfo(&after, &total);
  EXPECT_EQ(after, before + 16);
}

TEST_F(DriverModule, NeedsMemoryForVariables) {
  TearDown();
  start({{"NEEDLE_CUDASIM_MEMORY", "1000"}});
  std::string log =
      loadWrong(std::string(kHeader) + ".global .align 4 .b8 small[600];\n"
                                       ".global .align 4 .b8 large[600];\n",
                CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_NE(log.find("no memory for the variable `large`"), std::string::npos);
  allocate(1000);
}

} // namespace
} // namespace ndl::test

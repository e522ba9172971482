// Simulators for tests, and PTX for them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestSimulator.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <unistd.h>

namespace ndl::test {
namespace {

/// A folder that goes with the process that made it.
class Folder {
public:
  Folder() : process(::getpid()) {
    std::string name = testing::TempDir() + "needle-cudasim-XXXXXX";
    if (::mkdtemp(name.data()))
      path = name;
  }
  ~Folder() {
    std::error_code ignored;
    if (process == ::getpid() && !path.empty())
      std::filesystem::remove_all(path, ignored);
  }
  std::string path;

private:
  pid_t process;
};

} // namespace

std::string copySimulator() {
  static Folder folder;
  static int copies = 0;
  std::string path = folder.path + "/libcopy" + std::to_string(::getpid()) +
                     "_" + std::to_string(++copies) + ".so";
  std::error_code error;
  std::filesystem::copy_file(NEEDLE_TEST_SIMULATOR, path, error);
  EXPECT_FALSE(error) << NEEDLE_TEST_SIMULATOR << ": " << error.message();
  return path;
}

std::unique_ptr<const Driver> loadSimulator(Environment environment) {
  for (const auto &[name, value] : environment)
    ::setenv(name, value, 1);
  std::unique_ptr<const Driver> driver;
  Status status = Driver::load(copySimulator(), driver);
  EXPECT_TRUE(status.ok()) << status.message();
  for (const auto &[name, value] : environment)
    ::unsetenv(name);
  if (!driver)
    std::abort();
  return driver;
}

void SimulatorTest::start(Environment environment) {
  driver = loadSimulator(environment);
  ASSERT_EQ(api()->devicePrimaryCtxRetain(&context, 0), CUDA_SUCCESS);
  ASSERT_EQ(api()->ctxSetCurrent(context), CUDA_SUCCESS);
}

void SimulatorTest::TearDown() { api()->devicePrimaryCtxRelease(0); }

CUdeviceptr SimulatorTest::allocate(size_t bytes) {
  CUdeviceptr address = 0;
  EXPECT_EQ(api()->memAlloc(&address, bytes), CUDA_SUCCESS);
  return address;
}

CUdeviceptr SimulatorTest::upload(const std::vector<uint32_t> &words) {
  CUdeviceptr address = allocate(words.size() * 4);
  EXPECT_EQ(api()->memcpyHtoD(address, words.data(), words.size() * 4),
            CUDA_SUCCESS);
  return address;
}

std::vector<uint32_t> SimulatorTest::download(CUdeviceptr address,
                                              size_t count) {
  std::vector<uint32_t> words(count);
  EXPECT_EQ(api()->ctxSynchronize(), CUDA_SUCCESS);
  EXPECT_EQ(api()->memcpyDtoH(words.data(), address, count * 4), CUDA_SUCCESS);
  return words;
}

CUmodule SimulatorTest::load(const char *ptx) {
  CUmodule module = nullptr;
  std::string log(4096, '\0');
  CUjitOption options[] = {CU_JIT_ERROR_LOG_BUFFER,
                           CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size())};
  EXPECT_EQ(api()->moduleLoadDataEx(&module, ptx, 2, options, values),
            CUDA_SUCCESS)
      << log.c_str();
  return module;
}

CUfunction SimulatorTest::function(CUmodule module, const char *name) {
  CUfunction function = nullptr;
  EXPECT_EQ(api()->moduleGetFunction(&function, module, name), CUDA_SUCCESS);
  return function;
}

CUstream SimulatorTest::stream(unsigned flags) {
  CUstream stream = nullptr;
  EXPECT_EQ(api()->streamCreate(&stream, flags), CUDA_SUCCESS);
  return stream;
}

CUevent SimulatorTest::event(unsigned flags) {
  CUevent event = nullptr;
  EXPECT_EQ(api()->eventCreate(&event, flags), CUDA_SUCCESS);
  return event;
}

uint32_t *SimulatorTest::pinned(size_t words) {
  void *memory = nullptr;
  EXPECT_EQ(api()->memHostAlloc(&memory, words * 4, 0), CUDA_SUCCESS);
  return static_cast<uint32_t *>(memory);
}

CUresult SimulatorTest::launch(CUfunction function, CUdeviceptr data,
                               uint32_t count, uint32_t value,
                               CUstream stream) {
  void *parameters[] = {&data, &count, &value};
  return api()->launchKernel(function, (count + 63) / 64, 1, 1, 64, 1, 1, 0,
                             stream, parameters, nullptr);
}

#define ELEMENTWISE_KERNEL(name, instruction)                                  \
  ".visible .entry " name "(.param .u64 data, .param .u32 count,\n"            \
  "                         .param .u32 value)\n"                              \
  "{\n"                                                                        \
  "  .reg .pred %p<2>;\n"                                                      \
  "  .reg .b32 %r<8>;\n"                                                       \
  "  .reg .b64 %rd<4>;\n"                                                      \
  "  ld.param.u64 %rd1, [data];\n"                                             \
  "  ld.param.u32 %r1, [count];\n"                                             \
  "  ld.param.u32 %r2, [value];\n"                                             \
  "  mov.u32 %r3, %ctaid.x;\n"                                                 \
  "  mov.u32 %r4, %ntid.x;\n"                                                  \
  "  mov.u32 %r5, %tid.x;\n"                                                   \
  "  mad.lo.s32 %r6, %r3, %r4, %r5;\n"                                         \
  "  setp.ge.u32 %p1, %r6, %r1;\n"                                             \
  "  @%p1 bra $END;\n"                                                         \
  "  mul.wide.u32 %rd2, %r6, 4;\n"                                             \
  "  add.s64 %rd3, %rd1, %rd2;\n"                                              \
  "  ld.global.u32 %r7, [%rd3];\n"                                             \
  "  " instruction " %r7, %r7, %r2;\n"                                         \
  "  st.global.u32 [%rd3], %r7;\n"                                             \
  "$END:\n"                                                                    \
  "  ret;\n"                                                                   \
  "}\n"

const char *const kArithmeticPtx =
    ".version 6.3\n"
    ".target sm_75\n"
    ".address_size 64\n" ELEMENTWISE_KERNEL("add", "add.s32")
        ELEMENTWISE_KERNEL("multiply", "mul.lo.s32");

} // namespace ndl::test

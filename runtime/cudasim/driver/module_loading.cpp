// From PTX text to a module in device memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/module_loading.h"

#include "driver/simulator.h"

#include <algorithm>
#include <cstring>

namespace ndl::cudasim::driver {
namespace {

/// PTX ISA, "PTX Module Directives: .target": sm_80 runs on all later devices,
/// sm_90a on 9.0 alone, sm_100f on those of its family.
bool runsOn(const Module &module, int architecture) {
  if (module.targetSuffix() == 'a')
    return module.target() == architecture;
  if (module.targetSuffix() == 'f')
    return module.target() / 10 == architecture / 10 &&
           module.target() <= architecture;
  return module.target() <= architecture;
}

CUresult check(const Module &module, const Context &context,
               std::string &error) {
  if (!runsOn(module, context.settings.architecture)) {
    error = "the module's .target sm_" + std::to_string(module.target());
    if (module.targetSuffix())
      error += module.targetSuffix();
    error += " does not run on the device, which is sm_" +
             std::to_string(context.settings.architecture);
    return CUDA_ERROR_INVALID_PTX;
  }
  for (const Kernel &kernel : module.kernels())
    if (kernel.staticSharedBytes > static_cast<uint64_t>(kSharedPerBlock)) {
      error = "PTX line " + std::to_string(kernel.line) + ": kernel `" +
              kernel.name + "` uses too much shared data: " +
              std::to_string(kernel.staticSharedBytes) + " bytes, at most " +
              std::to_string(kSharedPerBlock);
      return CUDA_ERROR_INVALID_PTX;
    }
  return CUDA_SUCCESS;
}

CUresult placeGlobals(Context &context, Module &module, std::string &error) {
  const std::vector<GlobalVariable> &globals = module.globals();
  for (size_t i = 0; i < globals.size(); ++i) {
    // A variable without a size still has an address of its own.
    uint64_t address =
        context.memory.allocate(std::max<uint64_t>(1, globals[i].bytes));
    if (!address) {
      error = "no memory for the variable `" + globals[i].name + "`, " +
              std::to_string(globals[i].bytes) + " bytes";
      for (size_t j = 0; j < i; ++j)
        context.memory.free(globals[j].address);
      return CUDA_ERROR_OUT_OF_MEMORY;
    }
    module.bindGlobal(i, address);
  }
  // Initializers may hold addresses of each other.
  for (size_t i = 0; i < globals.size(); ++i) {
    std::vector<uint8_t> bytes = module.initialBytes(i);
    if (!bytes.empty())
      std::memcpy(context.memory.at(globals[i].address, bytes.size()),
                  bytes.data(), bytes.size());
  }
  return CUDA_SUCCESS;
}

} // namespace

CUresult loadModule(Context &context, const char *image, Module &module,
                    std::string &error) {
  constexpr char elf[] = "\x7f"
                         "ELF";
  constexpr char fatBinary[] = "\x50\xed\x55\xba";
  if (!std::strncmp(image, elf, 4) || !std::strncmp(image, fatBinary, 4)) {
    error = "the simulator runs PTX text, not compiled code";
    return CUDA_ERROR_NO_BINARY_FOR_GPU;
  }
  Diagnostic diagnostic;
  bool parsed = parse(image, module, diagnostic);
  // A text of a newer version may fail for what the parser does not know yet.
  if (module.version() > kNewestPtx) {
    error = "PTX version " + std::to_string(module.version() / 10) + "." +
            std::to_string(module.version() % 10) +
            " is newer than the driver, which knows " +
            std::to_string(kNewestPtx / 10) + "." +
            std::to_string(kNewestPtx % 10);
    return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
  }
  if (!parsed) {
    error = "PTX line " + std::to_string(diagnostic.line) + ": " +
            diagnostic.message;
    return CUDA_ERROR_INVALID_PTX;
  }
  if (CUresult result = check(module, context, error); result != CUDA_SUCCESS)
    return result;
  return placeGlobals(context, module, error);
}

void writeJitLogs(const std::string &error, unsigned numOptions,
                  const CUjitOption *options, void **optionValues) {
  auto write = [&](CUjitOption buffer, CUjitOption size,
                   const std::string &text) {
    const CUjitOption *end = options + numOptions;
    const CUjitOption *bufferAt = std::find(options, end, buffer);
    const CUjitOption *sizeAt = std::find(options, end, size);
    if (bufferAt == end || sizeAt == end)
      return;
    auto *target = static_cast<char *>(optionValues[bufferAt - options]);
    void *&value = optionValues[sizeAt - options];
    // The size is passed in the place of a pointer, 32 bits wide.
    auto room = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(value));
    if (!target || room == 0)
      return;
    size_t written = std::min<size_t>(text.size(), room - 1);
    std::memcpy(target, text.data(), written);
    target[written] = '\0';
    value = reinterpret_cast<void *>(written);
  };
  write(CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, error);
  write(CU_JIT_INFO_LOG_BUFFER, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES, "");
}

} // namespace ndl::cudasim::driver

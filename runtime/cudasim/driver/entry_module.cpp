// Entry points: modules, their functions and variables.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/module_loading.h"
#include "driver/simulator.h"

#include <algorithm>

namespace ndl::cudasim::driver {
namespace {

/// Threads that a block of the kernel can have.
int maxThreads(const Kernel &kernel) {
  uint64_t most = kMaxThreadsPerBlock;
  for (const auto &threads : {kernel.requiredThreads, kernel.maximumThreads})
    if (threads[0])
      most = std::min(most, uint64_t(threads[0]) * threads[1] * threads[2]);
  return static_cast<int>(most);
}

uint64_t constantBytes(const Module &module) {
  uint64_t bytes = 0;
  for (const GlobalVariable &global : module.globals())
    if (global.space == Space::Const)
      bytes += global.bytes;
  return bytes;
}

bool functionAttribute(const Context &context, const LoadedFunction &function,
                       CUfunctionAttribute attribute, int &value) {
  const Kernel &kernel = *function.kernel;
  switch (attribute) {
  case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    value = maxThreads(kernel);
    return true;
  case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
    value = static_cast<int>(kernel.staticSharedBytes);
    return true;
  case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
    value = static_cast<int>(constantBytes(function.module->module));
    return true;
  case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
    value = static_cast<int>(kernel.localBytes);
    return true;
  case CU_FUNC_ATTRIBUTE_NUM_REGS:
    // PTX has virtual registers only; how many a device needs is for ptxas to
    // say. 0: unknown.
    value = 0;
    return true;
  case CU_FUNC_ATTRIBUTE_PTX_VERSION:
    value = function.module->module.target();
    return true;
  case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
    value = context.settings.architecture;
    return true;
  case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
    value = function.maxDynamicShared;
    return true;
  case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    value = -1; // no preference
    return true;
  }
  return false;
}

} // namespace

CUresult moduleLoadDataEx(CUmodule *module, const void *image,
                          unsigned numOptions, CUjitOption *options,
                          void **optionValues) {
  return withContext("cuModuleLoadDataEx", [&](Context &context) {
    if (!module || !image || (numOptions && (!options || !optionValues)))
      return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = context.forbidInCapture("cuModuleLoadDataEx");
        result != CUDA_SUCCESS)
      return result;
    std::string error;
    auto loaded = std::make_shared<LoadedModule>();
    CUresult result = loadModule(context, static_cast<const char *>(image),
                                 loaded->module, error);
    writeJitLogs(error, numOptions, options, optionValues);
    if (result == CUDA_SUCCESS)
      *module = context.modules.add(std::move(loaded));
    return result;
  });
}

CUresult moduleUnload(CUmodule handle) {
  return withContext("cuModuleUnload", [&](Context &context) {
    std::shared_ptr<LoadedModule> module = context.modules.find(handle);
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    if (CUresult result = context.forbidInCapture("cuModuleUnload");
        result != CUDA_SUCCESS)
      return result;
    CUresult result = context.queues.runAll();
    for (const GlobalVariable &global : module->module.globals())
      context.memory.free(global.address);
    context.functions.removeIf([&](const LoadedFunction &function) {
      return function.module == module;
    });
    context.modules.remove(handle);
    return result;
  });
}

CUresult moduleGetFunction(CUfunction *function, CUmodule handle,
                           const char *name) {
  return withContext("cuModuleGetFunction", [&](Context &context) {
    if (!function || !name)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<LoadedModule> module = context.modules.find(handle);
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    const Kernel *kernel = module->module.kernel(name);
    if (!kernel) {
      report(std::string("cuModuleGetFunction: the module has no kernel `") +
             name + "`");
      return CUDA_ERROR_NOT_FOUND;
    }
    for (const auto &entry : context.functions)
      if (entry.second->kernel == kernel) {
        *function = entry.first;
        return CUDA_SUCCESS;
      }
    auto found = std::make_shared<LoadedFunction>();
    found->maxDynamicShared =
        kSharedPerBlock - static_cast<int>(kernel->staticSharedBytes);
    found->kernel = kernel;
    found->module = std::move(module);
    *function = context.functions.add(std::move(found));
    return CUDA_SUCCESS;
  });
}

CUresult moduleGetGlobal(CUdeviceptr *address, size_t *bytes, CUmodule handle,
                         const char *name) {
  return withContext("cuModuleGetGlobal", [&](Context &context) {
    if (!name || (!address && !bytes))
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<LoadedModule> module = context.modules.find(handle);
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    for (const GlobalVariable &global : module->module.globals()) {
      if (global.name != name)
        continue;
      if (address)
        *address = global.address;
      if (bytes)
        *bytes = global.bytes;
      return CUDA_SUCCESS;
    }
    return CUDA_ERROR_NOT_FOUND;
  });
}

CUresult funcGetAttribute(int *value, CUfunctionAttribute attribute,
                          CUfunction handle) {
  return withContext("cuFuncGetAttribute", [&](Context &context) {
    std::shared_ptr<LoadedFunction> function = context.functions.find(handle);
    if (!function)
      return CUDA_ERROR_INVALID_HANDLE;
    return value && functionAttribute(context, *function, attribute, *value)
               ? CUDA_SUCCESS
               : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult funcSetAttribute(CUfunction handle, CUfunctionAttribute attribute,
                          int value) {
  return withContext("cuFuncSetAttribute", [&](Context &context) {
    std::shared_ptr<LoadedFunction> function = context.functions.find(handle);
    if (!function)
      return CUDA_ERROR_INVALID_HANDLE;
    if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT)
      return value >= -1 && value <= 100 ? CUDA_SUCCESS
                                         : CUDA_ERROR_INVALID_VALUE;
    if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)
      return CUDA_ERROR_INVALID_VALUE;
    int fixed = static_cast<int>(function->kernel->staticSharedBytes);
    if (value < 0 || value > context.limits.sharedPerBlockOptin - fixed) {
      report("cuFuncSetAttribute: " + std::to_string(value) +
             " bytes of dynamic shared memory beside " + std::to_string(fixed) +
             " static ones are more than the device's " +
             std::to_string(context.limits.sharedPerBlockOptin));
      return CUDA_ERROR_INVALID_VALUE;
    }
    function->maxDynamicShared = value;
    return CUDA_SUCCESS;
  });
}

} // namespace ndl::cudasim::driver

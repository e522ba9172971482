// PTX that the driver has compiled, and its kernels.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/module_cache.h"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ndl::cuda {

Status Module::load(const std::string &ptx) {
  // The driver writes NUL-terminated text; sizes are passed in the pointers.
  constexpr size_t logBytes = 8192;
  std::string errors(logBytes, '\0'), notes(logBytes, '\0');
  auto asPointer = [](size_t value) { return reinterpret_cast<void *>(value); };
  CUjitOption options[] = {
      CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
      CU_JIT_INFO_LOG_BUFFER, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {errors.data(), asPointer(logBytes), notes.data(),
                    asPointer(logBytes)};
  CUresult result = context.driver()->moduleLoadDataEx(&module, ptx.c_str(), 4,
                                                       options, values);
  Status status = context.check(result, "cuModuleLoadDataEx");
  if (status.ok())
    return {};
  std::string text = status.message();
  for (std::string *log : {&errors, &notes}) {
    log->resize(log->find('\0') == log->npos ? logBytes : log->find('\0'));
    if (!log->empty())
      text += "\n" + *log;
  }
  return {status.code(), text};
}

Status Module::kernel(std::string_view name, Kernel *&kernel) {
  std::lock_guard<std::mutex> lock(mutex);
  auto known = kernels.find(name);
  if (known == kernels.end()) {
    CurrentContext current(context);
    if (!current.status().ok())
      return current.status();
    auto fresh = std::make_unique<Kernel>();
    fresh->symbol = name;
    if (Status status = fresh->open(context, module); !status.ok())
      return status.in("kernel `" + fresh->symbol + "`");
    known = kernels.emplace(fresh->symbol, std::move(fresh)).first;
  }
  kernel = known->second.get();
  return {};
}

Status Module::global(const std::string &name, CUdeviceptr &address,
                      size_t &bytes) {
  CurrentContext current(context);
  if (!current.status().ok())
    return current.status();
  return context
      .check(context.driver()->moduleGetGlobal(&address, &bytes, module,
                                               name.c_str()),
             "cuModuleGetGlobal")
      .in("variable `" + name + "`");
}

Status Kernel::open(Context &context, CUmodule module) {
  const Driver &driver = context.driver();
  Status status = context.check(
      driver->moduleGetFunction(&function, module, symbol.c_str()),
      "cuModuleGetFunction");
  auto read = [&](int &value, CUfunctionAttribute attribute) {
    if (status.ok())
      status =
          context.check(driver->funcGetAttribute(&value, attribute, function),
                        "cuFuncGetAttribute");
  };
  int dynamicShared = 0;
  read(maxThreads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  read(staticShared, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
  read(numRegisters, CU_FUNC_ATTRIBUTE_NUM_REGS);
  read(local, CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES);
  read(dynamicShared, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
  int withoutAsking = context.properties().sharedPerBlock - staticShared;
  allowedShared = static_cast<uint32_t>(
      std::max(0, std::min(dynamicShared, withoutAsking)));
  return status;
}

Status Kernel::allowDynamicShared(Context &context, uint32_t bytes) {
  if (bytes <= allowedShared)
    return {};
  std::lock_guard<std::mutex> lock(sharedMutex);
  if (bytes <= allowedShared)
    return {};
  int most = context.properties().sharedPerBlockOptin - staticShared;
  if (most < 0 || bytes > static_cast<uint32_t>(most))
    return {NDL_INVALID_ARGUMENT,
            std::to_string(bytes) + " bytes of dynamic shared memory beside " +
                std::to_string(staticShared) +
                " static ones are more than a block can have on " +
                context.properties().name + ": " +
                std::to_string(context.properties().sharedPerBlockOptin)};
  Status status = context.check(
      context.driver()->funcSetAttribute(
          function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
          static_cast<int>(bytes)),
      "cuFuncSetAttribute");
  if (status.ok())
    allowedShared = bytes;
  return status;
}

Status ModuleCache::load(std::string_view ptx, Module *&module) {
  XXH128_hash_t hash = XXH3_128bits(ptx.data(), ptx.size());
  Key key{hash.low64, hash.high64};
  // Held while the driver compiles: another thread most likely wants the same.
  std::lock_guard<std::mutex> lock(mutex);
  auto known = modules.find(key);
  if (known == modules.end()) {
    CurrentContext current(context);
    if (!current.status().ok())
      return current.status();
    auto fresh = std::make_unique<Module>(context);
    if (Status status = fresh->load(std::string(ptx)); !status.ok())
      return status;
    known = modules.emplace(key, std::move(fresh)).first;
  }
  module = known->second.get();
  return {};
}

Status ModuleCache::clear() {
  CurrentContext current(context);
  if (!current.status().ok())
    return current.status();
  std::lock_guard<std::mutex> lock(mutex);
  Status first;
  for (auto &[key, module] : modules) {
    CUresult result = context.driver()->moduleUnload(module->module);
    if (first.ok())
      first = context.check(result, "cuModuleUnload");
  }
  modules.clear();
  return first;
}

size_t ModuleCache::size() const {
  std::lock_guard<std::mutex> lock(mutex);
  return modules.size();
}

} // namespace ndl::cuda

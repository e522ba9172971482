// PTX that the driver has compiled, and its kernels.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_CUDA_MODULE_CACHE_H
#define NEEDLE_RUNTIME_CUDA_MODULE_CACHE_H

#include "cuda/context.h"

#include <array>
#include <map>
#include <string_view>

namespace ndl::cuda {

/// A kernel. Lives as long as its module.
class Kernel {
public:
  CUfunction handle() const { return function; }
  const std::string &name() const { return symbol; }
  int maxThreadsPerBlock() const { return maxThreads; }
  int staticSharedBytes() const { return staticShared; }
  /// Per thread; 0 from the simulator, which does not allocate any.
  int registers() const { return numRegisters; }
  int localBytes() const { return local; }

  /// Lets launches use up to `bytes` of dynamic shared memory; above what every
  /// kernel may use, the driver must be told once. Thread-safe; called by
  /// launch(). Error: NDL_INVALID_ARGUMENT (more than the device has).
  Status allowDynamicShared(Context &context, uint32_t bytes);

private:
  friend class Module;
  Status open(Context &context, CUmodule module);

  CUfunction function = nullptr;
  std::string symbol;
  int maxThreads = 0;
  int staticShared = 0;
  int numRegisters = 0;
  int local = 0;
  std::mutex sharedMutex;
  std::atomic<uint32_t> allowedShared{0};
};

/// A loaded PTX text. Lives as long as its cache.
class Module {
public:
  explicit Module(Context &context) : context(context) {}

  /// Finds a kernel by name. Thread-safe. Error: NDL_NOT_FOUND.
  Status kernel(std::string_view name, Kernel *&kernel);
  /// Address and size of a variable in global memory. Error: NDL_NOT_FOUND.
  Status global(const std::string &name, CUdeviceptr &address, size_t &bytes);

private:
  friend class ModuleCache;
  /// The driver's compiler, its log in the error.
  Status load(const std::string &ptx);

  Context &context;
  CUmodule module = nullptr;
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<Kernel>, std::less<>> kernels;
};

/// Modules by the hash of their text, so that the driver compiles each once.
/// Thread-safe.
class ModuleCache {
public:
  explicit ModuleCache(Context &context) : context(context) {}
  ModuleCache(const ModuleCache &) = delete;
  ModuleCache &operator=(const ModuleCache &) = delete;

  /// Errors: NDL_INTERNAL_ERROR (the compiler refuses the text),
  /// NDL_UNSUPPORTED_VERSION (the driver is too old for it), and those of
  /// Context.
  Status load(std::string_view ptx, Module *&module);
  /// Unloads all modules; none of their kernels may be in use.
  Status clear();
  size_t size() const;

private:
  using Key = std::array<uint64_t, 2>;

  Context &context;
  mutable std::mutex mutex;
  std::map<Key, std::unique_ptr<Module>> modules;
};

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_MODULE_CACHE_H

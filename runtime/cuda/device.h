// The process's CUDA device, with all that is kept for it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_CUDA_DEVICE_H
#define NEEDLE_RUNTIME_CUDA_DEVICE_H

#include "cuda/memory_pool.h"
#include "cuda/module_cache.h"
#include "cuda/staging.h"

namespace ndl::cuda {

/// One device with its context, memory, staging buffers and modules.
class Device {
public:
  /// The device that NEEDLE_CUDA_DEVICE names, of the driver that
  /// NEEDLE_CUDA_DRIVER names; opened by the first call that succeeds. It is
  /// never destroyed. Errors: those of Driver::get and Context::create.
  static Status get(Device *&device);
  /// One of one's own.
  static Status create(const Driver &driver, int ordinal,
                       std::unique_ptr<Device> &device);

  Context &context() { return *own; }
  MemoryPool &memory() { return *pool; }
  Staging &staging() { return *buffers; }
  ModuleCache &modules() { return *cache; }

  /// Waits for the device and releases everything, also memory that is still in
  /// use; later calls fail with one clear error, except that freeing memory
  /// does nothing. To be called before the process ends, while no other call is
  /// in progress; a process that ends without it leaves the release to the
  /// driver. Returns what the device's last work reported.
  Status shutdown();

private:
  Device() = default;

  std::unique_ptr<Context> own;
  std::unique_ptr<MemoryPool> pool;
  std::unique_ptr<Staging> buffers;
  std::unique_ptr<ModuleCache> cache;
};

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_DEVICE_H

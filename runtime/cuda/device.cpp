// The process's CUDA device, with all that is kept for it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/device.h"

namespace ndl::cuda {
namespace {

std::atomic<Device *> processDevice{nullptr};
std::mutex openMutex;

Status openProcessDevice(Device *&device) {
  const Driver *driver = nullptr;
  if (Status status = Driver::get(driver); !status.ok())
    return status;
  int ordinal = 0;
  if (Status status = defaultDevice(ordinal); !status.ok())
    return status;
  std::unique_ptr<Device> fresh;
  if (Status status = Device::create(*driver, ordinal, fresh); !status.ok())
    return status;
  // Never destroyed: whoever runs at exit may still hold it.
  device = fresh.release();
  return {};
}

} // namespace

Status Device::get(Device *&device) {
  Device *open = processDevice.load(std::memory_order_acquire);
  if (!open) {
    std::lock_guard<std::mutex> lock(openMutex);
    open = processDevice.load(std::memory_order_acquire);
    if (!open) {
      if (Status status = openProcessDevice(open); !status.ok())
        return status;
      processDevice.store(open, std::memory_order_release);
    }
  }
  if (Status status = open->own->usable(); !status.ok())
    return status;
  device = open;
  return {};
}

Status Device::create(const Driver &driver, int ordinal,
                      std::unique_ptr<Device> &device) {
  std::unique_ptr<Device> fresh(new Device);
  if (Status status = Context::create(driver, ordinal, fresh->own);
      !status.ok())
    return status;
  fresh->pool = std::make_unique<MemoryPool>(*fresh->own);
  fresh->buffers = std::make_unique<Staging>(*fresh->own);
  fresh->cache = std::make_unique<ModuleCache>(*fresh->own);
  device = std::move(fresh);
  return {};
}

Status Device::shutdown() {
  // A context that is lost or was shut down has nothing left to release but
  // itself.
  if (!own->usable().ok())
    return own->shutdown();
  Status first = buffers->release();
  if (Status status = pool->releaseCache(); first.ok())
    first = status;
  if (Status status = cache->clear(); first.ok())
    first = status;
  if (Status status = own->shutdown(); first.ok())
    first = status;
  return first;
}

} // namespace ndl::cuda

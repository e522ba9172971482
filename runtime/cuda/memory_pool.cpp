// Device memory, with a cache of freed blocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/memory_pool.h"

#include "cuda/errors.h"

#include <algorithm>

namespace ndl::cuda {

size_t blockBytes(size_t bytes) {
  constexpr size_t unit = 512;
  size_t units = std::max<size_t>(1, (bytes + unit - 1) / unit);
  if (units <= 8)
    return units * unit;
  // 5 … 8 steps of this power of two hold `units`.
  size_t step = 1;
  while (8 * step < units)
    step *= 2;
  return (units + step - 1) / step * step * unit;
}

Status MemoryPool::allocate(size_t bytes, CUdeviceptr &address) {
  CurrentContext current(context);
  if (!current.status().ok())
    return current.status();
  std::lock_guard<std::mutex> lock(mutex);
  if (bytes > SIZE_MAX / 2)
    return outOfMemory(bytes);
  size_t size = std::max<size_t>(1, bytes);
  if (caching == Caching::On)
    size = blockBytes(bytes);
  auto kept = cached.find(size);
  if (kept != cached.end() && !kept->second.empty()) {
    address = kept->second.back();
    kept->second.pop_back();
    counts.cachedBytes -= size;
  } else if (Status status = driverAllocate(size, address); !status.ok()) {
    return status;
  }
  live.emplace(address, size);
  counts.liveBytes += size;
  counts.peakBytes = std::max(counts.peakBytes, counts.liveBytes);
  ++counts.liveBlocks;
  return {};
}

Status MemoryPool::driverAllocate(size_t bytes, CUdeviceptr &address) {
  const Driver &driver = context.driver();
  CUresult result = driver->memAlloc(&address, bytes);
  if (result == CUDA_ERROR_OUT_OF_MEMORY) {
    if (Status status = releaseCacheLocked(); !status.ok())
      return status;
    result = driver->memAlloc(&address, bytes);
  }
  if (result == CUDA_ERROR_OUT_OF_MEMORY)
    return outOfMemory(bytes);
  return context.check(result, "cuMemAlloc");
}

Status MemoryPool::outOfMemory(size_t asked) const {
  size_t free = 0, total = 0;
  context.driver()->memGetInfo(&free, &total);
  return {NDL_OUT_OF_MEMORY,
          "out of memory on CUDA device " + std::to_string(context.ordinal()) +
              " (" + context.properties().name + "): asked for " +
              std::to_string(asked) + " bytes; " + std::to_string(free) +
              " of " + std::to_string(total) + " bytes are free, " +
              std::to_string(counts.liveBytes) + " are in use by needle"};
}

Status MemoryPool::free(CUdeviceptr address) {
  CurrentContext current(context);
  // Of a context that is gone, lost or another process's there is nothing to
  // free; whoever drops an array then need not know.
  if (!address || !current.status().ok())
    return {};
  std::lock_guard<std::mutex> lock(mutex);
  auto block = live.find(address);
  if (block == live.end())
    return {NDL_INVALID_ARGUMENT,
            "device memory was freed that is not in use: freed twice?"};
  size_t size = block->second;
  live.erase(block);
  counts.liveBytes -= size;
  --counts.liveBlocks;
  if (caching == Caching::Off)
    return context.check(context.driver()->memFree(address), "cuMemFree");
  cached[size].push_back(address);
  counts.cachedBytes += size;
  return {};
}

Status MemoryPool::releaseCache() {
  CurrentContext current(context);
  if (!current.status().ok())
    return current.status();
  std::lock_guard<std::mutex> lock(mutex);
  return releaseCacheLocked();
}

Status MemoryPool::releaseCacheLocked() {
  Status first;
  for (auto &[size, blocks] : cached) {
    for (CUdeviceptr address : blocks) {
      CUresult result = context.driver()->memFree(address);
      if (first.ok())
        first = context.check(result, "cuMemFree");
    }
    counts.cachedBytes -= size * blocks.size();
  }
  cached.clear();
  return first;
}

PoolStats MemoryPool::stats() const {
  std::lock_guard<std::mutex> lock(mutex);
  return counts;
}

} // namespace ndl::cuda

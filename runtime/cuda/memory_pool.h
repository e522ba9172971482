// Device memory, with a cache of freed blocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_CUDA_MEMORY_POOL_H
#define NEEDLE_RUNTIME_CUDA_MEMORY_POOL_H

#include "cuda/context.h"

#include <unordered_map>
#include <vector>

namespace ndl::cuda {

struct PoolStats {
  uint64_t liveBytes = 0;   ///< in blocks that are in use
  uint64_t cachedBytes = 0; ///< in blocks kept for reuse
  uint64_t peakBytes = 0;   ///< most liveBytes there ever were
  uint64_t liveBlocks = 0;
};

/// Allocates device memory for work on the context's stream. Thread-safe.
///
/// A freed block may be handed out again while work that uses it is still
/// queued: the next user's work comes later on the same stream. Whoever works
/// on another stream must order it with that one before freeing.
class MemoryPool {
public:
  enum class Caching {
    /// Blocks of size classes, kept for reuse when freed.
    On,
    /// Blocks of exactly the asked size, returned at once: the simulator can
    /// tell an access outside of a block or after its end from a good one.
    Off,
  };

  MemoryPool(Context &context, Caching caching)
      : context(context), caching(caching) {}
  /// Off on the simulated device.
  explicit MemoryPool(Context &context)
      : MemoryPool(context, context.properties().simulated ? Caching::Off
                                                           : Caching::On) {}
  MemoryPool(const MemoryPool &) = delete;
  MemoryPool &operator=(const MemoryPool &) = delete;

  /// At least `bytes` bytes (of 0, an address of its own), aligned to 256.
  /// Where memory runs out, the cache is returned to the driver and the
  /// allocation tried once more. Errors: NDL_OUT_OF_MEMORY, and those of
  /// Context.
  Status allocate(size_t bytes, CUdeviceptr &address);
  /// Takes back what allocate() gave. Does nothing with 0 and after the end of
  /// the context, which took the memory with it. Errors: NDL_INVALID_ARGUMENT
  /// (not from here, or freed before), and those of Context.
  Status free(CUdeviceptr address);
  /// Returns all blocks kept for reuse to the driver.
  Status releaseCache();
  PoolStats stats() const;

private:
  Status driverAllocate(size_t bytes, CUdeviceptr &address);
  Status outOfMemory(size_t asked) const;
  Status releaseCacheLocked();

  Context &context;
  const Caching caching;
  mutable std::mutex mutex;
  /// The size of each block in use.
  std::unordered_map<CUdeviceptr, size_t> live;
  /// Blocks kept for reuse, by size.
  std::unordered_map<size_t, std::vector<CUdeviceptr>> cached;
  PoolStats counts;
};

/// The size of the block for `bytes`: of 512-byte units; classes up to 8 units
/// have a step of one unit, above it a doubling has four.
size_t blockBytes(size_t bytes);

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_MEMORY_POOL_H

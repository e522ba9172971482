// Reference-counted memory that arrays are views of.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_STORAGE_H
#define NEEDLE_RUNTIME_EAGER_STORAGE_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ndl::eager {

class StoragePtr;

/// Whose memory it is: the host reads and writes its own alone.
enum class MemoryKind : uint8_t { Host, Device };

/// A block of memory aligned to NDL_ABI_ALIGNMENT, or memory of someone else
/// that is kept alive. Held by StoragePtr only; counting is thread-safe.
class alignas(64) Storage {
public:
  /// Uninitialized memory of at least `bytes` bytes; null if there is none.
  static StoragePtr allocate(size_t bytes);
  /// Memory of someone else: `release(context)` is called once, by whichever
  /// thread drops the last reference. Any alignment. Null if there is no memory
  /// for the bookkeeping; then `release` is not called.
  static StoragePtr adopt(void *data, size_t bytes, void (*release)(void *),
                          void *context, bool writable = true,
                          MemoryKind kind = MemoryKind::Host);

  Storage(const Storage &) = delete;
  Storage &operator=(const Storage &) = delete;

  uint8_t *data() const { return memory; }
  /// As asked for.
  size_t bytes() const { return size; }
  MemoryKind kind() const { return memoryKind; }
  /// False for adopted memory that must not be written to.
  bool writable() const { return canWrite; }
  /// Whether someone else owns the memory.
  bool foreign() const { return release != nullptr; }
  /// References at this moment.
  int64_t useCount() const { return count.load(std::memory_order_relaxed); }

private:
  friend class StoragePtr;
  Storage() = default;
  ~Storage() = default;
  static void destroy(Storage *storage);

  std::atomic<int64_t> count{1};
  uint8_t *memory = nullptr;
  size_t size = 0;
  void (*release)(void *) = nullptr;
  void *context = nullptr;
  /// What the system gave for the block that this lies in.
  void *base = nullptr;
  uint32_t sizeClass = 0;
  bool canWrite = true;
  MemoryKind memoryKind = MemoryKind::Host;
};

/// A counted reference to a Storage, or null.
class StoragePtr {
public:
  StoragePtr() = default;
  StoragePtr(const StoragePtr &other) : storage(other.storage) {
    if (storage)
      storage->count.fetch_add(1, std::memory_order_relaxed);
  }
  StoragePtr(StoragePtr &&other) noexcept
      : storage(std::exchange(other.storage, nullptr)) {}
  StoragePtr &operator=(StoragePtr other) noexcept {
    std::swap(storage, other.storage);
    return *this;
  }
  ~StoragePtr() {
    if (storage && storage->count.fetch_sub(1, std::memory_order_acq_rel) == 1)
      Storage::destroy(storage);
  }

  explicit operator bool() const { return storage != nullptr; }
  Storage *get() const { return storage; }
  Storage *operator->() const { return storage; }
  Storage &operator*() const { return *storage; }
  friend bool operator==(const StoragePtr &a, const StoragePtr &b) {
    return a.storage == b.storage;
  }

private:
  friend class Storage;
  /// Takes over a reference.
  explicit StoragePtr(Storage *storage) : storage(storage) {}

  Storage *storage = nullptr;
};

/// What the process holds in storages and keeps for later ones.
struct StorageStats {
  int64_t liveBytes = 0;   ///< in own blocks that are referenced
  int64_t cachedBytes = 0; ///< in blocks kept for reuse, see storageCacheLimit
};
StorageStats storageStats();

/// Freed blocks of up to storageCacheLargestBlock bytes are kept for the next
/// allocation of their size class: of each class at most storageCacheClassBytes
/// or two blocks, storageCacheLimit bytes in all. Everything else returns to
/// the allocator of the system at once.
constexpr size_t storageCacheLargestBlock = size_t(1) << 20;
constexpr size_t storageCacheClassBytes = size_t(1) << 18;
constexpr size_t storageCacheLimit = size_t(24) << 20;

/// Returns all blocks kept for reuse to the system.
void releaseCachedStorage();

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_STORAGE_H

// Allocation of storages, with a cache of freed blocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/storage.h"

#include "needle-rt/abi.h"

#include <cstddef>
#include <cstdlib>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace ndl::eager {
namespace {

// Blocks are counted in units of the alignment.
constexpr size_t unit = NDL_ABI_ALIGNMENT;
static_assert(sizeof(Storage) == unit, "data follows the header");

// Sizes up to 8 units have a class each; above, a doubling has four.
constexpr uint32_t numClasses = 52;
/// Storage.sizeClass of blocks that are too large to be kept.
constexpr uint32_t noClass = numClasses;

constexpr uint32_t bitWidth(size_t value) {
  uint32_t width = 0;
  for (; value != 0; value >>= 1)
    ++width;
  return width;
}

/// The class of blocks with room for `units` >= 1 units.
constexpr uint32_t classOf(size_t units) {
  if (units <= 8)
    return static_cast<uint32_t>(units - 1);
  uint32_t shift = bitWidth(units - 1) - 3;
  return static_cast<uint32_t>(4 * shift + ((units - 1) >> shift));
}

/// Room in the blocks of a class.
constexpr size_t unitsOf(uint32_t sizeClass) {
  if (sizeClass < 8)
    return sizeClass + 1;
  return size_t(sizeClass % 4 + 5) << (sizeClass / 4 - 1);
}

constexpr bool classesFit() {
  for (uint32_t c = 0; c < numClasses; ++c)
    if (classOf(unitsOf(c)) != c || classOf(unitsOf(c) + 1) != c + 1)
      return false;
  return unitsOf(numClasses - 1) * unit == storageCacheLargestBlock;
}
static_assert(classesFit(), "the smallest class that has room");

/// Number of blocks of a class that are kept.
constexpr size_t keptBlocks(uint32_t sizeClass) {
  size_t blocks = storageCacheClassBytes / (unitsOf(sizeClass) * unit);
  return blocks < 2 ? 2 : blocks;
}

constexpr size_t mostKeptBytes() {
  size_t bytes = 0;
  for (uint32_t c = 0; c < numClasses; ++c)
    bytes += keptBlocks(c) * (unitsOf(c) + 1) * unit;
  return bytes;
}
static_assert(mostKeptBytes() <= storageCacheLimit, "as documented");

// A block from the cache hides accesses after its end of life from the address
// sanitizer.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool cacheEnabled = false;
#elif defined(__has_feature)
constexpr bool cacheEnabled = !__has_feature(address_sanitizer);
#else
constexpr bool cacheEnabled = true;
#endif

/// From this size on blocks are made of huge pages where the system has them:
/// the first touch of a page costs more than an operation on its elements.
constexpr size_t hugePageBytes = size_t(4) << 20;

void adviseHugePages(void *block, size_t bytes) {
#ifdef MADV_HUGEPAGE
  static const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto address = reinterpret_cast<uintptr_t>(block);
  uintptr_t begin = (address + page - 1) / page * page;
  uintptr_t end = (address + bytes) / page * page;
  // A hint: where it is refused, pages are small.
  ::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)block;
  (void)bytes;
#endif
}

/// An aligned block inside of memory from the system, which starts at `base`;
/// null if there is none. Not aligned_alloc: its blocks do not fit into the
/// gaps that equal ones left, so that large ones would come from the kernel,
/// page by page, every time.
void *allocateBlock(size_t bytes, void *&base) {
  base = std::malloc(bytes + unit - alignof(std::max_align_t));
  auto address = reinterpret_cast<uintptr_t>(base);
  void *block = reinterpret_cast<void *>((address + unit - 1) / unit * unit);
  if (block && bytes >= hugePageBytes)
    adviseHugePages(block, bytes);
  return block;
}

/// Freed blocks of one class. Nobody ever waits for it: a thread that finds it
/// busy (perhaps for ever, in a child forked at the wrong moment) goes to the
/// system.
class FreeList {
public:
  void *take(void *&base) {
    if (busy.test_and_set(std::memory_order_acquire))
      return nullptr;
    Node *node = head;
    if (node) {
      head = node->next;
      base = node->base;
      --length;
    }
    busy.clear(std::memory_order_release);
    return node;
  }
  bool give(void *block, void *base, size_t limit) {
    if (busy.test_and_set(std::memory_order_acquire))
      return false;
    bool keep = length < limit;
    if (keep) {
      head = new (block) Node{head, base};
      ++length;
    }
    busy.clear(std::memory_order_release);
    return keep;
  }

private:
  struct Node {
    Node *next;
    void *base;
  };
  std::atomic_flag busy = ATOMIC_FLAG_INIT;
  Node *head = nullptr;
  size_t length = 0;
};

FreeList freeLists[numClasses];
std::atomic<int64_t> liveBytes{0};
std::atomic<int64_t> cachedBytes{0};

/// Bytes of a block: header and data.
size_t blockBytes(uint32_t sizeClass, size_t dataBytes) {
  size_t units = (dataBytes + unit - 1) / unit;
  return ((sizeClass < noClass ? unitsOf(sizeClass) : units) + 1) * unit;
}

void tally(std::atomic<int64_t> &counter, size_t bytes, int sign) {
  counter.fetch_add(sign * static_cast<int64_t>(bytes),
                    std::memory_order_relaxed);
}

} // namespace

StoragePtr Storage::allocate(size_t bytes) {
  if (bytes > SIZE_MAX / 2)
    return {};
  size_t units = bytes == 0 ? 1 : (bytes + unit - 1) / unit;
  uint32_t sizeClass =
      units * unit <= storageCacheLargestBlock ? classOf(units) : noClass;
  size_t total = blockBytes(sizeClass, units * unit);
  void *block = nullptr, *base = nullptr;
  if (cacheEnabled && sizeClass < noClass &&
      (block = freeLists[sizeClass].take(base)))
    tally(cachedBytes, total, -1);
  else if (!(block = allocateBlock(total, base)))
    return {};
  tally(liveBytes, total, +1);
  auto *storage = new (block) Storage;
  storage->memory = static_cast<uint8_t *>(block) + unit;
  storage->size = bytes;
  storage->sizeClass = sizeClass;
  storage->base = base;
  return StoragePtr(storage);
}

StoragePtr Storage::adopt(void *data, size_t bytes, void (*release)(void *),
                          void *context, bool writable, MemoryKind kind) {
  StoragePtr storage = allocate(0);
  if (storage) {
    storage->memory = static_cast<uint8_t *>(data);
    storage->size = bytes;
    storage->release = release;
    storage->context = context;
    storage->canWrite = writable;
    storage->memoryKind = kind;
  }
  return storage;
}

void Storage::destroy(Storage *storage) {
  if (storage->release)
    storage->release(storage->context);
  uint32_t sizeClass = storage->sizeClass;
  void *base = storage->base;
  // The block of adopted memory holds the header and no data.
  size_t total = blockBytes(sizeClass, storage->size);
  storage->~Storage();
  tally(liveBytes, total, -1);
  if (cacheEnabled && sizeClass < noClass) {
    // Counted first, so that the count is never below the truth.
    tally(cachedBytes, total, +1);
    if (freeLists[sizeClass].give(storage, base, keptBlocks(sizeClass)))
      return;
    tally(cachedBytes, total, -1);
  }
  std::free(base);
}

StorageStats storageStats() {
  return {liveBytes.load(std::memory_order_relaxed),
          cachedBytes.load(std::memory_order_relaxed)};
}

void releaseCachedStorage() {
  void *base;
  for (uint32_t c = 0; c < numClasses; ++c)
    while (freeLists[c].take(base)) {
      tally(cachedBytes, blockBytes(c, 0), -1);
      std::free(base);
    }
}

} // namespace ndl::eager

// Memory that invocations need, kept between them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "scratch.h"

namespace ndl {

std::unique_ptr<Scratch> ScratchCache::acquire() {
  for (std::atomic<Scratch *> &place : kept) {
    if (!place.load(std::memory_order_relaxed))
      continue;
    if (Scratch *scratch = place.exchange(nullptr, std::memory_order_acquire))
      return std::unique_ptr<Scratch>(scratch);
  }
  return std::make_unique<Scratch>();
}

void ScratchCache::release(std::unique_ptr<Scratch> scratch) {
  for (std::atomic<Scratch *> &place : kept) {
    Scratch *none = nullptr;
    if (place.compare_exchange_strong(none, scratch.get(),
                                      std::memory_order_release,
                                      std::memory_order_relaxed)) {
      // The cache owns it now.
      [[maybe_unused]] Scratch *handedOver = scratch.release();
      return;
    }
  }
}

void ScratchCache::clear() {
  for (std::atomic<Scratch *> &place : kept)
    delete place.exchange(nullptr, std::memory_order_acquire);
}

} // namespace ndl

//===- ArenaLayout.cpp - Buffers that share memory ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Codegen/CPU/ArenaLayout.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <tuple>

using namespace needle::cpu;

int64_t
needle::cpu::placeStaticBuffers(llvm::MutableArrayRef<StaticBuffer> buffers) {
  llvm::SmallVector<StaticBuffer *> order;
  for (StaticBuffer &buffer : buffers)
    order.push_back(&buffer);
  llvm::sort(order, [](StaticBuffer *a, StaticBuffer *b) {
    return a->bytes != b->bytes ? a->bytes > b->bytes : a < b;
  });

  int64_t total = 0;
  // Those that have their place, by increasing offset.
  llvm::SmallVector<StaticBuffer *> placed;
  for (StaticBuffer *buffer : order) {
    buffer->offset = 0;
    for (StaticBuffer *other : placed) {
      if (!buffer->lifetime.overlaps(other->lifetime))
        continue;
      if (buffer->offset + buffer->bytes <= other->offset)
        break;
      buffer->offset = std::max(
          buffer->offset,
          int64_t(llvm::alignTo(other->offset + other->bytes, arenaAlignment)));
    }
    placed.insert(llvm::upper_bound(placed, buffer,
                                    [](StaticBuffer *a, StaticBuffer *b) {
                                      return a->offset < b->offset;
                                    }),
                  buffer);
    total = std::max(total, buffer->offset + buffer->bytes);
  }
  return llvm::alignTo(total, arenaAlignment);
}

namespace {

/// A slot while it is being filled.
struct Slot {
  int64_t lastUse;
  /// The buffers in it.
  llvm::SmallVector<const DynamicBuffer *> buffers;

  /// How well a buffer fits: lower is better.
  std::tuple<int, int64_t> misfit(const DynamicBuffer &buffer) const {
    int64_t largest = -1;
    for (const DynamicBuffer *other : buffers)
      if (other->factors == buffer.factors)
        largest = std::max(largest, other->coefficient);
    if (largest >= buffer.coefficient)
      return {0, largest - buffer.coefficient};
    if (largest >= 0)
      return {1, buffer.coefficient - largest};
    return {2, 0};
  }
};

} // namespace

unsigned
needle::cpu::assignSlots(llvm::MutableArrayRef<DynamicBuffer> buffers) {
  llvm::SmallVector<Slot> slots;
  for (DynamicBuffer &buffer : buffers) {
    Slot *best = nullptr;
    for (Slot &slot : slots)
      if (slot.lastUse < buffer.lifetime.first &&
          (!best || slot.misfit(buffer) < best->misfit(buffer)))
        best = &slot;
    if (!best) {
      slots.emplace_back();
      best = &slots.back();
    }
    best->lastUse = buffer.lifetime.last;
    best->buffers.push_back(&buffer);
    buffer.slot = best - slots.begin();
  }
  return slots.size();
}

//===- ArenaLayout.h - Buffers that share memory ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where buffers with known lifetimes lie in one arena, so that two overlap in
// memory only if they do not overlap in time. Plain data; no IR.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_CODEGEN_CPU_ARENALAYOUT_H
#define NEEDLE_CODEGEN_CPU_ARENALAYOUT_H

#include "needle-rt/abi.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace needle::cpu {

/// First and last point in time at which a buffer is used, both inclusive.
struct Lifetime {
  int64_t first;
  int64_t last;

  bool overlaps(const Lifetime &other) const {
    return first <= other.last && other.first <= last;
  }
};

/// Alignment in bytes of every place in an arena or weight section.
inline constexpr int64_t arenaAlignment = NDL_ABI_ALIGNMENT;

struct StaticBuffer {
  Lifetime lifetime;
  int64_t bytes;
  /// Set by placeStaticBuffers.
  int64_t offset = 0;
};

/// Places the buffers, the largest first, each at the lowest aligned offset
/// where it does not meet a buffer that is alive at the same time (the "greedy
/// by size" of Pisarchyk and Lee, arXiv:2001.03288). Returns the bytes needed,
/// aligned.
int64_t placeStaticBuffers(llvm::MutableArrayRef<StaticBuffer> buffers);

/// A buffer of `coefficient` bytes times the run-time values named by `factors`
/// (sorted; equal names mean equal values).
struct DynamicBuffer {
  Lifetime lifetime;
  int64_t coefficient;
  llvm::SmallVector<uintptr_t, 2> factors;
  /// Set by assignSlots.
  unsigned slot = 0;
};

/// Gives each buffer a slot such that buffers of one slot are never alive at
/// the same time, and returns the number of slots, which is the least possible.
/// Prefers a slot whose size is known to suffice already, then one with the
/// same factors. Buffers must be sorted by the beginning of their lifetimes.
unsigned assignSlots(llvm::MutableArrayRef<DynamicBuffer> buffers);

} // namespace needle::cpu

#endif // NEEDLE_CODEGEN_CPU_ARENALAYOUT_H

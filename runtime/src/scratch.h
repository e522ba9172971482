// Memory that invocations need, kept between them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_SCRATCH_H
#define NEEDLE_RUNTIME_SCRATCH_H

#include "aligned_memory.h"
#include "tensor_check.h"

#include "needle-rt/runtime.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace ndl {

/// Everything one invocation writes besides its outputs.
struct Scratch {
  GrowingMemory arena;
  /// Contiguous copies of strided inputs.
  GrowingMemory packed;
  std::vector<const void *> inputs;
  std::vector<void *> outputs;
  /// Dimensions of all inputs, flattened.
  std::vector<int64_t> dims;
  /// Where the inputs, then the outputs lie.
  std::vector<TensorExtent> extents;
  /// Output of an NdlPlanFn.
  std::vector<int64_t> plan;
  /// All zero between invocations.
  std::vector<NdlStepStats> counts;
};

/// Scratch that is not in use. Lock-free, so that a forked child never finds it
/// locked by a thread that it does not have.
class ScratchCache {
public:
  ScratchCache() = default;
  ~ScratchCache() { clear(); }
  ScratchCache(const ScratchCache &) = delete;
  ScratchCache &operator=(const ScratchCache &) = delete;

  /// Takes one, or makes a new one.
  std::unique_ptr<Scratch> acquire();
  /// Keeps it, or frees it if enough are kept.
  void release(std::unique_ptr<Scratch> scratch);
  /// Frees what is kept.
  void clear();

private:
  static constexpr size_t numKept = 16;
  std::array<std::atomic<Scratch *>, numKept> kept{};
};

} // namespace ndl

#endif // NEEDLE_RUNTIME_SCRATCH_H

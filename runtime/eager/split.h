// Cutting a nest of loops into pieces for several threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_SPLIT_H
#define NEEDLE_RUNTIME_EAGER_SPLIT_H

#include "eager/kernel_library.h"
#include "eager/loop_nest.h"

#include <algorithm>

namespace ndl::eager {

/// Elements in the smallest piece; whole cache lines of any type.
constexpr int64_t splitGrain = 1024;

/// One dimension of a nest in pieces of `grain` indices.
struct Split {
  int32_t dim;
  int64_t grain;
};

/// How to cut a nest, at each point of which `workAtPoint` elements are
/// handled: along the outermost dimension, unless that is too short to occupy
/// all threads.
inline Split chooseSplit(const LoopNest &nest, int64_t workAtPoint,
                         int64_t threads) {
  int32_t dim = 0;
  if (nest.extents[0] < 4 * threads)
    dim = static_cast<int32_t>(
        std::max_element(nest.extents, nest.extents + nest.rank) -
        nest.extents);
  int64_t inside = nest.size() / nest.extents[dim] * workAtPoint;
  int64_t grain = std::max<int64_t>(1, splitGrain / inside);
  // Neighbours in memory go to the same thread, a cache line at a time.
  if (nest.operands[0].strides[dim] == 1)
    grain = std::max<int64_t>(grain, 64);
  return {dim, grain};
}

/// Calls `body(piece)`, by several threads, for nests that together cover
/// `nest`. Errors: those of KernelLibrary::parallelFor.
template <typename Body>
Status forEachPiece(const KernelLibrary &library, const LoopNest &nest,
                    Split split, const Body &body) {
  struct Shared {
    const LoopNest &nest;
    Split split;
    const Body &body;
  } shared{nest, split, body};
  NdlTask task = [](void *context, int64_t begin, int64_t end, int64_t) {
    const auto &shared = *static_cast<const Shared *>(context);
    Split split = shared.split;
    LoopNest piece = shared.nest;
    int64_t first = begin * split.grain;
    int64_t last = std::min(end * split.grain, piece.extents[split.dim]);
    piece.advance(split.dim, first);
    piece.extents[split.dim] = last - first;
    shared.body(piece);
  };
  int64_t extent = nest.extents[split.dim];
  return library.parallelFor(task, &shared,
                             (extent + split.grain - 1) / split.grain);
}

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_SPLIT_H

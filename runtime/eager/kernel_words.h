// The contexts of map and reduce kernels: nests of loops as words.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The descriptions of needle_cpu.map_kernel and needle_cpu.reduce_kernel fix
// their order, on every device.

#ifndef NEEDLE_RUNTIME_EAGER_KERNEL_WORDS_H
#define NEEDLE_RUNTIME_EAGER_KERNEL_WORDS_H

#include "eager/elementwise.h"
#include "eager/loop_nest.h"

#include <algorithm>

namespace ndl::eager {

/// The pointer of an operand, an address of whichever device.
inline int64_t addressOf(const void *pointer) {
  return static_cast<int64_t>(reinterpret_cast<intptr_t>(pointer));
}

/// Of a map kernel on a simplified nest. Dimensions beyond those that kernels
/// loop over are for the caller to step through.
class MapWords {
public:
  MapWords(const LoopNest &nest, const Scalar *scalars, int32_t numScalars)
      : outer(std::max(0, nest.rank - kernelDims)) {
    int32_t padding = kernelDims - (nest.rank - outer);
    for (int32_t d = 0; d < kernelDims; ++d)
      words[d] = d < padding ? 1 : nest.extents[outer + d - padding];
    int64_t *word = words + kernelDims;
    for (int32_t i = 0; i < nest.numOperands; ++i, word += kernelDims + 1)
      for (int32_t d = 0; d < kernelDims; ++d)
        word[1 + d] =
            d < padding ? 0 : nest.operands[i].strides[outer + d - padding];
    for (int32_t i = 0; i < numScalars; ++i)
      word[i] = static_cast<int64_t>(scalars[i].word);
  }

  /// Leading dimensions that the kernel does not loop over.
  int32_t outerDims() const { return outer; }
  /// Planes, and elements, that the kernel handles at once.
  int64_t planes() const { return words[0] * words[1]; }
  int64_t elements() const { return planes() * words[2] * words[3]; }
  /// The words where the nest stands.
  int64_t *at(const LoopNest &nest) {
    for (int32_t i = 0; i < nest.numOperands; ++i)
      words[kernelDims + i * (kernelDims + 1)] =
          addressOf(nest.operands[i].data);
    return words;
  }

private:
  static constexpr int32_t kernelDims = 4, maxScalars = 4;

  int32_t outer;
  int64_t
      words[kernelDims + LoopNest::maxOperands * (kernelDims + 1) + maxScalars];
};

/// Likewise of a reduce kernel: `kept` has the operands output and input,
/// `reduced` has at most kernelDims dimensions and the operand input.
class ReduceWords {
public:
  static constexpr int32_t kernelDims = 2;

  ReduceWords(const LoopNest &kept, const LoopNest &reduced)
      : outer(std::max(0, kept.rank - kernelDims)) {
    setInner(kept, kept.extents, 1, 0);
    setInner(reduced, reduced.extents, 1, 2);
    setInner(kept, kept.operands[0].strides, 0, 5);
    setInner(kept, kept.operands[1].strides, 0, 8);
    setInner(reduced, reduced.operands[0].strides, 0, 10);
  }

  int32_t outerDims() const { return outer; }
  /// Iterations of the kernel; results, and elements for each of them.
  int64_t iterations() const { return words[0]; }
  int64_t results() const { return words[0] * words[1]; }
  int64_t elements() const { return words[2] * words[3]; }
  /// Of the input, along the innermost dimension of each kind.
  int64_t keptStride() const { return words[9]; }
  int64_t reducedStride() const { return words[11]; }
  /// The words where `kept` stands.
  int64_t *at(const LoopNest &kept) {
    words[4] = addressOf(kept.operands[0].data);
    words[7] = addressOf(kept.operands[1].data);
    return words;
  }

private:
  /// The values of the last two dimensions; `none` where there is one alone.
  void setInner(const LoopNest &nest, const int64_t *values, int64_t none,
                int32_t first) {
    words[first] = nest.rank < 2 ? none : values[nest.rank - 2];
    words[first + 1] = values[nest.rank - 1];
  }

  int32_t outer;
  int64_t words[12];
};

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_KERNEL_WORDS_H

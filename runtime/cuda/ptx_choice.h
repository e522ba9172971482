// Chooses among the PTX texts of an artifact.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_CUDA_PTX_CHOICE_H
#define NEEDLE_RUNTIME_CUDA_PTX_CHOICE_H

#include "cuda/context.h"

#include <string_view>

namespace ndl::cuda {

struct PtxImage {
  int capability = 0; ///< 80 for sm_80
  /// For targets such as sm_90a, which run on this compute capability alone.
  bool exact = false;
  std::string_view text;
};

/// The image for the highest target that is not above the device; of two for
/// the same target, the exact one. PTX runs on its target and all later ones
/// (PTX ISA, "PTX Module Directives: .target"). Error: NDL_NOT_FOUND, which
/// lists the targets.
Status choosePtx(const PtxImage *images, size_t count,
                 const DeviceProperties &device, const PtxImage *&chosen);

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_PTX_CHOICE_H

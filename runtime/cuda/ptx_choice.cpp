// Chooses among the PTX texts of an artifact.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/ptx_choice.h"

namespace ndl::cuda {

static std::string targetName(const PtxImage &image) {
  return "sm_" + std::to_string(image.capability) + (image.exact ? "a" : "");
}

Status choosePtx(const PtxImage *images, size_t count,
                 const DeviceProperties &device, const PtxImage *&chosen) {
  const PtxImage *best = nullptr;
  std::string targets;
  for (const PtxImage *image = images; image != images + count; ++image) {
    targets += (targets.empty() ? "" : ", ") + targetName(*image);
    bool runs = image->exact ? image->capability == device.capability
                             : image->capability <= device.capability;
    if (runs && (!best || image->capability > best->capability ||
                 (image->capability == best->capability && image->exact)))
      best = image;
  }
  if (!best)
    return {NDL_NOT_FOUND,
            "no PTX for the CUDA device " + device.name + " (sm_" +
                std::to_string(device.capability) + "): " +
                (targets.empty() ? "the artifact has none"
                                 : "the artifact has it for " + targets) +
                "; compile for sm_" + std::to_string(device.capability) +
                " or an older target, or use the CPU"};
  chosen = best;
  return {};
}

} // namespace ndl::cuda

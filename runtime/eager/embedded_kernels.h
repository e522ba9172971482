// The kernel artifact that is linked into the program.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Link needle_embedded_kernels.

#ifndef NEEDLE_RUNTIME_EAGER_EMBEDDED_KERNELS_H
#define NEEDLE_RUNTIME_EAGER_EMBEDDED_KERNELS_H

#include <cstddef>
#include <cstdint>

namespace ndl::eager {

/// An artifact in memory, aligned to 64 bytes.
struct EmbeddedArtifact {
  const uint8_t *data;
  size_t size;
};

/// The artifact of kernels/*.mlir.
EmbeddedArtifact embeddedKernels();

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_EMBEDDED_KERNELS_H

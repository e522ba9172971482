// The kernel artifact that is linked into the program.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/embedded_kernels.h"

// Read-only data, where the runtime uses it in place.
__asm__(".pushsection .rodata.needle_kernels,\"a\",@progbits\n"
        ".balign 64\n"
        ".hidden needle_embedded_kernels_begin\n"
        ".globl needle_embedded_kernels_begin\n"
        "needle_embedded_kernels_begin:\n"
        ".incbin \"" NEEDLE_KERNEL_ARTIFACT "\"\n"
        ".hidden needle_embedded_kernels_end\n"
        ".globl needle_embedded_kernels_end\n"
        "needle_embedded_kernels_end:\n"
        ".byte 0\n"
        ".popsection\n");

extern "C" {
extern const uint8_t needle_embedded_kernels_begin[]
    __attribute__((visibility("hidden")));
extern const uint8_t needle_embedded_kernels_end[]
    __attribute__((visibility("hidden")));
}

namespace ndl::eager {

EmbeddedArtifact embeddedKernels() {
  return {needle_embedded_kernels_begin,
          static_cast<size_t>(needle_embedded_kernels_end -
                              needle_embedded_kernels_begin)};
}

} // namespace ndl::eager

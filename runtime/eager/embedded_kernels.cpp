// The kernel artifact that is linked into the program.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/embedded_kernels.h"

// Read-only data, where the runtime uses it in place.
__asm__(".pushsection .rodata.needle_kernels,\"a\",@progbits\n"
        ".balign 64\n"
        ".hidden needleEmbeddedKernelsBegin\n"
        ".globl needleEmbeddedKernelsBegin\n"
        "needleEmbeddedKernelsBegin:\n"
        ".incbin \"" NEEDLE_KERNEL_ARTIFACT "\"\n"
        ".hidden needleEmbeddedKernelsEnd\n"
        ".globl needleEmbeddedKernelsEnd\n"
        "needleEmbeddedKernelsEnd:\n"
        ".byte 0\n"
        ".popsection\n");

extern "C" {
extern const uint8_t needleEmbeddedKernelsBegin[]
    __attribute__((visibility("hidden")));
extern const uint8_t needleEmbeddedKernelsEnd[]
    __attribute__((visibility("hidden")));
}

namespace ndl::eager {

EmbeddedArtifact embeddedKernels() {
  return {needleEmbeddedKernelsBegin,
          static_cast<size_t>(needleEmbeddedKernelsEnd -
                              needleEmbeddedKernelsBegin)};
}

} // namespace ndl::eager

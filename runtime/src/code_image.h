// The code of a body in executable memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_CODE_IMAGE_H
#define NEEDLE_RUNTIME_CODE_IMAGE_H

#include "needle-rt/artifact_reader.h"

// UBSan's check of indirect calls reads type information that compilers put in
// front of functions; generated code has none, and may start its mapping.
#if defined(__clang__)
#define NEEDLE_CALLS_GENERATED_CODE __attribute__((no_sanitize("function")))
#else
#define NEEDLE_CALLS_GENERATED_CODE
#endif

namespace ndl {

/// Owns one mapping, never writable and executable at the same time.
class CodeImage {
public:
  CodeImage() = default;
  CodeImage(const CodeImage &) = delete;
  CodeImage &operator=(const CodeImage &) = delete;
  ~CodeImage();

  /// Copies a flat image (see abi.h) to page-aligned memory and makes it read +
  /// execute. Called once. Errors: NDL_OUT_OF_MEMORY, NDL_IO_ERROR (the system
  /// forbids executable memory).
  Status map(ArrayView<uint8_t> image);

  /// The function at this offset, which lies inside the image.
  template <typename Function>
  Function function(uint64_t offset) const {
    return reinterpret_cast<Function>(static_cast<char *>(base) + offset);
  }

private:
  void *base = nullptr;
  size_t size = 0;
};

} // namespace ndl

#endif // NEEDLE_RUNTIME_CODE_IMAGE_H

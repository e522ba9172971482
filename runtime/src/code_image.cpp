// The code of a body in executable memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "code_image.h"

#include <cerrno>
#include <cstring>

#include <sys/mman.h>

namespace ndl {

CodeImage::~CodeImage() {
  if (base)
    ::munmap(base, size);
}

Status CodeImage::map(ArrayView<uint8_t> image) {
  if (image.size == 0)
    return {};
  void *memory = ::mmap(nullptr, image.size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return {NDL_OUT_OF_MEMORY, "cannot map " + std::to_string(image.size) +
                                   " bytes for code: " + std::strerror(errno)};
  base = memory;
  size = image.size;
  std::memcpy(base, image.data, size);
  if (::mprotect(base, size, PROT_READ | PROT_EXEC) != 0)
    return {NDL_IO_ERROR,
            std::string("the system refuses to make code executable: ") +
                std::strerror(errno)};
  char *begin = static_cast<char *>(base);
  __builtin___clear_cache(begin, begin + size);
  return {};
}

} // namespace ndl

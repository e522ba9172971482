//===- FlatImage.h - Links an object to a flat image ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A linker for one closed object: lays code and constants out one after another
// and applies the relocations between them. The result runs at any address that
// is a multiple of 4 KiB, whatever the size of pages.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_TARGET_FLATIMAGE_H
#define NEEDLE_TARGET_FLATIMAGE_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace needle {

struct FlatImage {
  std::vector<uint8_t> bytes;
  /// Offsets of the global functions.
  llvm::StringMap<uint64_t> functions;
};

/// Links the relocatable ELF object in `object` (x86-64 or AArch64). It is an
/// error, naming the symbol or section, if the object refers to something
/// undefined, needs its load address, or has data that can be written.
llvm::Expected<FlatImage> linkFlatImage(llvm::StringRef object);

} // namespace needle

#endif // NEEDLE_TARGET_FLATIMAGE_H

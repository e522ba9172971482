//===- Relocation.h - Relocations of generated code -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_LIB_TARGET_RELOCATION_H
#define NEEDLE_LIB_TARGET_RELOCATION_H

#include "llvm/Support/Error.h"
#include <cstdint>

namespace needle {

/// A field of an image that holds the distance to a place in the same image.
struct Relocation {
  /// Of the ELF machine: R_X86_64_… or R_AARCH64_…
  uint32_t type;
  /// The bytes from the field to the end of its section.
  llvm::MutableArrayRef<uint8_t> field;
  /// Offsets in an image that starts at a multiple of 4 KiB.
  int64_t place;
  int64_t destination;
};

/// Whether images for this ELF machine can be linked.
bool isKnownMachine(uint16_t machine);

/// Writes the field. False if its value depends on more than the two offsets,
/// as an absolute address does, or if it is not known. An error if the field is
/// too narrow or cut off.
llvm::Expected<bool> applyRelocation(uint16_t machine,
                                     const Relocation &relocation);

} // namespace needle

#endif // NEEDLE_LIB_TARGET_RELOCATION_H

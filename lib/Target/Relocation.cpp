//===- Relocation.cpp - Relocations of generated code ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Relocation.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace llvm::support;
using needle::Relocation;

static Error makeError(const Twine &message) {
  return createStringError(message);
}

static Error checkSize(const Relocation &relocation, size_t bytes) {
  if (relocation.field.size() < bytes)
    return makeError("relocation beyond the end of its section");
  return Error::success();
}

/// Writes the distance as a signed number of 32 or 64 bits.
static Error writeDistance(const Relocation &relocation, unsigned bits) {
  if (Error error = checkSize(relocation, bits / 8))
    return error;
  int64_t distance = relocation.destination - relocation.place;
  if (!isIntN(bits, distance))
    return makeError("generated code exceeds 2 GiB");
  if (bits == 32)
    endian::write32le(relocation.field.data(), uint32_t(distance));
  else
    endian::write64le(relocation.field.data(), uint64_t(distance));
  return Error::success();
}

static Expected<bool> applyX86(const Relocation &relocation) {
  switch (relocation.type) {
  case ELF::R_X86_64_PC32:
  case ELF::R_X86_64_PLT32:
    if (Error error = writeDistance(relocation, 32))
      return std::move(error);
    return true;
  case ELF::R_X86_64_PC64:
    if (Error error = writeDistance(relocation, 64))
      return std::move(error);
    return true;
  default:
    return false;
  }
}

//===----------------------------------------------------------------------===//
// AArch64 (ELF for the Arm 64-bit Architecture, "Relocation")
//===----------------------------------------------------------------------===//

/// Replaces `width` bits from bit `low` of the instruction.
static Error writeBits(const Relocation &relocation, unsigned low,
                       unsigned width, uint64_t value) {
  if (Error error = checkSize(relocation, 4))
    return error;
  uint32_t mask = maskTrailingOnes<uint32_t>(width) << low;
  uint32_t instruction = endian::read32le(relocation.field.data());
  endian::write32le(relocation.field.data(),
                    (instruction & ~mask) | (uint32_t(value << low) & mask));
  return Error::success();
}

/// ADR and ADRP: 21 bits, the two lowest of them at bit 29.
static Error writeAddress(const Relocation &relocation, int64_t value) {
  if (!isInt<21>(value))
    return makeError("generated code exceeds the reach of an address");
  if (Error error = writeBits(relocation, 29, 2, value & 3))
    return error;
  return writeBits(relocation, 5, 19, value >> 2);
}

/// B and BL: a number of instructions in 26 bits.
static Error writeBranch(const Relocation &relocation) {
  int64_t distance = relocation.destination - relocation.place;
  if (!isShiftedInt<26, 2>(distance))
    return makeError("generated code exceeds the reach of a branch, 128 MiB");
  return writeBits(relocation, 0, 26, distance >> 2);
}

/// The offset in a 4 KiB page, in units of 2^shift bytes.
static Error writePageOffset(const Relocation &relocation, unsigned shift) {
  uint64_t offset = relocation.destination & 0xfff;
  if (offset & maskTrailingOnes<uint64_t>(shift))
    return makeError("a constant is not aligned as its load expects");
  return writeBits(relocation, 10, 12, offset >> shift);
}

static Expected<bool> applyAArch64(const Relocation &relocation) {
  auto apply = [](Error error) -> Expected<bool> {
    if (error)
      return std::move(error);
    return true;
  };
  auto page = [](int64_t offset) { return offset >> 12; };
  switch (relocation.type) {
  case ELF::R_AARCH64_PREL32:
    return apply(writeDistance(relocation, 32));
  case ELF::R_AARCH64_PREL64:
    return apply(writeDistance(relocation, 64));
  case ELF::R_AARCH64_ADR_PREL_LO21:
    return apply(
        writeAddress(relocation, relocation.destination - relocation.place));
  case ELF::R_AARCH64_ADR_PREL_PG_HI21:
    return apply(writeAddress(relocation, page(relocation.destination) -
                                              page(relocation.place)));
  case ELF::R_AARCH64_CALL26:
  case ELF::R_AARCH64_JUMP26:
    return apply(writeBranch(relocation));
  case ELF::R_AARCH64_ADD_ABS_LO12_NC:
  case ELF::R_AARCH64_LDST8_ABS_LO12_NC:
    return apply(writePageOffset(relocation, 0));
  case ELF::R_AARCH64_LDST16_ABS_LO12_NC:
    return apply(writePageOffset(relocation, 1));
  case ELF::R_AARCH64_LDST32_ABS_LO12_NC:
    return apply(writePageOffset(relocation, 2));
  case ELF::R_AARCH64_LDST64_ABS_LO12_NC:
    return apply(writePageOffset(relocation, 3));
  case ELF::R_AARCH64_LDST128_ABS_LO12_NC:
    return apply(writePageOffset(relocation, 4));
  default:
    return false;
  }
}

bool needle::isKnownMachine(uint16_t machine) {
  return machine == ELF::EM_X86_64 || machine == ELF::EM_AARCH64;
}

Expected<bool> needle::applyRelocation(uint16_t machine,
                                       const Relocation &relocation) {
  return machine == ELF::EM_X86_64 ? applyX86(relocation)
                                   : applyAArch64(relocation);
}

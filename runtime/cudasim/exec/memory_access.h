// Finds the memory behind an address, with all checks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_MEMORY_ACCESS_H
#define NEEDLE_CUDASIM_EXEC_MEMORY_ACCESS_H

#include "exec/address.h"
#include "exec/block.h"
#include "exec/lanes.h"

#include <cstdint>

namespace ndl::cudasim {

/// Null after a fault that says what is wrong.
uint8_t *locateSlowly(Warp &warp, const Instr &instr, unsigned lane,
                      Space space, uint64_t address, unsigned bytes,
                      AccessKind kind);

/// In global memory, without a check of the alignment.
const uint8_t *locateBytes(Warp &warp, const Instr &instr, unsigned lane,
                           uint64_t address, unsigned bytes);

/// Reports SharedMemory::problem().
void reportSharedProblem(Warp &warp, const Instr &instr, unsigned lane,
                         uint64_t address, unsigned bytes, AccessKind kind);

/// Host memory for an access of one lane, or null after a fault. `bytes` is a
/// power of two, and what the address must be a multiple of.
inline uint8_t *locate(Warp &warp, const Instr &instr, unsigned lane,
                       Space space, uint64_t address, unsigned bytes,
                       AccessKind kind) {
  Block &block = warp.block;
  if (space == Space::Generic && isSharedWindow(address)) {
    space = Space::Shared;
    address -= sharedWindow;
  }
  if (space == Space::Shared) {
    if (address <= block.shared.size() &&
        bytes <= block.shared.size() - address &&
        (address & (bytes - 1)) == 0) {
      auto offset = static_cast<uint32_t>(address);
      if (block.shared.access(warp.index, warp.pc, kind, offset, bytes))
        return block.shared.data() + offset;
      reportSharedProblem(warp, instr, lane, address, bytes, kind);
      return nullptr;
    }
  } else if (space == Space::Global || space == Space::Generic) {
    const DeviceMemory::Allocation *recent = block.recent;
    if (recent && address - recent->start < recent->bytes &&
        bytes <= recent->bytes - (address - recent->start) &&
        (address & (bytes - 1)) == 0)
      return recent->data.get() + (address - recent->start);
  }
  return locateSlowly(warp, instr, lane, space, address, bytes, kind);
}

/// The address that a lane accesses: slot + imm.
inline uint64_t addressOf(const Warp &warp, const Instr &instr,
                          const Slot &slot, unsigned lane) {
  return wideLane(warp.data(slot), slot.stride, lane) +
         static_cast<uint64_t>(instr.imm);
}

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_MEMORY_ACCESS_H

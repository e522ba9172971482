// The windows of the generic address space that are not device memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_ADDRESS_H
#define NEEDLE_CUDASIM_EXEC_ADDRESS_H

#include <cstdint>

namespace ndl::cudasim {

// "Generic Addressing" in the PTX ISA: shared, local and parameter memory are
// windows of the generic space; everything else is global (or constant).
constexpr uint64_t windowBytes = uint64_t(1) << 32;
constexpr uint64_t sharedWindow = 0x0100'0000'0000;
constexpr uint64_t localWindow = 0x0200'0000'0000;
constexpr uint64_t paramWindow = 0x0300'0000'0000;

inline bool isSharedWindow(uint64_t address) {
  return address - sharedWindow < windowBytes;
}
inline bool isLocalWindow(uint64_t address) {
  return address - localWindow < windowBytes;
}
inline bool isParamWindow(uint64_t address) {
  return address - paramWindow < windowBytes;
}

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_ADDRESS_H

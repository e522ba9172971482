// Memory of the simulated device.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_DEVICE_MEMORY_H
#define NEEDLE_CUDASIM_EXEC_DEVICE_MEMORY_H

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ndl::cudasim {

/// Addresses are invented, never host pointers, and never handed out twice, so
/// that a use after free is told apart. Allocations are aligned to 256 bytes
/// with a gap between any two.
class DeviceMemory {
public:
  struct Allocation {
    uint64_t start = 0;
    uint64_t bytes = 0;
    std::unique_ptr<uint8_t[]> data;
  };

  /// Below it lie the windows of generic addresses, see exec/address.h.
  static constexpr uint64_t firstAddress = 0x0a00'0000'0000;

  explicit DeviceMemory(uint64_t capacity) : capacityBytes(capacity) {}

  /// 0 if it does not fit or `bytes` is 0. Filled with 0xFF (NaN as floats).
  uint64_t allocate(uint64_t bytes);
  /// False if `address` is not the start of a live allocation.
  bool free(uint64_t address);

  /// The live allocation that holds the address, or null.
  const Allocation *find(uint64_t address) const;
  /// Host memory behind [address, address + bytes), or null unless all of it
  /// lies in one live allocation.
  uint8_t *at(uint64_t address, uint64_t bytes);

  /// Why an access is wrong: "16 bytes past the end of an allocation of 4096
  /// bytes", "in memory that has been freed", "a null pointer", …
  std::string describe(uint64_t address, uint64_t bytes) const;

  uint64_t used() const { return usedBytes; }
  uint64_t capacity() const { return capacityBytes; }
  /// Start and size of each live allocation.
  std::vector<std::pair<uint64_t, uint64_t>> live() const;

private:
  uint64_t capacityBytes;
  uint64_t usedBytes = 0;
  uint64_t nextAddress = firstAddress;
  std::map<uint64_t, Allocation> allocations;
  /// Start and size of what was freed last.
  std::deque<std::pair<uint64_t, uint64_t>> freed;
};

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_DEVICE_MEMORY_H

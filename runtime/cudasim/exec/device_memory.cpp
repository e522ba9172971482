// Memory of the simulated device.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/device_memory.h"

#include "exec/address.h"

#include <cstring>
#include <new>

namespace ndl::cudasim {
namespace {

constexpr uint64_t alignment = 256;
constexpr uint64_t gap = 4096;
constexpr size_t rememberedFrees = 4096;
/// What is further away from an allocation is not called its neighbour.
constexpr uint64_t neighbourhood = uint64_t(1) << 20;

std::string count(uint64_t bytes) {
  return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
}

} // namespace

uint64_t DeviceMemory::allocate(uint64_t bytes) {
  if (bytes == 0 || bytes > capacityBytes - usedBytes)
    return 0;
  std::unique_ptr<uint8_t[]> data(new (std::nothrow) uint8_t[bytes]);
  if (!data)
    return 0;
  std::memset(data.get(), 0xff, bytes);
  uint64_t start = nextAddress;
  nextAddress += (bytes + alignment - 1) / alignment * alignment + gap;
  usedBytes += bytes;
  allocations[start] = {start, bytes, std::move(data)};
  return start;
}

bool DeviceMemory::free(uint64_t address) {
  auto found = allocations.find(address);
  if (found == allocations.end())
    return false;
  usedBytes -= found->second.bytes;
  freed.emplace_back(address, found->second.bytes);
  if (freed.size() > rememberedFrees)
    freed.pop_front();
  allocations.erase(found);
  return true;
}

const DeviceMemory::Allocation *DeviceMemory::find(uint64_t address) const {
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin())
    return nullptr;
  const Allocation &allocation = std::prev(after)->second;
  return address - allocation.start < allocation.bytes ? &allocation : nullptr;
}

uint8_t *DeviceMemory::at(uint64_t address, uint64_t bytes) {
  const Allocation *allocation = find(address);
  if (!allocation || bytes > allocation->bytes - (address - allocation->start))
    return nullptr;
  return allocation->data.get() + (address - allocation->start);
}

std::string DeviceMemory::describe(uint64_t address, uint64_t bytes) const {
  if (address < 4096)
    return address == 0 ? "a null pointer"
                        : "a null pointer plus " + count(address);
  if (const Allocation *allocation = find(address)) {
    uint64_t offset = address - allocation->start;
    uint64_t left = allocation->bytes - offset;
    std::string where = "an allocation of " + count(allocation->bytes);
    if (bytes <= left)
      return "at byte " + std::to_string(offset) + " of " + where;
    return "reaching " + count(bytes - left) + " past the end of " + where;
  }
  for (auto it = freed.rbegin(); it != freed.rend(); ++it)
    if (address - it->first < it->second)
      return "at byte " + std::to_string(address - it->first) + " of " +
             count(it->second) + " in memory that has been freed";
  auto after = allocations.upper_bound(address);
  if (after != allocations.begin()) {
    const Allocation &before = std::prev(after)->second;
    uint64_t distance = address - before.start - before.bytes;
    bool nearer =
        after == allocations.end() || distance <= after->second.start - address;
    if (nearer && distance < neighbourhood)
      return count(distance) + " past the end of an allocation of " +
             count(before.bytes);
  }
  if (after != allocations.end() &&
      after->second.start - address < neighbourhood)
    return count(after->second.start - address) + " before an allocation of " +
           count(after->second.bytes);
  if (isSharedWindow(address))
    return "an address of shared memory";
  if (isLocalWindow(address))
    return "an address of local memory";
  if (address > nextAddress)
    return "in no memory of the device (a host pointer?)";
  return "in no memory of the device";
}

std::vector<std::pair<uint64_t, uint64_t>> DeviceMemory::live() const {
  std::vector<std::pair<uint64_t, uint64_t>> result;
  result.reserve(allocations.size());
  for (const auto &entry : allocations)
    result.emplace_back(entry.first, entry.second.bytes);
  return result;
}

} // namespace ndl::cudasim

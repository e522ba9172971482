// What devices of each compute capability have.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/device_limits.h"

namespace ndl::cudasim::driver {
namespace {

constexpr int KiB = 1 << 10;
constexpr std::array<DeviceLimits, 8> devices = {{
    // arch, threads, blocks, shared memory: multiprocessor, block, reserved
    {75, 1024, 16, 64 * KiB, 64 * KiB, 0},
    {80, 2048, 32, 164 * KiB, 163 * KiB, KiB},
    {86, 1536, 16, 100 * KiB, 99 * KiB, KiB},
    {87, 1536, 16, 164 * KiB, 163 * KiB, KiB},
    {89, 1536, 24, 100 * KiB, 99 * KiB, KiB},
    {90, 2048, 32, 228 * KiB, 227 * KiB, KiB},
    {100, 2048, 32, 228 * KiB, 227 * KiB, KiB},
    {120, 1536, 24, 100 * KiB, 99 * KiB, KiB},
}};

constexpr int registersPerMultiprocessor = 64 << 10;

} // namespace

const std::array<DeviceLimits, 8> &knownDevices() { return devices; }

const DeviceLimits &limitsOf(int architecture) {
  for (const DeviceLimits &limits : devices)
    if (limits.architecture == architecture)
      return limits;
  return devices[0];
}

bool deviceAttribute(const DeviceLimits &limits, CUdeviceAttribute attribute,
                     int &value) {
  switch (attribute) {
  case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    value = static_cast<int>(kMaxThreadsPerBlock);
    return true;
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y:
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z:
    value = static_cast<int>(
        kMaxBlock[attribute - CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X]);
    return true;
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X:
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z:
    value = static_cast<int>(
        kMaxGrid[attribute - CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X]);
    return true;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK:
    value = kSharedPerBlock;
    return true;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
    value = limits.sharedPerBlockOptin;
    return true;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR:
    value = limits.sharedPerMultiprocessor;
    return true;
  case CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK:
    value = limits.reservedSharedPerBlock;
    return true;
  case CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY:
    value = 64 * KiB;
    return true;
  case CU_DEVICE_ATTRIBUTE_WARP_SIZE:
    value = static_cast<int>(kWarpSize);
    return true;
  case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK:
  case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR:
    value = registersPerMultiprocessor;
    return true;
  case CU_DEVICE_ATTRIBUTE_CLOCK_RATE:
    value = 1000000; // kHz; of no meaning here
    return true;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
    value = kMultiprocessors;
    return true;
  case CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE:
    value = 4096 * KiB;
    return true;
  case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR:
    value = limits.maxThreadsPerMultiprocessor;
    return true;
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR:
    value = limits.maxBlocksPerMultiprocessor;
    return true;
  case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
    value = 1;
    return true;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    value = limits.architecture / 10;
    return true;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
    value = limits.architecture % 10;
    return true;
  }
  return false;
}

} // namespace ndl::cudasim::driver

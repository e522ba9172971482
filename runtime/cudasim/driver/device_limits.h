// What devices of each compute capability have.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_DRIVER_DEVICE_LIMITS_H
#define NEEDLE_CUDASIM_DRIVER_DEVICE_LIMITS_H

#include "driver/entry_points.h"

#include <array>

namespace ndl::cudasim::driver {

constexpr uint32_t kWarpSize = 32;
constexpr uint32_t kMaxThreadsPerBlock = 1024;
constexpr uint32_t kMaxBlock[3] = {1024, 1024, 64};
constexpr uint32_t kMaxGrid[3] = {0x7fffffff, 65535, 65535};
/// Shared memory that every kernel may use, and static shared memory at most.
constexpr int kSharedPerBlock = 48 << 10;
/// How many blocks really run side by side does not matter to the simulation;
/// few multiprocessors keep the grids small that are chosen by their number.
constexpr int kMultiprocessors = 4;

/// Sizes in bytes.
struct DeviceLimits {
  int architecture;
  int maxThreadsPerMultiprocessor;
  int maxBlocksPerMultiprocessor;
  int sharedPerMultiprocessor;
  int sharedPerBlockOptin;
  /// Shared memory that the system takes of each block.
  int reservedSharedPerBlock;
};

/// CUDA C++ Programming Guide, "Compute Capabilities: Technical Specifications
/// per Compute Capability".
const std::array<DeviceLimits, 8> &knownDevices();
/// Of one of these.
const DeviceLimits &limitsOf(int architecture);

/// False for an attribute that the simulator does not know.
bool deviceAttribute(const DeviceLimits &limits, CUdeviceAttribute attribute,
                     int &value);

} // namespace ndl::cudasim::driver

#endif // NEEDLE_CUDASIM_DRIVER_DEVICE_LIMITS_H

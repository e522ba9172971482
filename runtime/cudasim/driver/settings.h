// What the environment says of the simulated device.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_DRIVER_SETTINGS_H
#define NEEDLE_CUDASIM_DRIVER_SETTINGS_H

#include <cstdint>
#include <string>

namespace ndl::cudasim::driver {

struct Settings {
  /// NEEDLE_CUDASIM_ARCH: 80 for compute capability 8.0.
  int architecture = 80;
  /// NEEDLE_CUDASIM_MEMORY: bytes, or a number with suffix K, M or G.
  uint64_t memoryBytes = uint64_t(1) << 30;
  /// NEEDLE_CUDASIM_SEED: from which the order of warps is drawn; 0: in order.
  uint64_t seed = 0;
  /// NEEDLE_CUDASIM_LIMIT: instructions, counted by warp, after which a launch
  /// is taken not to end; 0: none.
  uint64_t instructionLimit = 0;
  /// NEEDLE_CUDASIM_TRACE=1: a line on stderr for each call.
  bool trace = false;
};

/// False with a text if a variable makes no sense.
bool readSettings(Settings &settings, std::string &error);

} // namespace ndl::cudasim::driver

#endif // NEEDLE_CUDASIM_DRIVER_SETTINGS_H

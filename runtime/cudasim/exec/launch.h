// Runs kernels of a module on the simulated device.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_LAUNCH_H
#define NEEDLE_CUDASIM_EXEC_LAUNCH_H

#include "exec/device_memory.h"
#include "ptx/module.h"

#include <cstdint>
#include <string>

namespace ndl::cudasim {

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t(x) * y * z; }
};

struct LaunchConfig {
  Dim3 grid, block;
  uint32_t dynamicSharedBytes = 0;
  /// 0: warps and blocks run in order, a warp until it waits or ends. Else the
  /// order, and where warps are interrupted, is drawn from it.
  uint64_t seed = 0;
  /// A launch that executes more instructions, counted by warp, is a fault; 0:
  /// no limit.
  uint64_t instructionLimit = 0;
};

enum class FaultKind {
  IllegalAddress,
  MisalignedAddress,
  IllegalInstruction,
  LaunchFailure,
  Timeout,
  InvalidParameter
};

struct Fault {
  FaultKind kind = FaultKind::LaunchFailure;
  std::string kernel;
  /// 0 if no instruction is to blame.
  int line = 0;
  std::string instruction;
  Dim3 block, thread;
  std::string message;

  /// "kernel `matmul`, PTX line 123 (ld.shared.u32 …), block (0,0,0), thread
  /// (5,0,0): message"
  std::string text() const;
};

/// `parameters` are laid out as `kernel` says. True if the launch ended well.
bool launch(const Module &module, const Kernel &kernel,
            const LaunchConfig &config, const uint8_t *parameters,
            DeviceMemory &memory, Fault &fault);

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_LAUNCH_H

// A block of threads: warps that share memory and barriers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_BLOCK_H
#define NEEDLE_CUDASIM_EXEC_BLOCK_H

#include "exec/launch.h"
#include "exec/shared_memory.h"
#include "exec/warp.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace ndl::cudasim {

/// Numbers that depend on a seed alone.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t limit) { return next() % limit; }

private:
  uint64_t state;
};

class Block {
public:
  static constexpr unsigned numBarriers = 16;

  Block(const Kernel &kernel, const LaunchConfig &config,
        const uint8_t *parameters, DeviceMemory &memory, Fault &fault);

  /// Runs the block with that place in the grid. False after a fault.
  bool run(const Dim3 &where);

  /// A warp has come to a barrier with `threads` (0: all of the block) to meet.
  Flow arrive(Warp &warp, const Instr &instr, uint32_t id, uint32_t threads,
              bool waits, uint32_t predicate);
  /// The thread that a lane is, as %tid.
  Dim3 thread(const Warp &warp, unsigned lane) const;
  bool hasFault() const { return isFaulty; }
  Flow report(const Warp &warp, const Instr &instr, unsigned lane,
              FaultKind kind, std::string message);

  const Kernel &kernel;
  const Program &program;
  const LaunchConfig &config;
  const uint8_t *parameters;
  DeviceMemory &memory;
  SharedMemory shared;
  Dim3 place;
  /// What %clock counts: instructions of the launch.
  uint64_t executed = 0;
  /// The allocation that was accessed last.
  const DeviceMemory::Allocation *recent = nullptr;
  std::vector<std::unique_ptr<Warp>> warps;

private:
  struct Barrier {
    /// Warps that wait, and those that only have arrived.
    uint32_t waiting = 0;
    uint32_t arrivedOnly = 0;
    uint32_t count = 0;
    /// 0: all warps that are not done.
    uint32_t threads = 0;
    bool isOpen = false;
    /// Of bar.red.
    uint32_t trueLanes = 0;
    uint32_t lanes = 0;
  };

  bool step();
  Warp *pick();
  uint32_t liveWarps() const;
  bool isComplete(const Barrier &barrier) const;
  void release(Barrier &barrier);
  bool faultDeadlock();
  void writeReduction(Warp &warp, const Barrier &barrier);

  Fault &fault;
  bool isFaulty = false;
  Random random;
  uint32_t turn = 0;
  std::array<Barrier, numBarriers> barriers;
};

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_BLOCK_H

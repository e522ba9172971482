// A warp: 32 lanes with registers, program counters and copies under way.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_WARP_H
#define NEEDLE_CUDASIM_EXEC_WARP_H

#include "exec/async_copies.h"
#include "exec/launch.h"
#include "exec/program.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace ndl::cudasim {

class Block;

constexpr unsigned warpSize = 32;
constexpr uint32_t allLanes = 0xffffffff;

/// Lanes each have a program counter. Those with the lowest one run, so that
/// lanes that took a detour catch up with those that wait behind it; lanes that
/// must meet others at an instruction wait there until all have come.
class Warp {
public:
  enum class State : uint8_t { Ready, AtBarrier, Done };

  Warp(Block &block, const Program &program, uint32_t index);

  /// Prepares for a new block, in which `lanes` of the warp are threads.
  void start(uint32_t lanes);
  /// Executes up to `budget` instructions and takes those executed off it,
  /// until the warp waits or is done. False after a fault.
  bool run(uint64_t &budget);
  /// Lets lanes run that others hold back, for the next call of run: a lane may
  /// wait for a flag that another lane of its warp sets.
  void favourOthers();

  // For handlers.
  const uint8_t *data(const Slot &slot) const {
    return bases[slot.base] + slot.offset;
  }
  uint8_t *data(const Slot &slot) {
    return const_cast<uint8_t *>(bases[slot.base]) + slot.offset;
  }
  uint32_t predicate(const Slot &slot) const {
    uint32_t mask;
    std::memcpy(&mask, data(slot), sizeof mask);
    return slot.negated ? ~mask : mask;
  }
  void setPredicate(const Slot &slot, uint32_t mask, uint32_t value) {
    if (!slot.exists())
      return;
    uint32_t old;
    std::memcpy(&old, data(slot), sizeof old);
    old = (old & ~mask) | (value & mask);
    std::memcpy(data(slot), &old, sizeof old);
  }

  Flow fault(const Instr &instr, unsigned lane, FaultKind kind,
             std::string message);

  /// Lanes in `mask` go to `target`, others that are active to the next
  /// instruction.
  Flow branch(uint32_t mask, uint32_t target);
  /// Each lane in `mask` has got its own entry in `pcs`.
  Flow scatter(uint32_t mask);
  Flow exit(uint32_t mask);

  /// Lanes that execute an instruction together now, of those that `mask` and
  /// earlier ones have brought here: all live lanes of the warp, or if
  /// `members` is given, all live ones in each lane's mask. 0 if they must
  /// wait.
  uint32_t meet(const Instr &instr, uint32_t mask, const Slot *members);
  /// Lanes in `mask` wait here, the others go on.
  void park(uint32_t mask);
  /// What a handler returns after meet gave 0.
  Flow waited() const;
  /// What a handler returns after `met` have executed the instruction.
  Flow proceed(uint32_t mask, uint32_t met);

  /// The block's barrier has let the warp go.
  void resume();
  /// All live lanes stand at a barrier of the block.
  void stopAtBarrier();

  Block &block;
  const Program &program;
  const uint32_t index;
  State state = State::Done;
  uint32_t live = 0;
  uint32_t active = 0;
  /// Lanes that wait for others at an instruction.
  uint32_t waiting = 0;
  uint32_t pc = 0;
  uint32_t pcs[warpSize] = {};
  /// Local memory, lane after lane.
  std::vector<uint8_t> local;
  /// Return addresses, a vector of lanes for each depth.
  std::vector<uint32_t> returns;
  uint32_t depths[warpSize] = {};
  AsyncCopies copies;
  /// The carry flag of each lane.
  uint32_t carry = 0;
  void setCarry(unsigned lane, bool isSet) {
    uint32_t bit = uint32_t(1) << lane;
    carry = isSet ? carry | bit : carry & ~bit;
  }

private:
  bool regroup();
  bool select();
  bool releaseWaiting();
  uint32_t readyAt(const Instr &instr, uint32_t arrived, const Slot *members);
  bool faultDivergence();
  uint32_t waitingAt(uint32_t place) const;

  /// The lowest program counter of lanes that could run but are not active.
  uint32_t otherPc = UINT32_MAX;
  const uint8_t *bases[2];
  std::vector<uint8_t> registers;
};

/// All live lanes of the warp wait at barriers without .aligned: it arrives.
bool arriveByLanes(Warp &warp);
/// Writes the special registers that the program uses.
void setSpecialRegisters(Warp &warp, uint8_t *registers);

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_WARP_H

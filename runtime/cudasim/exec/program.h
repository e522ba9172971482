// A kernel decoded for execution: instructions with handlers and slots.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_PROGRAM_H
#define NEEDLE_CUDASIM_EXEC_PROGRAM_H

#include "ptx/type.h"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace ndl::cudasim {

class Warp;
struct Instr;

/// What happens after an instruction.
enum class Flow : uint8_t {
  /// The next instruction.
  Next,
  /// The handler has changed the warp's program counter or lanes.
  Moved,
  Fault
};

/// Executes an instruction for the lanes in `mask`, which is not 0.
using Handler = Flow (*)(Warp &warp, const Instr &instr, uint32_t mask);

/// Of an atomic operation: the new value of old, b and for cas c.
using Update = uint64_t (*)(uint64_t old, uint64_t b, uint64_t c);

/// Where the 32 values of an operand are: registers of the warp or constants
/// of the program. A value takes 4 bytes if its type has at most 32 bits, else
/// 8; a predicate is one 32-bit mask of lanes.
struct Slot {
  static constexpr uint8_t none = 2;

  /// In bytes.
  uint32_t offset = 0;
  /// 0: registers, 1: constants.
  uint8_t base = none;
  /// 4 or 8; 0: predicate.
  uint8_t stride = 0;
  /// Of the declared type of a register.
  uint8_t bits = 0;
  /// !p
  bool negated = false;

  bool exists() const { return base != none; }
};

struct Instr {
  static constexpr unsigned maxSlots = 6;

  Handler run = nullptr;
  Slot guard;
  /// Usually the destination, then the sources.
  Slot slots[maxSlots];
  /// Elements of vector operands, one after another.
  const Slot *vector = nullptr;
  /// Of atomic operations in shared and in other memory.
  Update sharedUpdate = nullptr;
  Update otherUpdate = nullptr;
  /// Of brx.idx.
  std::vector<uint32_t> *table = nullptr;
  /// An offset of an address, the target of a branch, …
  int64_t imm = 0;
  /// What the handler's family says.
  uint32_t options = 0;
  uint8_t count = 0;
  uint8_t bytes = 0;
  Space space = Space::Generic;
  /// The slot of the mask that names the lanes to meet; none for operations
  /// that don't meet or are .aligned.
  uint8_t membersSlot = noMembers;
  /// barrier without .aligned: lanes may come by different ways.
  bool isUnalignedBarrier = false;
  int line = 0;
  std::string_view text;

  static constexpr uint8_t noMembers = 0xff;
  const Slot *members() const {
    return membersSlot == noMembers ? nullptr : &slots[membersSlot];
  }
};

enum class SpecialRegister : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  NwarpId,
  SmId,
  NsmId,
  GridId,
  LanemaskEq,
  LanemaskLe,
  LanemaskLt,
  LanemaskGe,
  LanemaskGt,
  DynamicSmemSize,
  TotalSmemSize,
  Clock,
  Clock64,
  Globaltimer
};

struct Program {
  std::vector<Instr> code;
  std::deque<std::vector<Slot>> vectors;
  /// Targets of brx.idx, call sites, copies of parameters, …
  std::deque<std::vector<uint32_t>> tables;
  std::vector<uint8_t> constants;
  /// Addresses of globals among the constants.
  struct Binding {
    uint32_t offset;
    uint32_t global;
    int64_t addend;
  };
  std::vector<Binding> bindings;
  /// Special registers are set when a warp starts.
  struct Special {
    SpecialRegister which;
    uint32_t offset;
  };
  std::vector<Special> specials;
  uint32_t registerBytes = 0;
  uint32_t localBytes = 0;
  uint32_t staticSharedBytes = 0;

  struct SharedVariable {
    std::string name;
    uint32_t offset;
    uint32_t bytes;
  };
  std::vector<SharedVariable> sharedVariables;
};

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_PROGRAM_H

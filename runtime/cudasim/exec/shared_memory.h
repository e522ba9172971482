// Shared memory of a block, and what each byte of it has been through.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_SHARED_MEMORY_H
#define NEEDLE_CUDASIM_EXEC_SHARED_MEMORY_H

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

namespace ndl::cudasim {

enum class AccessKind : uint8_t {
  Read,
  Write,
  /// An atomic operation, or a volatile or relaxed access: "Morally strong
  /// operations" in the PTX ISA don't race with one another.
  StrongRead,
  StrongWrite,
  Atomic
};
inline bool isStrong(AccessKind kind) { return kind >= AccessKind::StrongRead; }
inline bool isRead(AccessKind kind) {
  return kind != AccessKind::Write && kind != AccessKind::StrongWrite;
}
inline bool isWrite(AccessKind kind) {
  return kind != AccessKind::Read && kind != AccessKind::StrongRead;
}

/// Finds reads of bytes that nobody has written, reads of bytes that an
/// asynchronous copy is still to write, and races: two warps access a byte, one
/// writes, and no barrier orders them. Time is counted in epochs that end
/// where all warps of the block have met at a barrier, and within an epoch in a
/// clock of each warp that other barriers pass on.
class SharedMemory {
public:
  static constexpr uint32_t maxWarps = 32;

  struct Problem {
    enum class Kind : uint8_t { None, Uninitialized, Pending, Race } kind;
    /// The first byte concerned.
    uint32_t offset;
    /// Of a race: the other access.
    uint32_t otherWarp;
    uint32_t otherPc;
    bool otherWrites;
  };

  void resize(uint32_t bytes);
  /// Forgets everything: a new block begins.
  void reset();
  uint32_t size() const { return byteCount; }
  uint8_t *data() { return memory.data(); }

  /// Notes an access within bounds. False with a problem.
  bool access(uint32_t warp, uint32_t pc, AccessKind kind, uint32_t offset,
              uint32_t bytes) {
    if (isRead(kind) && !isWritten(offset, bytes))
      return noteUnwritten(offset, bytes);
    if (isWrite(kind) && !noteWritten(offset, bytes))
      return false;
    if ((offset | bytes) % 4 == 0) {
      Cell *cell = words.data() + offset / 4, *end = cell + bytes / 4;
      for (; cell != end; ++cell) {
        if (touchQuickly(*cell, warp, pc, kind))
          continue;
        auto at = static_cast<uint32_t>(cell - words.data()) * 4;
        if ((cell->isSplit || !touch(*cell, warp, pc, kind)) &&
            !accessBytes(warp, pc, kind, at, 4))
          return false;
      }
      return true;
    }
    return accessBytes(warp, pc, kind, offset, bytes);
  }
  /// An asynchronous copy to these bytes, which are noted as written, is under
  /// way; and it ends.
  void beginCopy(uint32_t offset, uint32_t bytes);
  bool endCopy(uint32_t warp, uint32_t pc, uint32_t offset, uint32_t bytes);

  /// All warps have met.
  void beginEpoch();
  /// The warps in `waiting` have met, and learn of what those in `arrived` did.
  void order(uint32_t waiting, uint32_t arrived);

  const Problem &problem() const { return lastProblem; }

private:
  enum State : uint8_t { Unwritten = 0, Written = 1, InFlight = 2 };

  struct alignas(32) Cell {
    uint32_t epoch = 0;
    /// Warps that have read it, or accessed it strongly, since the last write.
    uint32_t readers = 0;
    uint32_t strong = 0;
    uint32_t writerClock = 0;
    uint32_t writerPc = 0;
    uint32_t readerPc = 0;
    uint8_t writer = noWriter;
    /// Its bytes are told apart in `cells`.
    bool isSplit = false;
  };
  static constexpr uint8_t noWriter = 0xff;

  /// The states of four bytes that begin a word.
  uint32_t statesOf(uint32_t offset) const {
    uint32_t states;
    std::memcpy(&states, state.data() + offset, sizeof states);
    return states;
  }
  static constexpr uint32_t allBytes = 0x01010101;

  bool isWritten(uint32_t offset, uint32_t bytes) const {
    if ((offset | bytes) % 4 == 0) {
      uint32_t different = 0;
      for (uint32_t i = 0; i < bytes; i += 4)
        different |= statesOf(offset + i) ^ (allBytes * Written);
      return different == 0;
    }
    for (uint32_t i = 0; i < bytes; ++i)
      if (state[offset + i] != Written)
        return false;
    return true;
  }
  bool noteWritten(uint32_t offset, uint32_t bytes) {
    if ((offset | bytes) % 4 == 0) {
      uint32_t inFlight = 0;
      for (uint32_t i = 0; i < bytes; i += 4)
        inFlight |= statesOf(offset + i) & (allBytes * InFlight);
      if (inFlight == 0) {
        std::memset(state.data() + offset, Written, bytes);
        return true;
      }
    }
    for (uint32_t i = 0; i < bytes; ++i) {
      if (state[offset + i] == InFlight)
        return fail(Problem::Kind::Pending, offset + i);
      state[offset + i] = Written;
    }
    return true;
  }
  /// The most frequent case of touch: no other warp has accessed the word in
  /// this epoch but to read what this one reads too.
  bool touchQuickly(Cell &cell, uint32_t warp, uint32_t pc, AccessKind kind) {
    uint32_t self = uint32_t(1) << warp;
    if (cell.epoch != epoch || cell.isSplit || cell.strong != 0 ||
        (cell.writer != warp && cell.writer != noWriter))
      return false;
    if (kind == AccessKind::Read) {
      cell.readers |= self;
      cell.readerPc = pc;
      return true;
    }
    if (kind != AccessKind::Write || (cell.readers & ~self) != 0)
      return false;
    cell.readers = 0;
    cell.writer = static_cast<uint8_t>(warp);
    cell.writerClock = clocks[warp][warp];
    cell.writerPc = pc;
    return true;
  }
  bool touch(Cell &cell, uint32_t warp, uint32_t pc, AccessKind kind);
  /// Whether a barrier of some warps has ordered all of these before. Their
  /// clocks when they read are not kept: what any such barrier may have ordered
  /// is taken as ordered.
  bool knows(uint32_t warp, uint32_t others) const;
  bool fail(Problem::Kind kind, uint32_t offset);
  bool noteUnwritten(uint32_t offset, uint32_t bytes);
  bool accessBytes(uint32_t warp, uint32_t pc, AccessKind kind, uint32_t offset,
                   uint32_t bytes);
  bool failRace(const Cell &cell, uint32_t warp, AccessKind kind,
                uint32_t offset);

  uint32_t byteCount = 0;
  std::vector<uint8_t> memory;
  std::vector<uint8_t> state;
  std::vector<Cell> words;
  /// By byte; made when first needed.
  std::vector<Cell> cells;
  uint32_t epoch = 1;
  std::array<std::array<uint32_t, maxWarps>, maxWarps> clocks = {};
  Problem lastProblem = {};
};

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_SHARED_MEMORY_H

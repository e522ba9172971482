// Shared memory of a block, and what each byte of it has been through.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/shared_memory.h"

#include <algorithm>

namespace ndl::cudasim {
namespace {

uint32_t lowestBit(uint32_t mask) {
  return static_cast<uint32_t>(__builtin_ctz(mask));
}

} // namespace

void SharedMemory::resize(uint32_t bytes) {
  byteCount = bytes;
  // The last word may be used in part.
  uint32_t rounded = (bytes + 3) / 4 * 4;
  memory.assign(rounded, 0xff);
  state.assign(rounded, Unwritten);
  words.assign(rounded / 4, Cell());
  cells.clear();
}

void SharedMemory::reset() {
  std::fill(memory.begin(), memory.end(), uint8_t(0xff));
  std::fill(state.begin(), state.end(), uint8_t(Unwritten));
  beginEpoch();
}

void SharedMemory::beginEpoch() {
  if (++epoch == 0) {
    std::fill(words.begin(), words.end(), Cell());
    std::fill(cells.begin(), cells.end(), Cell());
    epoch = 1;
  }
  for (uint32_t warp = 0; warp < maxWarps; ++warp) {
    clocks[warp].fill(0);
    clocks[warp][warp] = 1;
  }
}

void SharedMemory::order(uint32_t waiting, uint32_t arrived) {
  std::array<uint32_t, maxWarps> latest = {};
  for (uint32_t m = waiting | arrived; m; m &= m - 1)
    for (uint32_t i = 0; i < maxWarps; ++i)
      latest[i] = std::max(latest[i], clocks[lowestBit(m)][i]);
  for (uint32_t m = waiting; m; m &= m - 1)
    clocks[lowestBit(m)] = latest;
  for (uint32_t m = waiting | arrived; m; m &= m - 1)
    ++clocks[lowestBit(m)][lowestBit(m)];
}

bool SharedMemory::knows(uint32_t warp, uint32_t others) const {
  for (uint32_t m = others; m; m &= m - 1)
    if (clocks[warp][lowestBit(m)] == 0)
      return false;
  return true;
}

bool SharedMemory::touch(Cell &cell, uint32_t warp, uint32_t pc,
                         AccessKind kind) {
  if (cell.epoch != epoch) {
    cell = Cell();
    cell.epoch = epoch;
  }
  bool isOrdered = cell.writer == noWriter || cell.writer == warp ||
                   cell.writerClock <= clocks[warp][cell.writer];
  uint32_t others = ~(uint32_t(1) << warp);
  if (isStrong(kind)) {
    if (!isOrdered || (isWrite(kind) && (cell.readers & others) &&
                       !knows(warp, cell.readers & others)))
      return false;
    cell.strong |= isWrite(kind) ? ~others : 0;
    cell.writerPc = isWrite(kind) ? pc : cell.writerPc;
    return true;
  }
  if (!isOrdered ||
      ((cell.strong & others) && !knows(warp, cell.strong & others)))
    return false;
  if (kind == AccessKind::Read) {
    cell.readers |= ~others;
    cell.readerPc = pc;
    return true;
  }
  if ((cell.readers & others) && !knows(warp, cell.readers & others))
    return false;
  cell.readers = 0;
  cell.strong = 0;
  cell.writer = static_cast<uint8_t>(warp);
  cell.writerClock = clocks[warp][warp];
  cell.writerPc = pc;
  return true;
}

bool SharedMemory::fail(Problem::Kind kind, uint32_t offset) {
  lastProblem = {kind, offset, 0, 0, false};
  return false;
}

bool SharedMemory::noteUnwritten(uint32_t offset, uint32_t bytes) {
  for (uint32_t i = offset; i < offset + bytes; ++i)
    if (state[i] != Written)
      return fail(state[i] == InFlight ? Problem::Kind::Pending
                                       : Problem::Kind::Uninitialized,
                  i);
  return true;
}

bool SharedMemory::accessBytes(uint32_t warp, uint32_t pc, AccessKind kind,
                               uint32_t offset, uint32_t bytes) {
  if (cells.empty())
    cells.assign(memory.size(), Cell());
  for (uint32_t i = offset; i < offset + bytes; ++i) {
    Cell &word = words[i / 4];
    if (word.epoch != epoch || !word.isSplit) {
      if (word.epoch != epoch)
        word = Cell();
      word.epoch = epoch;
      std::fill_n(cells.begin() + i / 4 * 4, 4, word);
      word.isSplit = true;
    }
    if (!touch(cells[i], warp, pc, kind))
      return failRace(cells[i], warp, kind, i);
  }
  return true;
}

bool SharedMemory::failRace(const Cell &cell, uint32_t warp, AccessKind kind,
                            uint32_t offset) {
  bool isOtherWriter = cell.writer != noWriter && cell.writer != warp &&
                       cell.writerClock > clocks[warp][cell.writer];
  uint32_t others = ~(uint32_t(1) << warp);
  lastProblem = {Problem::Kind::Race, offset, 0, 0, true};
  if (isOtherWriter) {
    lastProblem.otherWarp = cell.writer;
    lastProblem.otherPc = cell.writerPc;
  } else if (!isStrong(kind) && (cell.strong & others)) {
    lastProblem.otherWarp = lowestBit(cell.strong & others);
    lastProblem.otherPc = cell.writerPc;
  } else {
    lastProblem.otherWarp = lowestBit(cell.readers & others);
    lastProblem.otherPc = cell.readerPc;
    lastProblem.otherWrites = false;
  }
  return false;
}

void SharedMemory::beginCopy(uint32_t offset, uint32_t bytes) {
  std::fill_n(state.begin() + offset, bytes, uint8_t(InFlight));
}

bool SharedMemory::endCopy(uint32_t warp, uint32_t pc, uint32_t offset,
                           uint32_t bytes) {
  std::fill_n(state.begin() + offset, bytes, uint8_t(Written));
  return access(warp, pc, AccessKind::Write, offset, bytes);
}

} // namespace ndl::cudasim

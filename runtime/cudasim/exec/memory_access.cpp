// Finds the memory behind an address, and says what is wrong with it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/memory_access.h"

namespace ndl::cudasim {
namespace {

std::string count(uint64_t bytes) {
  return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
}

std::string_view verb(AccessKind kind) {
  return kind == AccessKind::Atomic ? "updates"
         : isRead(kind)             ? "reads"
                                    : "writes";
}

std::string thread(const Dim3 &d) {
  return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," +
         std::to_string(d.z) + ")";
}

/// " (`tile` + 4)" for a shared address behind the start of a variable.
std::string symbolAt(const Program &program, uint64_t address) {
  const Program::SharedVariable *best = nullptr;
  for (const Program::SharedVariable &variable : program.sharedVariables)
    if (variable.offset <= address && (!best || variable.offset > best->offset))
      best = &variable;
  if (!best)
    return {};
  return " (`" + best->name + "` + " + std::to_string(address - best->offset) +
         ")";
}

uint8_t *refuse(Warp &warp, const Instr &instr, unsigned lane, FaultKind kind,
                std::string message) {
  warp.fault(instr, lane, kind, std::move(message));
  return nullptr;
}

/// A range of bytes that begins at 0.
uint8_t *locateIn(Warp &warp, const Instr &instr, unsigned lane, Space space,
                  uint8_t *data, uint64_t size, uint64_t address,
                  unsigned bytes, AccessKind kind) {
  std::string text = std::string(verb(kind)) + " " + count(bytes) + " at " +
                     std::string(nameOf(space)) + " address " +
                     (int64_t(address) < 0 && int64_t(address) > -(1 << 30)
                          ? std::to_string(int64_t(address))
                          : std::to_string(address));
  if (space == Space::Shared)
    text += symbolAt(warp.program, address);
  if (address > size || bytes > size - address) {
    bool isNegative = int64_t(address) < 0;
    return refuse(warp, instr, lane, FaultKind::IllegalAddress,
                  "out of bounds: " + text +
                      (isNegative ? ", which is negative"
                                  : ", which reaches byte " +
                                        std::to_string(address + bytes) +
                                        " of " + std::to_string(size)));
  }
  if (address % bytes != 0)
    return refuse(warp, instr, lane, FaultKind::MisalignedAddress,
                  "misaligned: " + text + ", which is no multiple of " +
                      std::to_string(bytes));
  return data + address;
}

uint8_t *locateGlobal(Warp &warp, const Instr &instr, unsigned lane,
                      uint64_t address, unsigned bytes, AccessKind kind,
                      unsigned align) {
  Block &block = warp.block;
  const DeviceMemory::Allocation *found = block.memory.find(address);
  std::string text =
      std::string(verb(kind)) + " " + count(bytes) + " at " + hex(address);
  if (!found || bytes > found->bytes - (address - found->start))
    return refuse(warp, instr, lane, FaultKind::IllegalAddress,
                  "out of bounds: " + text + ", " +
                      block.memory.describe(address, bytes));
  if (address % align != 0)
    return refuse(warp, instr, lane, FaultKind::MisalignedAddress,
                  "misaligned: " + text + ", which is no multiple of " +
                      std::to_string(align));
  block.recent = found;
  return found->data.get() + (address - found->start);
}

/// The copy that is under way to a byte of shared memory.
std::string pendingCopy(Warp &warp, uint32_t offset) {
  for (const auto &other : warp.block.warps)
    for (const AsyncCopies::Copy &copy : other->copies.pending)
      if (offset - copy.destination < copy.bytes)
        return "a cp.async of thread " +
               thread(warp.block.thread(*other, copy.lane)) + " at PTX line " +
               std::to_string(warp.program.code[copy.pc].line);
  return "a cp.async";
}

} // namespace

void reportSharedProblem(Warp &warp, const Instr &instr, unsigned lane,
                         uint64_t address, unsigned bytes, AccessKind kind) {
  const SharedMemory::Problem &problem = warp.block.shared.problem();
  std::string text = std::string(verb(kind)) + " " + count(bytes) +
                     " at shared address " + std::to_string(address) +
                     symbolAt(warp.program, address);
  std::string byte = std::to_string(problem.offset);
  if (problem.kind == SharedMemory::Problem::Kind::Uninitialized)
    text = "uninitialized shared memory: " + text + ", but nothing has been " +
           "written to byte " + byte;
  else if (problem.kind == SharedMemory::Problem::Kind::Pending)
    text = "missing cp.async.wait_group: " + text + ", but byte " + byte +
           " belongs to " + pendingCopy(warp, problem.offset) +
           " whose group has not been waited for";
  else
    text = "missing bar.sync: warp " + std::to_string(warp.index) + " " + text +
           ", but warp " + std::to_string(problem.otherWarp) +
           (problem.otherWrites ? " has written" : " has read") + " byte " +
           byte + " at PTX line " +
           std::to_string(warp.program.code[problem.otherPc].line) +
           " and no barrier is in between (a shared-memory race)";
  warp.fault(instr, lane, FaultKind::LaunchFailure, text);
}

const uint8_t *locateBytes(Warp &warp, const Instr &instr, unsigned lane,
                           uint64_t address, unsigned bytes) {
  return locateGlobal(warp, instr, lane, address, bytes, AccessKind::Read, 1);
}

uint8_t *locateSlowly(Warp &warp, const Instr &instr, unsigned lane,
                      Space space, uint64_t address, unsigned bytes,
                      AccessKind kind) {
  Block &block = warp.block;
  if (space == Space::Generic && isLocalWindow(address)) {
    space = Space::Local;
    address -= localWindow;
  } else if (space == Space::Generic && isParamWindow(address)) {
    space = Space::Param;
    address -= paramWindow;
  }
  switch (space) {
  case Space::Shared:
    return locateIn(warp, instr, lane, space, block.shared.data(),
                    block.shared.size(), address, bytes, kind);
  case Space::Local: {
    uint64_t size = warp.program.localBytes;
    return locateIn(warp, instr, lane, space, warp.local.data() + lane * size,
                    size, address, bytes, kind);
  }
  case Space::Param:
    if (isWrite(kind))
      return refuse(warp, instr, lane, FaultKind::IllegalAddress,
                    "writes a parameter of the kernel");
    // Nothing is written through it.
    return locateIn(warp, instr, lane, space,
                    const_cast<uint8_t *>(block.parameters),
                    block.kernel.totalParameterBytes, address, bytes, kind);
  default:
    return locateGlobal(warp, instr, lane, address, bytes, kind, bytes);
  }
}

} // namespace ndl::cudasim

// Asynchronous copies to shared memory: cp.async.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/memory_access.h"

#include <algorithm>

namespace ndl::cudasim {
namespace {

/// slots: destination, source, source bytes (may be none), ignore-src (may be
/// none). imm is the source's offset, options the destination's.
Flow beginCopy(Warp &warp, const Instr &instr, uint32_t mask) {
  unsigned bytes = instr.bytes;
  const Slot &size = instr.slots[2];
  uint32_t ignored =
      instr.slots[3].exists() ? warp.predicate(instr.slots[3]) : 0;
  Instr toShared = instr;
  toShared.imm = static_cast<int32_t>(instr.options);
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    AsyncCopies::Copy copy = {};
    uint32_t wanted =
        size.exists() ? lane<uint32_t>(warp.data(size), self) : bytes;
    if (wanted > bytes)
      return warp.fault(instr, self, FaultKind::LaunchFailure,
                        "the source size " + std::to_string(wanted) +
                            " is more than the copy's " +
                            std::to_string(bytes) + " bytes");
    if (ignored >> self & 1)
      wanted = 0;
    uint64_t address = addressOf(warp, instr, instr.slots[1], self);
    if (address % bytes != 0 && wanted != 0)
      return warp.fault(instr, self, FaultKind::MisalignedAddress,
                        "misaligned: the source address " + hex(address) +
                            " is no multiple of " + std::to_string(bytes));
    if (wanted != 0) {
      // The rest is zero, and not read.
      const uint8_t *from = locateBytes(warp, instr, self, address, wanted);
      if (!from)
        return Flow::Fault;
      std::memcpy(copy.data, from, wanted);
    }
    uint64_t to = addressOf(warp, toShared, instr.slots[0], self);
    if (!locate(warp, instr, self, Space::Shared, to, bytes, AccessKind::Write))
      return Flow::Fault;
    copy.pc = warp.pc;
    copy.destination = static_cast<uint32_t>(to);
    copy.group = warp.copies.committed[self];
    copy.lane = static_cast<uint8_t>(self);
    copy.bytes = instr.bytes;
    warp.block.shared.beginCopy(copy.destination, bytes);
    warp.copies.pending.push_back(copy);
  }
  return Flow::Next;
}

Flow commitGroup(Warp &warp, const Instr &, uint32_t mask) {
  for (uint32_t m = mask; m; m &= m - 1)
    ++warp.copies.committed[lowestLane(m)];
  return Flow::Next;
}

/// Copies arrive for the lanes in `mask`: all but those of the `keep` last
/// groups, and with `all` those of the group that is not committed too.
Flow finishCopies(Warp &warp, uint32_t mask, uint32_t keep, bool all) {
  auto &pending = warp.copies.pending;
  size_t kept = 0;
  for (const AsyncCopies::Copy &copy : pending) {
    uint32_t committed = warp.copies.committed[copy.lane];
    bool isDone = all || copy.group + keep < committed;
    if (!(mask >> copy.lane & 1) || !isDone) {
      pending[kept++] = copy;
      continue;
    }
    std::memcpy(warp.block.shared.data() + copy.destination, copy.data,
                copy.bytes);
    if (!warp.block.shared.endCopy(warp.index, copy.pc, copy.destination,
                                   copy.bytes)) {
      reportSharedProblem(warp, warp.program.code[copy.pc], copy.lane,
                          copy.destination, copy.bytes, AccessKind::Write);
      return Flow::Fault;
    }
  }
  pending.resize(kept);
  return Flow::Next;
}

Flow waitGroup(Warp &warp, const Instr &instr, uint32_t mask) {
  return finishCopies(warp, mask, static_cast<uint32_t>(instr.imm), false);
}

Flow waitAll(Warp &warp, const Instr &, uint32_t mask) {
  return finishCopies(warp, mask, 0, true);
}

bool decodeCopy(Decoder &d) {
  int cache = d.takeOneOf({".ca", ".cg"});
  bool isKnown = (d.take(".shared") || d.take(".shared::cta")) &&
                 d.take(".global") && cache >= 0;
  d.takeOneOf({".L2::64B", ".L2::128B", ".L2::256B"});
  if (!isKnown)
    return d.fail("cp.async.{ca,cg}.shared.global is needed");
  if (!d.hasOperands(3, 4))
    return false;
  const ptx::Operand &size = d.in().operands[2];
  bool isSize = size.kind == ptx::Operand::Kind::Integer &&
                (size.value == 16 ||
                 (cache == 0 && (size.value == 4 || size.value == 8)));
  if (!isSize)
    return d.fail("the size must be a constant: 16, or with .ca 4 or 8");
  if (!d.address(0, 0))
    return false;
  int64_t offset = d.out().imm;
  if (offset != static_cast<int32_t>(offset))
    return d.fail("the offset does not fit 32 bits");
  d.out().bytes = static_cast<uint8_t>(size.value);
  d.out().options = static_cast<uint32_t>(offset);
  if (!d.address(1, 1))
    return false;
  if (d.operands() == 4 &&
      !(d.typeOf(3) == Type::Pred ? d.source(3, 3, Type::Pred)
                                  : d.source(2, 3, Type::U32)))
    return false;
  return d.finish(beginCopy);
}

} // namespace

bool decodeCp(Decoder &d) {
  if (!d.take(".async"))
    return d.fail("only cp.async is supported");
  if (d.take(".commit_group"))
    return d.hasOperands(0) && d.finish(commitGroup);
  if (d.take(".wait_all"))
    return d.hasOperands(0) && d.finish(waitAll);
  if (!d.take(".wait_group"))
    return decodeCopy(d);
  if (!d.hasOperands(1))
    return false;
  const ptx::Operand &groups = d.in().operands[0];
  if (groups.kind != ptx::Operand::Kind::Integer || groups.value < 0 ||
      groups.value > 1000000)
    return d.fail("the number of groups must be a constant");
  d.out().imm = groups.value;
  return d.finish(waitGroup);
}

} // namespace ndl::cudasim

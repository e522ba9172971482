// Branches, calls, and the end of a thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/block.h"
#include "exec/calls.h"
#include "exec/families.h"
#include "exec/lanes.h"

namespace ndl::cudasim {
namespace {

Flow branchTo(Warp &warp, const Instr &instr, uint32_t mask) {
  return warp.branch(mask, static_cast<uint32_t>(instr.imm));
}

Flow branchIndexed(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *index = warp.data(instr.slots[1]);
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    auto entry = lane<uint32_t>(index, self);
    if (entry >= instr.table->size())
      return warp.fault(instr, self, FaultKind::LaunchFailure,
                        "index " + std::to_string(entry) + " of " +
                            std::to_string(instr.table->size()) +
                            " branch targets");
    warp.pcs[self] = (*instr.table)[entry];
  }
  return warp.scatter(mask);
}

Flow call(Warp &warp, const Instr &instr, uint32_t mask) {
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    size_t place = size_t(warp.depths[self]++) * warpSize + self;
    if (place >= warp.returns.size())
      warp.returns.resize(place / warpSize * warpSize + warpSize);
    warp.returns[place] = warp.pc + 1;
    warp.pcs[self] = static_cast<uint32_t>(instr.imm);
  }
  return warp.scatter(mask);
}

Flow exitThread(Warp &warp, const Instr &, uint32_t mask) {
  return warp.exit(mask);
}

/// From a kernel it ends the thread: "ret" in the PTX ISA.
Flow returnFrom(Warp &warp, const Instr &, uint32_t mask) {
  uint32_t done = 0;
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    if (warp.depths[self] == 0) {
      done |= m & (0 - m);
      continue;
    }
    size_t depth = --warp.depths[self];
    warp.pcs[self] = warp.returns[depth * warpSize + self];
  }
  if (done == mask)
    return warp.exit(mask);
  return warp.scatter(mask);
}

Flow copyRegister(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *from = warp.data(instr.slots[1]);
  uint8_t *to = warp.data(instr.slots[0]);
  uint8_t stride = instr.slots[0].stride;
  if (stride == 0) {
    warp.setPredicate(instr.slots[0], mask, warp.predicate(instr.slots[1]));
    return Flow::Next;
  }
  for (uint32_t m = mask; m; m &= m - 1)
    setWideLane(to, stride, lowestLane(m),
                wideLane(from, stride, lowestLane(m)));
  return Flow::Next;
}

Flow copyLocal(Warp &warp, const Instr &instr, uint32_t mask) {
  size_t size = warp.program.localBytes;
  for (uint32_t m = mask; m; m &= m - 1) {
    uint8_t *own = warp.local.data() + lowestLane(m) * size;
    std::memcpy(own + instr.options, own + instr.slots[0].offset,
                static_cast<size_t>(instr.imm));
  }
  return Flow::Next;
}

Flow trap(Warp &warp, const Instr &instr, uint32_t mask) {
  return warp.fault(instr, lowestLane(mask), FaultKind::LaunchFailure,
                    "trap: the kernel has ended itself");
}

} // namespace

Handler callHandler() { return call; }

Instr makeReturn() {
  Instr instr;
  instr.run = returnFrom;
  return instr;
}

Handler copyHandler(bool isRegister) {
  return isRegister ? copyRegister : copyLocal;
}

void resolveBranches(Program &program, size_t begin,
                     const std::vector<uint32_t> &labels,
                     const std::vector<uint32_t> &places) {
  for (size_t i = begin; i < program.code.size(); ++i) {
    Instr &instr = program.code[i];
    if (instr.run == branchTo)
      instr.imm = places[labels[static_cast<size_t>(instr.imm)]];
    if (instr.run == branchIndexed)
      for (uint32_t &entry : *instr.table)
        entry = places[labels[entry]];
  }
}

bool decodeBra(Decoder &d) {
  d.take(".uni");
  if (!d.hasOperands(1))
    return false;
  if (d.in().operands[0].kind != ptx::Operand::Kind::Label)
    return d.fail("a label is missing");
  d.out().imm = d.in().operands[0].index;
  return d.finish(branchTo);
}

bool decodeBrx(Decoder &d) {
  if (!d.take(".idx"))
    return d.fail("only brx.idx is supported");
  d.take(".uni");
  if (!d.hasOperands(2) || !d.source(1, 0, Type::U32))
    return false;
  d.out().table = d.keepTable(d.in().targets);
  return d.finish(branchIndexed);
}

bool decodeCall(Decoder &d) { return d.decodeCall(); }

bool decodeRet(Decoder &d) {
  d.take(".uni");
  return d.hasOperands(0) && d.finish(returnFrom);
}

bool decodeExit(Decoder &d) { return d.hasOperands(0) && d.finish(exitThread); }

bool decodeTrap(Decoder &d) { return d.hasOperands(0) && d.finish(trap); }

} // namespace ndl::cudasim

// Barriers of blocks and of warps.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/block.h"
#include "exec/families.h"
#include "exec/lanes.h"

namespace ndl::cudasim {
namespace {

/// slots: d (red), id, threads (may be none), predicate (red). count: which.
enum : uint8_t { synchronizes, arrivesOnly, reduces };

struct Arrival {
  uint32_t id = 0;
  uint32_t threads = 0;
  uint32_t predicate = 0;
};

/// What the lanes at an instruction say; they must agree.
bool readArrival(Warp &warp, const Instr &instr, uint32_t lanes,
                 Arrival &arrival) {
  unsigned first = lowestLane(lanes);
  auto of = [&](const Slot &slot, unsigned self) {
    return slot.exists() ? lane<uint32_t>(warp.data(slot), self) : 0;
  };
  arrival.id = of(instr.slots[1], first);
  arrival.threads = of(instr.slots[2], first);
  if (instr.slots[2].exists() && arrival.threads == 0) {
    warp.fault(instr, first, FaultKind::LaunchFailure,
               "wrong thread count of a barrier: 0");
    return false;
  }
  for (uint32_t m = lanes; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    if (of(instr.slots[1], self) == arrival.id &&
        of(instr.slots[2], self) == arrival.threads)
      continue;
    warp.fault(instr, self, FaultKind::LaunchFailure,
               "divergent barrier: threads of a warp name different barriers");
    return false;
  }
  if (instr.slots[3].exists())
    arrival.predicate |= warp.predicate(instr.slots[3]) & lanes;
  return true;
}

Flow blockBarrier(Warp &warp, const Instr &instr, uint32_t mask) {
  if (instr.isUnalignedBarrier && mask != warp.live) {
    warp.park(mask);
    return warp.waited();
  }
  uint32_t met = warp.meet(instr, mask, nullptr);
  if (met == 0)
    return warp.waited();
  Arrival arrival;
  if (!readArrival(warp, instr, met, arrival))
    return Flow::Fault;
  bool waits = instr.count != arrivesOnly;
  Flow flow = warp.block.arrive(warp, instr, arrival.id, arrival.threads, waits,
                                arrival.predicate);
  if (waits || flow == Flow::Fault)
    return flow;
  return warp.proceed(mask, met);
}

Flow warpBarrier(Warp &warp, const Instr &instr, uint32_t mask) {
  uint32_t met = warp.meet(instr, mask, instr.members());
  return met ? warp.proceed(mask, met) : warp.waited();
}

bool decodeReduction(Decoder &d) {
  int op = d.takeOneOf({".popc", ".and", ".or"});
  Type type = d.takeType();
  if (op < 0 || type != (op == 0 ? Type::U32 : Type::Pred))
    return d.fail("red.popc.u32, red.and.pred or red.or.pred is needed");
  if (!d.hasOperands(3, 4))
    return false;
  bool hasCount = d.operands() == 4;
  d.out().options = static_cast<uint32_t>(op);
  d.out().count = reduces;
  return d.destination(0, 0, type) && d.source(1, 1, Type::U32) &&
         (!hasCount || d.source(2, 2, Type::U32)) &&
         d.source(3, hasCount ? 3 : 2, Type::Pred) && d.finish(blockBarrier);
}

} // namespace

bool arriveByLanes(Warp &warp) {
  Arrival all;
  bool isFirst = true;
  const Instr *first = nullptr;
  for (uint32_t m = warp.waiting; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    const Instr &instr = warp.program.code[warp.pcs[self]];
    Arrival one;
    if (!readArrival(warp, instr, m & (0 - m), one))
      return false;
    if (!isFirst && (one.id != all.id || one.threads != all.threads)) {
      warp.fault(instr, self, FaultKind::LaunchFailure,
                 "divergent barrier: threads of a warp wait at barrier " +
                     std::to_string(all.id) + " and at barrier " +
                     std::to_string(one.id));
      return false;
    }
    one.predicate |= all.predicate;
    all = one;
    first = isFirst ? &instr : first;
    isFirst = false;
  }
  return warp.block.arrive(warp, *first, all.id, all.threads, true,
                           all.predicate) != Flow::Fault;
}

/// "bar, barrier": bar is barrier with .aligned.
bool decodeBarrier(Decoder &d) {
  bool isBar = d.in().opcode == "bar";
  if (isBar && d.take(".warp")) {
    if (!d.take(".sync") || !d.hasOperands(1) || !d.source(1, 0, Type::U32))
      return d.operands() == 1 ? d.fail("bar.warp.sync is needed") : false;
    d.out().membersSlot = 1;
    return d.finish(warpBarrier);
  }
  d.take(".cta");
  int action = d.takeOneOf({".sync", ".arrive", ".red"});
  bool isAligned = d.take(".aligned") || isBar;
  if (action < 0)
    return d.fail("one of .sync, .arrive and .red is needed");
  d.out().isUnalignedBarrier = !isAligned && action != arrivesOnly;
  if (action == reduces)
    return decodeReduction(d);
  d.out().count = static_cast<uint8_t>(action);
  if (!d.hasOperands(action == arrivesOnly ? 2 : 1, 2) ||
      !d.source(1, 0, Type::U32) ||
      (d.operands() == 2 && !d.source(2, 1, Type::U32)))
    return false;
  return d.finish(blockBarrier);
}

} // namespace ndl::cudasim

// Operations between the lanes of a warp.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/block.h"
#include "exec/families.h"
#include "exec/lanes.h"

#include <algorithm>

namespace ndl::cudasim {
namespace {

/// Runs execute(lanes) for the lanes that have met.
template <typename Execute>
Flow together(Warp &warp, const Instr &instr, uint32_t mask, Execute execute) {
  uint32_t met = warp.meet(instr, mask, instr.members());
  if (met == 0)
    return warp.waited();
  if (execute(met) == Flow::Fault)
    return Flow::Fault;
  return warp.proceed(mask, met);
}

/// The live lanes that one lane names.
uint32_t membersOf(const Warp &warp, const Instr &instr, unsigned self) {
  return lane<uint32_t>(warp.data(*instr.members()), self) & warp.live;
}

enum : uint32_t { shuffleUp, shuffleDown, shuffleButterfly, shuffleIndex };

/// "shfl.sync" in the PTX ISA: slots d, p, a, b, c, members.
Flow shuffle(Warp &warp, const Instr &instr, uint32_t mask) {
  return together(warp, instr, mask, [&](uint32_t met) {
    const uint8_t *a = warp.data(instr.slots[2]);
    const uint8_t *b = warp.data(instr.slots[3]);
    const uint8_t *c = warp.data(instr.slots[4]);
    uint32_t results[warpSize];
    uint32_t inRange = 0;
    for (uint32_t m = met; m; m &= m - 1) {
      unsigned self = lowestLane(m);
      uint32_t step = lane<uint32_t>(b, self) & 31;
      auto clamp = lane<uint32_t>(c, self);
      uint32_t segment = clamp >> 8 & 31;
      uint32_t least = self & segment;
      int last = static_cast<int>(least | (clamp & 31 & ~segment));
      int from = 0;
      switch (instr.options) {
      case shuffleUp:
        from = static_cast<int>(self) - static_cast<int>(step);
        break;
      case shuffleDown:
        from = static_cast<int>(self + step);
        break;
      case shuffleButterfly:
        from = static_cast<int>(self ^ step);
        break;
      default:
        from = static_cast<int>(least | (step & ~segment));
      }
      bool isInside = instr.options == shuffleUp ? from >= last : from <= last;
      unsigned source = isInside ? static_cast<unsigned>(from) : self;
      inRange |= isInside ? m & (0 - m) : 0;
      auto named = lane<uint32_t>(warp.data(*instr.members()), self);
      if (!(named >> source & 1))
        return warp.fault(instr, self, FaultKind::LaunchFailure,
                          "reads from lane " + std::to_string(source) +
                              ", which is not named in the mask " + hex(named));
      if (!(met >> source & 1))
        return warp.fault(instr, self, FaultKind::LaunchFailure,
                          "lane " + std::to_string(source) +
                              " named in the mask, from which the lane reads, "
                              "has exited");
      results[self] = lane<uint32_t>(a, source);
    }
    setLanes<uint32_t>(warp, instr.slots[0], met,
                       [&](unsigned i) { return results[i]; });
    warp.setPredicate(instr.slots[1], met, inRange);
    return Flow::Next;
  });
}

enum : uint32_t { voteAll, voteAny, voteUniform, voteBallot };

/// slots d, a, members
Flow vote(Warp &warp, const Instr &instr, uint32_t mask) {
  return together(warp, instr, mask, [&](uint32_t met) {
    uint32_t a = warp.predicate(instr.slots[1]);
    uint32_t result = 0;
    for (uint32_t m = met; m; m &= m - 1) {
      unsigned self = lowestLane(m);
      uint32_t members = membersOf(warp, instr, self);
      uint32_t yes = a & members;
      bool isTrue = instr.options == voteAny   ? yes != 0
                    : instr.options == voteAll ? yes == members
                                               : yes == 0 || yes == members;
      result |= isTrue ? m & (0 - m) : 0;
      if (instr.options == voteBallot)
        setLane<uint32_t>(warp.data(instr.slots[0]), self, yes);
    }
    if (instr.options != voteBallot)
      warp.setPredicate(instr.slots[0], met, result);
    return Flow::Next;
  });
}

/// slots d, p, a, members; options: 1 for .all
Flow match(Warp &warp, const Instr &instr, uint32_t mask) {
  return together(warp, instr, mask, [&](uint32_t met) {
    const Slot &a = instr.slots[2];
    uint32_t allEqual = 0;
    uint32_t results[warpSize];
    for (uint32_t m = met; m; m &= m - 1) {
      unsigned self = lowestLane(m);
      uint32_t members = membersOf(warp, instr, self), equal = 0;
      uint64_t value = wideLane(warp.data(a), a.stride, self);
      for (uint32_t n = members; n; n &= n - 1)
        if (wideLane(warp.data(a), a.stride, lowestLane(n)) == value)
          equal |= n & (0 - n);
      bool isAll = equal == members;
      allEqual |= isAll ? m & (0 - m) : 0;
      results[self] = instr.options && !isAll ? 0 : equal;
    }
    setLanes<uint32_t>(warp, instr.slots[0], met,
                       [&](unsigned i) { return results[i]; });
    warp.setPredicate(instr.slots[1], met, allEqual);
    return Flow::Next;
  });
}

template <typename T>
T reduceTwo(uint32_t op, T a, T b) {
  switch (op) {
  case 0:
    return static_cast<T>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
  case 1:
    return std::min(a, b);
  case 2:
    return std::max(a, b);
  case 3:
    return a & b;
  case 4:
    return a | b;
  default:
    return a ^ b;
  }
}

/// slots d, a, members; options: the operation
template <typename T>
Flow reduce(Warp &warp, const Instr &instr, uint32_t mask) {
  return together(warp, instr, mask, [&](uint32_t met) {
    const uint8_t *a = warp.data(instr.slots[1]);
    T results[warpSize];
    for (uint32_t m = met; m; m &= m - 1) {
      unsigned self = lowestLane(m);
      uint32_t members = membersOf(warp, instr, self);
      T value = lane<T>(a, lowestLane(members));
      for (uint32_t n = members & (members - 1); n; n &= n - 1)
        value = reduceTwo(instr.options, value, lane<T>(a, lowestLane(n)));
      results[self] = value;
    }
    setLanes<T>(warp, instr.slots[0], met,
                [&](unsigned i) { return results[i]; });
    return Flow::Next;
  });
}

Flow activeMask(Warp &warp, const Instr &instr, uint32_t mask) {
  setLanes<uint32_t>(warp, instr.slots[0], mask,
                     [&](unsigned) { return mask; });
  return Flow::Next;
}

/// slots d, p, members: the lowest of them is elected.
Flow elect(Warp &warp, const Instr &instr, uint32_t mask) {
  return together(warp, instr, mask, [&](uint32_t met) {
    uint32_t leaders = 0;
    for (uint32_t m = met; m; m &= m - 1) {
      unsigned self = lowestLane(m);
      unsigned leader = lowestLane(membersOf(warp, instr, self));
      setLane<uint32_t>(warp.data(instr.slots[0]), self, leader);
      leaders |= leader == self ? m & (0 - m) : 0;
    }
    warp.setPredicate(instr.slots[1], met, leaders);
    return Flow::Next;
  });
}

bool needsSync(Decoder &d) {
  return d.take(".sync") ||
         d.fail("the form without .sync is not supported: it is gone since "
                "sm_70");
}

} // namespace

bool decodeShfl(Decoder &d) {
  if (!needsSync(d))
    return false;
  int mode = d.takeOneOf({".up", ".down", ".bfly", ".idx"});
  if (mode < 0 || d.takeType() != Type::B32)
    return d.fail("a mode and .b32 are needed");
  d.out().options = static_cast<uint32_t>(mode);
  d.out().membersSlot = 5;
  return d.hasOperands(5) &&
         d.pairDestination(0, 1, 0, Type::B32, Type::Pred) &&
         d.source(2, 1, Type::B32) && d.source(3, 2, Type::B32) &&
         d.source(4, 3, Type::B32) && d.source(5, 4, Type::B32) &&
         d.finish(shuffle);
}

bool decodeVote(Decoder &d) {
  if (!needsSync(d))
    return false;
  int mode = d.takeOneOf({".all", ".any", ".uni", ".ballot"});
  Type type = d.takeType();
  if (mode < 0 || type != (mode == voteBallot ? Type::B32 : Type::Pred))
    return d.fail("a mode and its type are needed");
  d.out().options = static_cast<uint32_t>(mode);
  d.out().membersSlot = 2;
  return d.hasOperands(3) && d.destination(0, 0, type) &&
         d.source(1, 1, Type::Pred) && d.source(2, 2, Type::B32) &&
         d.finish(vote);
}

bool decodeMatch(Decoder &d) {
  bool isAll = d.take(".all");
  if (isAll == d.take(".any") || !d.take(".sync"))
    return d.fail("match.{all,any}.sync is needed");
  Type type = d.takeType();
  if (type != Type::B32 && type != Type::B64)
    return d.finish(nullptr);
  d.out().options = isAll;
  d.out().membersSlot = 3;
  return d.hasOperands(3) &&
         d.pairDestination(0, 1, 0, Type::B32, Type::Pred) &&
         d.source(2, 1, type) && d.source(3, 2, Type::B32) && d.finish(match);
}

bool decodeRedux(Decoder &d) {
  if (!needsSync(d))
    return false;
  int op = d.takeOneOf({".add", ".min", ".max", ".and", ".or", ".xor"});
  Type type = d.takeType();
  bool isLogic = op >= 3;
  if (op < 0 ||
      (isLogic ? type != Type::B32 : type != Type::U32 && type != Type::S32))
    return d.fail("unsupported operation or type");
  d.out().options = static_cast<uint32_t>(op);
  d.out().membersSlot = 2;
  return d.hasOperands(3) && d.destination(0, 0, type) &&
         d.source(1, 1, type) && d.source(2, 2, Type::B32) &&
         d.finish(type == Type::S32 ? reduce<int32_t> : reduce<uint32_t>);
}

bool decodeActivemask(Decoder &d) {
  return d.takeType() == Type::B32 && d.hasOperands(1) &&
         d.destination(0, 0, Type::B32) && d.finish(activeMask);
}

bool decodeElect(Decoder &d) {
  d.out().membersSlot = 2;
  return needsSync(d) && d.hasOperands(2) &&
         d.pairDestination(0, 1, 0, Type::B32, Type::Pred) &&
         d.source(2, 1, Type::B32) && d.finish(elect);
}

} // namespace ndl::cudasim

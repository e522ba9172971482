// Runs a warp: which lanes execute, and where they wait for one another.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/warp.h"

#include "exec/block.h"
#include "exec/lanes.h"

#include <algorithm>

namespace ndl::cudasim {

namespace {

/// Whether all of these lanes name one member mask, which has all of them.
bool haveMask(const uint8_t *masks, uint32_t lanes) {
  auto first = lane<uint32_t>(masks, lowestLane(lanes));
  if (lanes & ~first)
    return false;
  for (uint32_t m = lanes; m; m &= m - 1)
    if (lane<uint32_t>(masks, lowestLane(m)) != first)
      return false;
  return true;
}

} // namespace

Warp::Warp(Block &block, const Program &program, uint32_t index)
    : block(block), program(program), index(index),
      local(size_t(program.localBytes) * warpSize),
      registers(program.registerBytes + 8) {
  bases[0] = registers.data();
  bases[1] = program.constants.data();
}

void Warp::start(uint32_t lanes) {
  live = active = lanes;
  waiting = 0;
  carry = 0;
  pc = 0;
  otherPc = UINT32_MAX;
  state = State::Ready;
  std::fill(std::begin(pcs), std::end(pcs), 0);
  std::fill(std::begin(depths), std::end(depths), 0);
  // What is used without having been written shows.
  std::fill(registers.begin(), registers.end(), uint8_t(0xff));
  std::fill(local.begin(), local.end(), uint8_t(0xff));
  copies.reset();
  setSpecialRegisters(*this, registers.data());
}

bool Warp::run(uint64_t &budget) {
  for (; budget != 0 && state == State::Ready; --budget) {
    if (pc >= otherPc && !regroup())
      return false;
    if (state != State::Ready)
      return true;
    const Instr &instr = program.code[pc];
    uint32_t mask = active;
    if (instr.guard.exists()) {
      mask &= predicate(instr.guard);
      if (mask == 0) {
        ++pc;
        continue;
      }
    }
    Flow flow = instr.run(*this, instr, mask);
    if (flow == Flow::Next)
      ++pc;
    else if (flow == Flow::Fault)
      return false;
  }
  return true;
}

bool Warp::regroup() {
  for (uint32_t m = active; m; m &= m - 1)
    pcs[lowestLane(m)] = pc;
  return select();
}

/// Lets those lanes run that have the lowest program counter.
bool Warp::select() {
  uint32_t runnable = live & ~waiting;
  active = 0;
  otherPc = UINT32_MAX;
  if (runnable == 0)
    return live == 0 || releaseWaiting();
  pc = UINT32_MAX;
  for (uint32_t m = runnable; m; m &= m - 1) {
    unsigned lane = lowestLane(m);
    if (pcs[lane] < pc) {
      otherPc = pc;
      pc = pcs[lane];
      active = 0;
    }
    if (pcs[lane] == pc)
      active |= uint32_t(1) << lane;
    else
      otherPc = std::min(otherPc, pcs[lane]);
  }
  return true;
}

void Warp::favourOthers() {
  uint32_t others = live & ~waiting & ~active;
  if (state != State::Ready || others == 0)
    return;
  for (uint32_t m = active; m; m &= m - 1)
    pcs[lowestLane(m)] = pc;
  uint32_t lowest = UINT32_MAX;
  for (uint32_t m = others; m; m &= m - 1)
    lowest = std::min(lowest, pcs[lowestLane(m)]);
  active = 0;
  for (uint32_t m = others; m; m &= m - 1)
    if (pcs[lowestLane(m)] == lowest)
      active |= m & (0 - m);
  pc = lowest;
  // They run on past the others, until something makes the warp select again.
  otherPc = UINT32_MAX;
}

uint32_t Warp::waitingAt(uint32_t place) const {
  uint32_t lanes = 0;
  for (uint32_t m = waiting; m; m &= m - 1)
    if (pcs[lowestLane(m)] == place)
      lanes |= m & (0 - m);
  return lanes;
}

/// All live lanes wait: a lane's exit may have been what some waited for.
bool Warp::releaseWaiting() {
  bool areAtBarrier = true;
  for (uint32_t left = waiting; left;) {
    uint32_t place = pcs[lowestLane(left)];
    uint32_t lanes = waitingAt(place);
    left &= ~lanes;
    const Instr &instr = program.code[place];
    pc = place;
    if (instr.isUnalignedBarrier)
      continue;
    areAtBarrier = false;
    uint32_t ready = readyAt(instr, lanes, instr.members());
    if (block.hasFault())
      return false;
    if (ready == 0)
      continue;
    waiting &= ~ready;
    active = ready;
    return true;
  }
  return areAtBarrier ? arriveByLanes(*this) : faultDivergence();
}

bool Warp::faultDivergence() {
  unsigned first = lowestLane(waiting);
  const Instr &instr = program.code[pcs[first]];
  uint32_t here = waitingAt(pcs[first]);
  std::string text = "divergent barrier: ";
  const Slot *members = instr.members();
  if (members) {
    uint32_t mask = lane<uint32_t>(data(*members), first) & live & ~here;
    unsigned missing = mask ? lowestLane(mask) : first;
    text = "lane " + std::to_string(missing) +
           " named in the mask waits elsewhere, at PTX line " +
           std::to_string(program.code[pcs[missing]].line);
  } else {
    uint32_t elsewhere = live & ~here;
    text +=
        "lanes " + hex(here) + " of the warp wait here, lanes " +
        hex(elsewhere) + " at PTX line " +
        std::to_string(
            program.code[pcs[lowestLane(elsewhere ? elsewhere : here)]].line) +
        "; all threads of a warp must come here together";
  }
  fault(instr, first, FaultKind::LaunchFailure, text);
  return false;
}

Flow Warp::fault(const Instr &instr, unsigned lane, FaultKind kind,
                 std::string message) {
  return block.report(*this, instr, lane, kind, std::move(message));
}

Flow Warp::branch(uint32_t mask, uint32_t target) {
  uint32_t others = active & ~mask;
  if (others == 0) {
    pc = target;
    return Flow::Moved;
  }
  for (uint32_t m = mask; m; m &= m - 1)
    pcs[lowestLane(m)] = target;
  return scatter(mask);
}

Flow Warp::scatter(uint32_t mask) {
  for (uint32_t m = active & ~mask; m; m &= m - 1)
    pcs[lowestLane(m)] = pc + 1;
  return select() ? Flow::Moved : Flow::Fault;
}

Flow Warp::exit(uint32_t mask) {
  live &= ~mask;
  if (live == 0) {
    active = 0;
    state = State::Done;
    return Flow::Moved;
  }
  uint32_t others = active & ~mask;
  if (others != 0) {
    active = others;
    ++pc;
    return Flow::Moved;
  }
  return select() ? Flow::Moved : Flow::Fault;
}

/// Of lanes that have come to an instruction, those that need wait for no
/// other.
uint32_t Warp::readyAt(const Instr &instr, uint32_t arrived,
                       const Slot *members) {
  if (!members)
    return arrived == live ? arrived : 0;
  uint32_t ready = 0;
  const uint8_t *masks = data(*members);
  for (uint32_t m = arrived; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    auto mask = lane<uint32_t>(masks, self);
    if (!(mask >> self & 1)) {
      fault(instr, self, FaultKind::LaunchFailure,
            "the lane (" + std::to_string(self) +
                ") is not in its own member mask " + hex(mask));
      return 0;
    }
    if ((mask & live & ~arrived) == 0)
      ready |= m & (0 - m);
  }
  for (uint32_t m = ready; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    auto mask = lane<uint32_t>(masks, self);
    for (uint32_t n = mask & live; n; n &= n - 1) {
      if (lane<uint32_t>(masks, lowestLane(n)) == mask)
        continue;
      fault(instr, self, FaultKind::LaunchFailure,
            "lanes " + std::to_string(self) + " and " +
                std::to_string(lowestLane(n)) +
                " meet with different member masks, " + hex(mask) + " and " +
                hex(lane<uint32_t>(masks, lowestLane(n))));
      return 0;
    }
  }
  return ready;
}

uint32_t Warp::meet(const Instr &instr, uint32_t mask, const Slot *members) {
  if (mask == live && (!members || haveMask(data(*members), mask)))
    return mask;
  uint32_t arrived = mask | waitingAt(pc);
  uint32_t ready = readyAt(instr, arrived, members);
  if (block.hasFault())
    return 0;
  if (ready == 0) {
    park(mask);
    return 0;
  }
  for (uint32_t m = mask & ~ready; m; m &= m - 1)
    pcs[lowestLane(m)] = pc;
  waiting = (waiting | mask) & ~ready;
  return ready;
}

void Warp::park(uint32_t mask) {
  for (uint32_t m = mask; m; m &= m - 1)
    pcs[lowestLane(m)] = pc;
  waiting |= mask;
  uint32_t others = active & ~mask;
  if (others != 0) {
    active = others;
    ++pc;
  } else {
    select();
  }
}

Flow Warp::waited() const {
  return block.hasFault() ? Flow::Fault : Flow::Moved;
}

Flow Warp::proceed(uint32_t mask, uint32_t met) {
  active = met | (active & ~mask);
  ++pc;
  return Flow::Moved;
}

void Warp::stopAtBarrier() {
  for (uint32_t m = active; m; m &= m - 1)
    pcs[lowestLane(m)] = pc;
  active = 0;
  state = State::AtBarrier;
}

void Warp::resume() {
  for (uint32_t m = live; m; m &= m - 1)
    ++pcs[lowestLane(m)];
  waiting = 0;
  state = State::Ready;
  select();
}

} // namespace ndl::cudasim

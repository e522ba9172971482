// Runs a block: whose turn it is, and barriers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/block.h"

#include "exec/lanes.h"

#include <algorithm>

namespace ndl::cudasim {
namespace {

/// Instructions that a warp executes before others get their turn, if it does
/// not wait; and at most that many with a seed, so that switches fall anywhere.
constexpr uint64_t turnLength = 1 << 16;
constexpr uint64_t shortTurn = 64;

bool isReduction(const Instr &instr) { return instr.slots[0].exists(); }

} // namespace

Block::Block(const Kernel &kernel, const LaunchConfig &config,
             const uint8_t *parameters, DeviceMemory &memory, Fault &fault)
    : kernel(kernel), program(*kernel.program), config(config),
      parameters(parameters), memory(memory), fault(fault),
      random(config.seed) {
  shared.resize(program.staticSharedBytes + config.dynamicSharedBytes);
  auto count =
      static_cast<uint32_t>((config.block.count() + warpSize - 1) / warpSize);
  for (uint32_t i = 0; i < count; ++i)
    warps.push_back(std::make_unique<Warp>(*this, program, i));
}

bool Block::run(const Dim3 &where) {
  place = where;
  shared.reset();
  barriers.fill(Barrier());
  turn = 0;
  auto left = static_cast<uint32_t>(config.block.count());
  for (auto &warp : warps) {
    uint32_t lanes = std::min<uint32_t>(left, warpSize);
    left -= lanes;
    warp->start(lanes == warpSize ? allLanes : (uint32_t(1) << lanes) - 1);
  }
  while (liveWarps() != 0)
    if (!step())
      return false;
  return true;
}

/// One turn of one warp.
bool Block::step() {
  Warp *warp = pick();
  if (!warp)
    return faultDeadlock();
  uint64_t turnBudget = config.seed ? 1 + random.below(shortTurn) : turnLength;
  uint64_t budget = turnBudget;
  if (config.instructionLimit != 0)
    budget = std::min(budget, config.instructionLimit - executed);
  uint64_t before = budget;
  bool isGood = warp->run(budget);
  executed += before - budget;
  if (!isGood)
    return false;
  if (config.instructionLimit != 0 && executed >= config.instructionLimit &&
      liveWarps() != 0) {
    const Instr &instr = program.code[warp->pc];
    report(*warp, instr, warp->active ? lowestLane(warp->active) : 0,
           FaultKind::Timeout,
           "the kernel does not end: its warps have executed " +
               std::to_string(executed) + " instructions, the limit");
    return false;
  }
  if (warp->state == Warp::State::Ready &&
      (config.seed == 0 || random.below(16) == 0))
    warp->favourOthers();
  if (warp->state == Warp::State::Done)
    for (Barrier &barrier : barriers)
      if (barrier.isOpen && isComplete(barrier))
        release(barrier);
  return true;
}

/// The warp whose turn it is, or null if none is ready.
Warp *Block::pick() {
  auto count = static_cast<uint32_t>(warps.size());
  uint32_t first =
      config.seed ? static_cast<uint32_t>(random.below(count)) : turn;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t index = (first + i) % count;
    if (warps[index]->state != Warp::State::Ready)
      continue;
    turn = (index + 1) % count;
    return warps[index].get();
  }
  return nullptr;
}

uint32_t Block::liveWarps() const {
  uint32_t mask = 0;
  for (const auto &warp : warps)
    if (warp->state != Warp::State::Done)
      mask |= uint32_t(1) << warp->index;
  return mask;
}

bool Block::isComplete(const Barrier &barrier) const {
  // Threads that have exited are not waited for.
  uint32_t expected =
      barrier.threads ? barrier.threads / warpSize
                      : static_cast<uint32_t>(__builtin_popcount(liveWarps()));
  return barrier.count >= expected;
}

/// "bar, barrier" in the PTX ISA: arrivals are counted by warp, since all
/// threads of a warp arrive together.
Flow Block::arrive(Warp &warp, const Instr &instr, uint32_t id,
                   uint32_t threads, bool waits, uint32_t predicate) {
  unsigned first = lowestLane(warp.live);
  if (id >= numBarriers)
    return report(warp, instr, first, FaultKind::LaunchFailure,
                  "there is no barrier " + std::to_string(id) +
                      "; a block has 16");
  bool isWhole = threads == 0;
  if (threads % warpSize != 0 || threads > warps.size() * warpSize)
    return report(
        warp, instr, first, FaultKind::LaunchFailure,
        "wrong thread count of a barrier: " + std::to_string(threads) +
            (threads % warpSize ? " is no multiple of the warp size"
                                : " is more than the block has"));
  Barrier &barrier = barriers[id];
  if (barrier.isOpen && barrier.threads != threads)
    return report(
        warp, instr, first, FaultKind::LaunchFailure,
        "wrong thread count of a barrier: barrier " + std::to_string(id) +
            " already waits for " +
            (barrier.threads ? std::to_string(barrier.threads) : "all") +
            " threads, this warp names " +
            (isWhole ? "all" : std::to_string(threads)));
  barrier.isOpen = true;
  barrier.threads = threads;
  ++barrier.count;
  barrier.trueLanes +=
      static_cast<uint32_t>(__builtin_popcount(predicate & warp.live));
  barrier.lanes += static_cast<uint32_t>(__builtin_popcount(warp.live));
  (waits ? barrier.waiting : barrier.arrivedOnly) |= uint32_t(1) << warp.index;
  if (waits)
    warp.stopAtBarrier();
  if (isComplete(barrier))
    release(barrier);
  return Flow::Moved;
}

void Block::release(Barrier &barrier) {
  if (barrier.waiting == liveWarps() && barrier.arrivedOnly == 0)
    shared.beginEpoch();
  else
    shared.order(barrier.waiting, barrier.arrivedOnly);
  // Lanes may arrive anew while others resume.
  Barrier done = barrier;
  barrier = Barrier();
  for (uint32_t m = done.waiting; m; m &= m - 1) {
    Warp &warp = *warps[lowestLane(m)];
    writeReduction(warp, done);
    warp.resume();
  }
}

void Block::writeReduction(Warp &warp, const Barrier &barrier) {
  for (uint32_t m = warp.live; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    const Instr &instr = program.code[warp.pcs[self]];
    if (!isReduction(instr))
      continue;
    // options: 0 popc, 1 and, 2 or.
    if (instr.options == 0)
      setLane<uint32_t>(warp.data(instr.slots[0]), self, barrier.trueLanes);
    else
      warp.setPredicate(instr.slots[0], m & (0 - m),
                        (instr.options == 1 ? barrier.trueLanes == barrier.lanes
                                            : barrier.trueLanes != 0)
                            ? allLanes
                            : 0);
  }
}

/// No warp can go on.
bool Block::faultDeadlock() {
  const Warp *stuck = nullptr;
  std::string text = "deadlock: all warps wait;";
  for (unsigned id = 0; id < numBarriers; ++id) {
    const Barrier &barrier = barriers[id];
    if (!barrier.isOpen)
      continue;
    uint32_t expected =
        barrier.threads
            ? barrier.threads
            : static_cast<uint32_t>(__builtin_popcount(liveWarps())) * warpSize;
    text += " barrier " + std::to_string(id) + " waits for " +
            std::to_string(expected) + " threads, " +
            std::to_string(barrier.count * warpSize) + " have arrived;";
    if (!stuck && barrier.waiting)
      stuck = warps[lowestLane(barrier.waiting)].get();
  }
  text.back() = '.';
  text.pop_back();
  if (!stuck)
    stuck = warps[lowestLane(liveWarps())].get();
  unsigned first = lowestLane(stuck->live);
  report(*stuck, program.code[stuck->pcs[first]], first,
         FaultKind::LaunchFailure, text);
  return false;
}

Dim3 Block::thread(const Warp &warp, unsigned lane) const {
  uint32_t linear = warp.index * warpSize + lane;
  return {linear % config.block.x, linear / config.block.x % config.block.y,
          linear / config.block.x / config.block.y};
}

Flow Block::report(const Warp &warp, const Instr &instr, unsigned lane,
                   FaultKind kind, std::string message) {
  if (isFaulty)
    return Flow::Fault;
  isFaulty = true;
  fault.kind = kind;
  fault.kernel = kernel.name;
  fault.line = instr.line;
  // On one line, whatever the text's layout.
  fault.instruction.clear();
  for (char c : instr.text) {
    bool isSpace = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!isSpace)
      fault.instruction += c;
    else if (!fault.instruction.empty() && fault.instruction.back() != ' ')
      fault.instruction += ' ';
  }
  fault.block = place;
  fault.thread = thread(warp, lane);
  fault.message = std::move(message);
  return Flow::Fault;
}

} // namespace ndl::cudasim

// Moves, changes of address space, and instructions without effect.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/address.h"
#include "exec/block.h"
#include "exec/families.h"
#include "exec/lanes.h"

namespace ndl::cudasim {
namespace {

template <typename T>
Flow move(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  setLanes<T>(warp, instr.slots[0], mask,
              [&](unsigned i) { return lane<T>(a, i); });
  return Flow::Next;
}

Flow movePredicate(Warp &warp, const Instr &instr, uint32_t mask) {
  warp.setPredicate(instr.slots[0], mask, warp.predicate(instr.slots[1]));
  return Flow::Next;
}

/// %clock and its like count the instructions of the launch.
Flow readClock(Warp &warp, const Instr &instr, uint32_t mask) {
  uint64_t now = ++warp.block.executed;
  for (uint32_t m = mask; m; m &= m - 1)
    setWideLane(warp.data(instr.slots[0]), instr.slots[0].stride, lowestLane(m),
                now);
  return Flow::Next;
}

/// Bits of one element of a packed or unpacked operand.
unsigned elementBits(const Instr &instr, unsigned total) {
  return total / instr.count;
}

uint64_t lowBits(unsigned bits) { return (uint64_t(1) << bits) - 1; }

/// mov.b64 d, {a, b}: the first element is the lowest.
Flow pack(Warp &warp, const Instr &instr, uint32_t mask) {
  unsigned bits = elementBits(instr, instr.slots[0].bits);
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned i = lowestLane(m);
    uint64_t value = 0;
    for (unsigned e = 0; e < instr.count; ++e) {
      const Slot &slot = instr.vector[e];
      value |= (wideLane(warp.data(slot), slot.stride, i) & lowBits(bits))
               << (bits * e);
    }
    setWideLane(warp.data(instr.slots[0]), instr.slots[0].stride, i, value);
  }
  return Flow::Next;
}

/// mov.b64 {d, e}, a
Flow unpack(Warp &warp, const Instr &instr, uint32_t mask) {
  unsigned bits = elementBits(instr, instr.slots[1].bits);
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned i = lowestLane(m);
    uint64_t value =
        wideLane(warp.data(instr.slots[1]), instr.slots[1].stride, i);
    for (unsigned e = 0; e < instr.count; ++e) {
      const Slot &slot = instr.vector[e];
      setWideLane(warp.data(slot), slot.stride, i,
                  value >> (bits * e) & lowBits(bits));
    }
  }
  return Flow::Next;
}

uint64_t windowOf(Space space) {
  return space == Space::Shared  ? sharedWindow
         : space == Space::Local ? localWindow
         : space == Space::Param ? paramWindow
                                 : 0;
}

/// options: 1 to the space, 0 from it. Widths of source and result may differ.
Flow convertAddress(Warp &warp, const Instr &instr, uint32_t mask) {
  uint64_t window = windowOf(instr.space);
  const Slot &to = instr.slots[0], &from = instr.slots[1];
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned i = lowestLane(m);
    uint64_t address = wideLane(warp.data(from), from.stride, i);
    setWideLane(warp.data(to), to.stride, i,
                instr.options ? address - window : address + window);
  }
  return Flow::Next;
}

Flow testSpace(Warp &warp, const Instr &instr, uint32_t mask) {
  const uint8_t *a = warp.data(instr.slots[1]);
  uint32_t result = 0;
  for (unsigned i = 0; i < warpSize; ++i) {
    auto address = lane<uint64_t>(a, i);
    Space space = isSharedWindow(address)  ? Space::Shared
                  : isLocalWindow(address) ? Space::Local
                  : isParamWindow(address) ? Space::Param
                                           : Space::Global;
    result |= uint32_t(space == instr.space) << i;
  }
  warp.setPredicate(instr.slots[0], mask, result);
  return Flow::Next;
}

Flow nothing(Warp &, const Instr &, uint32_t) { return Flow::Next; }

bool decodePacking(Decoder &d, Type type) {
  bool isUnpacking = d.in().operands[0].kind == ptx::Operand::Kind::Vector;
  unsigned vectorIndex = isUnpacking ? 0 : 1;
  size_t count = d.elementsOf(vectorIndex);
  Type element = bitsOf(type) == 8 * count    ? Type::B8
                 : bitsOf(type) == 16 * count ? Type::B16
                 : bitsOf(type) == 32 * count ? Type::B32
                                              : Type::None;
  if ((count != 2 && count != 4) || element == Type::None)
    return d.fail("the elements don't fill the operand");
  d.out().count = static_cast<uint8_t>(count);
  if (isUnpacking)
    return d.source(1, 1, type) && d.vectorOperand(0, element, true, count) &&
           d.finish(unpack);
  return d.destination(0, 0, type) &&
         d.vectorOperand(1, element, false, count) && d.finish(pack);
}

} // namespace

bool decodeMov(Decoder &d) {
  Type type = d.takeType();
  if (!d.hasOperands(2) || type == Type::None)
    return type == Type::None ? d.fail("unsupported type") : false;
  const ptx::Operand &from = d.in().operands[1];
  if (d.elementsOf(0) > 1 || d.elementsOf(1) > 1)
    return decodePacking(d, type);
  if (!d.destination(0, 0, type) || !d.source(1, 1, type))
    return false;
  if (from.kind == ptx::Operand::Kind::Special &&
      (from.text.substr(0, 6) == "%clock" || from.text == "%globaltimer"))
    return d.finish(readClock);
  if (type == Type::Pred)
    return d.finish(movePredicate);
  return d.finish(bitsOf(type) == 64 ? move<uint64_t> : move<uint32_t>);
}

bool decodeCvta(Decoder &d) {
  d.out().options = d.take(".to") ? 1 : 0;
  int space = d.takeOneOf({".shared", ".shared::cta", ".local", ".param",
                           ".global", ".const", ".param::entry"});
  constexpr Space spaces[] = {Space::Shared, Space::Shared, Space::Local,
                              Space::Param,  Space::Global, Space::Const,
                              Space::Param};
  Type type = d.takeType();
  if (space < 0)
    return d.fail("unsupported state space");
  d.out().space = spaces[space];
  if (d.out().space == Space::Param && !d.isInKernel())
    d.out().space = Space::Local;
  if (type != Type::U64)
    return d.fail("only 64-bit addresses are supported");
  return d.hasOperands(2) && d.destination(0, 0, type) &&
         d.source(1, 1, type) && d.finish(convertAddress);
}

bool decodeIsspacep(Decoder &d) {
  int space = d.takeOneOf({".shared", ".shared::cta", ".local", ".global",
                           ".param", ".param::entry"});
  constexpr Space spaces[] = {Space::Shared, Space::Shared, Space::Local,
                              Space::Global, Space::Param,  Space::Param};
  if (space < 0)
    return d.fail("unsupported state space");
  d.out().space = spaces[space];
  return d.hasOperands(2) && d.destination(0, 0, Type::Pred) &&
         d.source(1, 1, Type::U64) && d.finish(testSpace);
}

/// Fences order what here is in order anyway; others only cost time.
bool decodeNothing(Decoder &d) {
  std::string_view opcode = d.in().opcode;
  if (opcode == "membar")
    return (d.takeOneOf({".cta", ".gl", ".sys"}) >= 0 ||
            d.fail("unsupported scope")) &&
           d.hasOperands(0) && d.finish(nothing);
  if (opcode == "fence") {
    d.takeOneOf({".sc", ".acq_rel", ".acquire", ".release"});
    return (d.takeOneOf({".cta", ".gpu", ".sys", ".cluster"}) >= 0 ||
            d.fail("unsupported kind of fence")) &&
           d.hasOperands(0) && d.finish(nothing);
  }
  if (opcode == "griddepcontrol")
    return (d.takeOneOf({".launch_dependents", ".wait"}) >= 0 ||
            d.fail("unsupported action")) &&
           d.hasOperands(0) && d.finish(nothing);
  // nanosleep
  return d.takeType() == Type::U32 && d.hasOperands(1) &&
         d.source(1, 0, Type::U32) && d.finish(nothing);
}

/// Caches don't exist here; nor is an address that is only prefetched wrong.
bool decodePrefetch(Decoder &d) {
  while (d.takeOneOf({".global", ".local", ".L1", ".L2", ".L2::evict_last",
                      ".L2::evict_normal", ".tensormap", ".const"}) >= 0)
    ;
  return d.hasOperands(1, 2) && d.address(1, 0) && d.finish(nothing);
}

} // namespace ndl::cudasim

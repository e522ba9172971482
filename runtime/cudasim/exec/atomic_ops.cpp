// Atomic operations: atom and red.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/float_format.h"
#include "exec/memory_access.h"
#include "exec/memory_modifiers.h"

namespace ndl::cudasim {
namespace {

template <typename T>
uint64_t add(uint64_t old, uint64_t b, uint64_t) {
  return static_cast<T>(old + b);
}
template <typename T>
uint64_t smaller(uint64_t old, uint64_t b, uint64_t) {
  auto x = static_cast<T>(old), y = static_cast<T>(b);
  return static_cast<BitsOf<T>>(x < y ? x : y);
}
template <typename T>
uint64_t larger(uint64_t old, uint64_t b, uint64_t) {
  auto x = static_cast<T>(old), y = static_cast<T>(b);
  return static_cast<BitsOf<T>>(x < y ? y : x);
}
uint64_t bitAnd(uint64_t old, uint64_t b, uint64_t) { return old & b; }
uint64_t bitOr(uint64_t old, uint64_t b, uint64_t) { return old | b; }
uint64_t bitXor(uint64_t old, uint64_t b, uint64_t) { return old ^ b; }
uint64_t exchange(uint64_t, uint64_t b, uint64_t) { return b; }
uint64_t compareAndSwap(uint64_t old, uint64_t b, uint64_t c) {
  return old == b ? c : old;
}
/// "atom" in the PTX ISA: inc and dec wrap at b.
uint64_t increment(uint64_t old, uint64_t b, uint64_t) {
  return old >= b ? 0 : old + 1;
}
uint64_t decrement(uint64_t old, uint64_t b, uint64_t) {
  return old == 0 || old > b ? b : old - 1;
}

uint64_t addSingle(uint64_t old, uint64_t b, uint64_t) {
  auto x = bitCast<float>(static_cast<uint32_t>(old));
  auto y = bitCast<float>(static_cast<uint32_t>(b));
  return bitCast<uint32_t>(canonical(x + y));
}
/// In global memory denormal numbers are flushed.
uint64_t addSingleFlushed(uint64_t old, uint64_t b, uint64_t) {
  auto x = bitCast<float>(static_cast<uint32_t>(old));
  auto y = bitCast<float>(static_cast<uint32_t>(b));
  return bitCast<uint32_t>(canonical(flush(flush(x) + flush(y))));
}
uint64_t addDouble(uint64_t old, uint64_t b, uint64_t) {
  return bitCast<uint64_t>(bitCast<double>(old) + bitCast<double>(b));
}

template <bool Brain>
uint64_t addHalf(uint64_t old, uint64_t b, uint64_t) {
  auto widen = [](uint64_t bits) -> double {
    auto half = static_cast<uint16_t>(bits);
    return Brain ? bf16ToFloat(half) : halfToFloat(half);
  };
  return roundToFormat(addToOdd(widen(old), widen(b)),
                       Brain ? formatBF16 : formatF16, Rounding::NearestEven);
}
template <bool Brain>
uint64_t addPair(uint64_t old, uint64_t b, uint64_t) {
  return addHalf<Brain>(old >> 16, b >> 16, 0) << 16 |
         addHalf<Brain>(old, b, 0);
}

Update updateOf(std::string_view op, Type type, bool isFlushed) {
  bool isWord = type == Type::B32, isWide = type == Type::B64;
  if (op == ".add")
    switch (type) {
    case Type::U32:
    case Type::S32:
      return add<uint32_t>;
    case Type::U64:
      return add<uint64_t>;
    case Type::F32:
      return isFlushed ? addSingleFlushed : addSingle;
    case Type::F64:
      return addDouble;
    case Type::F16:
      return addHalf<false>;
    case Type::BF16:
      return addHalf<true>;
    case Type::F16x2:
      return addPair<false>;
    case Type::BF16x2:
      return addPair<true>;
    default:
      return nullptr;
    }
  if (op == ".min" || op == ".max")
    switch (type) {
    case Type::U32:
      return op == ".min" ? smaller<uint32_t> : larger<uint32_t>;
    case Type::S32:
      return op == ".min" ? smaller<int32_t> : larger<int32_t>;
    case Type::U64:
      return op == ".min" ? smaller<uint64_t> : larger<uint64_t>;
    case Type::S64:
      return op == ".min" ? smaller<int64_t> : larger<int64_t>;
    default:
      return nullptr;
    }
  if (op == ".inc" || op == ".dec")
    return type != Type::U32 ? nullptr : op == ".inc" ? increment : decrement;
  if (op == ".cas" && type == Type::B16)
    return compareAndSwap;
  if (!isWord && !isWide)
    return nullptr;
  return op == ".and"    ? bitAnd
         : op == ".or"   ? bitOr
         : op == ".xor"  ? bitXor
         : op == ".exch" ? exchange
                         : compareAndSwap;
}

/// slots: d (may be none), address, b, c. Lanes take turns in order.
Flow updateMemory(Warp &warp, const Instr &instr, uint32_t mask) {
  unsigned bytes = instr.bytes;
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    uint64_t address = addressOf(warp, instr, instr.slots[1], self);
    uint8_t *place = locate(warp, instr, self, instr.space, address, bytes,
                            AccessKind::Atomic);
    if (!place)
      return Flow::Fault;
    bool isShared = instr.space == Space::Shared ||
                    (instr.space == Space::Generic && isSharedWindow(address));
    uint64_t limit =
        bytes == 8 ? ~uint64_t(0) : (uint64_t(1) << (8 * bytes)) - 1;
    auto operand = [&](const Slot &slot) {
      return slot.exists()
                 ? wideLane(warp.data(slot), slot.stride, self) & limit
                 : 0;
    };
    uint64_t old = 0;
    std::memcpy(&old, place, bytes);
    uint64_t value = (isShared ? instr.sharedUpdate : instr.otherUpdate)(
        old, operand(instr.slots[2]), operand(instr.slots[3]));
    std::memcpy(place, &value, bytes);
    if (instr.slots[0].exists())
      setWideLane(warp.data(instr.slots[0]), instr.slots[0].stride, self, old);
  }
  return Flow::Next;
}

} // namespace

bool decodeAtomic(Decoder &d) {
  bool isReduction = d.in().opcode == "red";
  takeStrength(d);
  Space space = takeSpace(d);
  takeCacheModifiers(d, false);
  d.take(".noftz");
  constexpr std::string_view names[] = {".add",  ".min", ".max", ".inc",
                                        ".dec",  ".and", ".or",  ".xor",
                                        ".exch", ".cas"};
  std::string_view op;
  for (std::string_view name : names)
    if (op.empty() && d.take(name))
      op = name;
  if (op.empty() || (isReduction && (op == ".exch" || op == ".cas")))
    return d.fail("an operation is missing");
  if (space != Space::Global && space != Space::Shared &&
      space != Space::Generic)
    return d.fail("unsupported state space");
  Type type = d.takeType();
  Instr &out = d.out();
  out.space = space;
  out.bytes = static_cast<uint8_t>(bytesOf(type));
  out.sharedUpdate = updateOf(op, type, false);
  out.otherUpdate = updateOf(op, type, true);
  bool isCas = op == ".cas";
  unsigned next = isReduction ? 0 : 1;
  if (!out.sharedUpdate)
    return d.finish(nullptr);
  if (!d.hasOperands(next + (isCas ? 3 : 2)) ||
      (!isReduction && !d.destination(0, 0, type)) || !d.address(1, next) ||
      !d.source(2, next + 1, type) || (isCas && !d.source(3, next + 2, type)))
    return false;
  return d.finish(updateMemory);
}

} // namespace ndl::cudasim

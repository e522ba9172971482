// Loads and stores.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/memory_access.h"
#include "exec/memory_modifiers.h"

namespace ndl::cudasim {
namespace {

/// Options: the sign is extended to the register; a strong access.
enum : uint32_t { signExtends = 1, isStrongAccess = 2 };

template <typename T>
uint64_t fetch(const uint8_t *from, bool isSigned) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if (isSigned)
    return static_cast<uint64_t>(
        static_cast<int64_t>(static_cast<std::make_signed_t<T>>(value)));
  return value;
}

/// slot 0: the address; vector: the destinations.
template <typename T, Space S, unsigned Count>
Flow load(Warp &warp, const Instr &instr, uint32_t mask) {
  constexpr unsigned bytes = sizeof(T) * Count;
  bool isSigned = instr.options & signExtends;
  AccessKind kind = instr.options & isStrongAccess ? AccessKind::StrongRead
                                                   : AccessKind::Read;
  const Slot &base = instr.slots[0];
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    const uint8_t *from = locate(
        warp, instr, self, S, addressOf(warp, instr, base, self), bytes, kind);
    if (!from)
      return Flow::Fault;
    for (unsigned e = 0; e < Count; ++e) {
      const Slot &slot = instr.vector[e];
      uint64_t value = fetch<T>(from + e * sizeof(T), isSigned);
      // 16-bit registers have no upper half.
      if (slot.bits == 16)
        value &= 0xffff;
      setWideLane(warp.data(slot), slot.stride, self, value);
    }
  }
  return Flow::Next;
}

/// vector: the sources.
template <typename T, Space S, unsigned Count>
Flow store(Warp &warp, const Instr &instr, uint32_t mask) {
  constexpr unsigned bytes = sizeof(T) * Count;
  AccessKind kind = instr.options & isStrongAccess ? AccessKind::StrongWrite
                                                   : AccessKind::Write;
  const Slot &base = instr.slots[0];
  for (uint32_t m = mask; m; m &= m - 1) {
    unsigned self = lowestLane(m);
    uint8_t *to = locate(warp, instr, self, S,
                         addressOf(warp, instr, base, self), bytes, kind);
    if (!to)
      return Flow::Fault;
    for (unsigned e = 0; e < Count; ++e) {
      const Slot &slot = instr.vector[e];
      auto value = static_cast<T>(wideLane(warp.data(slot), slot.stride, self));
      std::memcpy(to + e * sizeof(T), &value, sizeof value);
    }
  }
  return Flow::Next;
}

template <typename T, unsigned Count>
Handler loadHandler(Space space) {
  switch (space) {
  case Space::Global:
  case Space::Const:
    return load<T, Space::Global, Count>;
  case Space::Shared:
    return load<T, Space::Shared, Count>;
  case Space::Local:
    return load<T, Space::Local, Count>;
  case Space::Param:
    return load<T, Space::Param, Count>;
  default:
    return load<T, Space::Generic, Count>;
  }
}

template <typename T, unsigned Count>
Handler storeHandler(Space space) {
  switch (space) {
  case Space::Global:
    return store<T, Space::Global, Count>;
  case Space::Shared:
    return store<T, Space::Shared, Count>;
  case Space::Local:
    return store<T, Space::Local, Count>;
  case Space::Generic:
    return store<T, Space::Generic, Count>;
  default:
    return nullptr;
  }
}

template <typename T>
Handler handlerOf(bool isLoad, size_t count, Space space) {
  switch (count) {
  case 1:
    return isLoad ? loadHandler<T, 1>(space) : storeHandler<T, 1>(space);
  case 2:
    return isLoad ? loadHandler<T, 2>(space) : storeHandler<T, 2>(space);
  case 4:
    return isLoad ? loadHandler<T, 4>(space) : storeHandler<T, 4>(space);
  default:
    return isLoad ? loadHandler<T, 8>(space) : storeHandler<T, 8>(space);
  }
}

Handler handlerOf(bool isLoad, unsigned bytes, size_t count, Space space) {
  switch (bytes) {
  case 1:
    return handlerOf<uint8_t>(isLoad, count, space);
  case 2:
    return handlerOf<uint16_t>(isLoad, count, space);
  case 4:
    return handlerOf<uint32_t>(isLoad, count, space);
  case 8:
    return handlerOf<uint64_t>(isLoad, count, space);
  default:
    return nullptr;
  }
}

bool decodeAccess(Decoder &d, bool isLoad) {
  bool isStrong = takeStrength(d);
  Space space = takeSpace(d);
  takeCacheModifiers(d, isLoad);
  int lanes = d.takeOneOf({".v2", ".v4", ".v8"});
  size_t count = lanes < 0 ? 1 : size_t(2) << lanes;
  Type type = d.takeType();
  unsigned addressOperand = isLoad ? 1 : 0, dataOperand = isLoad ? 0 : 1;
  if (!d.hasOperands(2))
    return false;
  if (space == Space::Param)
    space = d.spaceOfParam(addressOperand);
  unsigned bytes = type == Type::Pred || type == Type::None ? 0 : bytesOf(type);
  if (bytes * count > (space == Space::Global ? 32 : 16))
    return d.fail("too many bytes for one access");
  d.out().space = space;
  d.out().count = static_cast<uint8_t>(count);
  d.out().options = (isLoad && isSigned(type) ? uint32_t(signExtends) : 0) |
                    (isStrong ? uint32_t(isStrongAccess) : 0);
  if (bytes == 0 || isPacked(type))
    return d.fail("unsupported type");
  return d.address(0, addressOperand) &&
         d.vectorOperand(dataOperand, type, isLoad, count, Fit::Wider) &&
         d.finish(handlerOf(isLoad, bytes, count, space));
}

} // namespace

bool decodeLoad(Decoder &d) { return decodeAccess(d, true); }
bool decodeStore(Decoder &d) { return decodeAccess(d, false); }

} // namespace ndl::cudasim

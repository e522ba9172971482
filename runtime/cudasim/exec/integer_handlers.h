// Handlers of integer instructions by type.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_INTEGER_HANDLERS_H
#define NEEDLE_CUDASIM_EXEC_INTEGER_HANDLERS_H

#include "exec/decoder.h"
#include "exec/lanes.h"

namespace ndl::cudasim {

/// d, a, b of one type.
inline bool threeOperands(Decoder &d, Type type) {
  return d.hasOperands(3) && d.destination(0, 0, type) &&
         d.source(1, 1, type) && d.source(2, 2, type);
}

/// For what differs with and without sign.
template <typename Op>
Handler bothSigns(Type type) {
  switch (type) {
  case Type::U16:
    return binary<uint16_t, Op>;
  case Type::U32:
    return binary<uint32_t, Op>;
  case Type::U64:
    return binary<uint64_t, Op>;
  case Type::S16:
    return binary<int16_t, Op>;
  case Type::S32:
    return binary<int32_t, Op>;
  case Type::S64:
    return binary<int64_t, Op>;
  default:
    return nullptr;
  }
}

/// On unsigned integers of so many bits.
template <typename Op>
Handler ofWidth(uint32_t bits) {
  switch (bits) {
  case 16:
    return binary<uint16_t, Op>;
  case 32:
    return binary<uint32_t, Op>;
  case 64:
    return binary<uint64_t, Op>;
  default:
    return nullptr;
  }
}

/// For what gives the same bits with and without sign.
template <typename Op>
Handler eitherSign(Type type) {
  return isSigned(type) || isUnsigned(type) ? ofWidth<Op>(bitsOf(type))
                                            : nullptr;
}

/// Whether it is the floating-point form that is meant.
inline bool isFloatInstruction(Decoder &d) {
  for (std::string_view modifier : d.in().modifiers)
    if (isFloat(typeFromName(modifier.substr(1))))
      return true;
  return false;
}

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_INTEGER_HANDLERS_H

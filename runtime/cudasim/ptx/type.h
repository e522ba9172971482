// The scalar types and state spaces of PTX.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_PTX_TYPE_H
#define NEEDLE_CUDASIM_PTX_TYPE_H

#include <cstdint>
#include <string_view>

namespace ndl::cudasim {

/// "Fundamental Types", "Packed Data Types" and "Alternate Floating-Point Data
/// Formats" of the PTX ISA.
enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  F16x2,
  BF16,
  BF16x2,
  TF32,
  F32,
  F64
};

enum class Space : uint8_t {
  Generic,
  Register,
  Param,
  Shared,
  Global,
  Local,
  Const
};

/// The type called so (without the dot), or None.
Type typeFromName(std::string_view name);
std::string_view nameOf(Type type);
std::string_view nameOf(Space space);
/// 0 for None, 1 for Pred.
unsigned bitsOf(Type type);
inline unsigned bytesOf(Type type) { return (bitsOf(type) + 7) / 8; }

inline bool isSigned(Type type) {
  return type >= Type::S8 && type <= Type::S64;
}
inline bool isUnsigned(Type type) {
  return type >= Type::U8 && type <= Type::U64;
}
inline bool isUntyped(Type type) {
  return type >= Type::B8 && type <= Type::B64;
}
/// Of any signedness, or of none.
inline bool isInteger(Type type) {
  return type >= Type::B8 && type <= Type::S64;
}
inline bool isFloat(Type type) { return type >= Type::F16; }

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_PTX_TYPE_H

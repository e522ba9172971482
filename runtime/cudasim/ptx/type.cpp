// The scalar types and state spaces of PTX.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ptx/type.h"

namespace ndl::cudasim {
namespace {

struct TypeRecord {
  std::string_view name;
  unsigned bits;
};

/// In the order of Type.
constexpr TypeRecord types[] = {
    {"", 0},       {"pred", 1},  {"b8", 8},      {"b16", 16},  {"b32", 32},
    {"b64", 64},   {"u8", 8},    {"u16", 16},    {"u32", 32},  {"u64", 64},
    {"s8", 8},     {"s16", 16},  {"s32", 32},    {"s64", 64},  {"f16", 16},
    {"f16x2", 32}, {"bf16", 16}, {"bf16x2", 32}, {"tf32", 32}, {"f32", 32},
    {"f64", 64}};

} // namespace

Type typeFromName(std::string_view name) {
  for (unsigned i = 1; i < sizeof(types) / sizeof(types[0]); ++i)
    if (types[i].name == name)
      return static_cast<Type>(i);
  return Type::None;
}

std::string_view nameOf(Type type) {
  return types[static_cast<unsigned>(type)].name;
}

std::string_view nameOf(Space space) {
  constexpr std::string_view names[] = {
      "generic", "register", "param", "shared", "global", "local", "const"};
  return names[static_cast<unsigned>(space)];
}

unsigned bitsOf(Type type) { return types[static_cast<unsigned>(type)].bits; }

} // namespace ndl::cudasim

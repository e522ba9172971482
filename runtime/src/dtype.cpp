// Properties of element types.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dtype.h"

namespace ndl {
namespace {

struct DTypeRow {
  const char *name;
  int bits;
  bool isInteger;
};

/// Indexed by NdlDType.
constexpr DTypeRow dtypeTable[] = {
    {"invalid", 0, false}, {"f32", 32, false},  {"f64", 64, false},
    {"f16", 16, false},    {"bf16", 16, false}, {"i8", 8, true},
    {"u8", 8, true},       {"i16", 16, true},   {"u16", 16, true},
    {"i32", 32, true},     {"u32", 32, true},   {"i64", 64, true},
    {"u64", 64, true},     {"bool", 8, false},  {"i4", 4, true},
    {"u4", 4, true},
};
constexpr uint32_t numDTypes = sizeof dtypeTable / sizeof dtypeTable[0];
static_assert(numDTypes == NDL_DTYPE_U4 + 1, "a row for each type");

const DTypeRow &row(uint32_t dtype) {
  return dtypeTable[dtype < numDTypes ? dtype : 0];
}

} // namespace

int dtypeBits(uint32_t dtype) { return row(dtype).bits; }
bool dtypeIsInteger(uint32_t dtype) { return row(dtype).isInteger; }
const char *dtypeName(uint32_t dtype) { return row(dtype).name; }

} // namespace ndl

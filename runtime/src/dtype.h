// Properties of element types.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_DTYPE_H
#define NEEDLE_RUNTIME_DTYPE_H

#include "needle-rt/types.h"

#include <cstdint>

namespace ndl {

/// Bits that one element takes in memory; 0 for a value outside NdlDType.
int dtypeBits(uint32_t dtype);

/// Whether elements are integers that may hold quantized values.
bool dtypeIsInteger(uint32_t dtype);

/// "f32", "i8", "bool", …; "invalid" for a value outside NdlDType.
const char *dtypeName(uint32_t dtype);

} // namespace ndl

#endif // NEEDLE_RUNTIME_DTYPE_H

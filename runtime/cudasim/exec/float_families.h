// Floating-point forms of instructions that integers share.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_EXEC_FLOAT_FAMILIES_H
#define NEEDLE_CUDASIM_EXEC_FLOAT_FAMILIES_H

#include "exec/decoder.h"

namespace ndl::cudasim {

/// add, sub, mul, fma, mad, div, rcp, sqrt with a rounding mode.
bool decodeFloatArithmetic(Decoder &d);
/// The same for f16, bf16 and pairs of them.
bool decodeHalfArithmetic(Decoder &d, Type type);
bool decodeFloatMinMax(Decoder &d);
bool decodeHalfMinMax(Decoder &d, Type type);
bool decodeFloatSign(Decoder &d);

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_EXEC_FLOAT_FAMILIES_H

//===- QuantizationAttributes.h - Attributes of the passes ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names of the discardable attributes by which the passes on the needle dialect
// and their clients communicate.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLE_TRANSFORMS_QUANTIZATIONATTRIBUTES_H
#define NEEDLE_DIALECT_NEEDLE_TRANSFORMS_QUANTIZATIONATTRIBUTES_H

#include "llvm/ADT/StringRef.h"

namespace needle {

/// On an operation: its name, where the location does not give one.
inline constexpr llvm::StringLiteral kOpNameAttr = "needle.op_name";
/// On a function result: the id of the observe whose value it is (i64).
inline constexpr llvm::StringLiteral kObservedAttr = "needle.observed";
/// On a quantizable operation: why needle-quantize left it in float.
inline constexpr llvm::StringLiteral kNotQuantizedAttr = "needle.not_quantized";
/// On a quantizable operation or a quantize: why needle-fuse-quantized could
/// not make it part of an integer operation.
inline constexpr llvm::StringLiteral kNotFusedAttr = "needle.not_fused";

} // namespace needle

#endif // NEEDLE_DIALECT_NEEDLE_TRANSFORMS_QUANTIZATIONATTRIBUTES_H

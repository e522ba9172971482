// Enumerations shared by the C ABI and the artifact format.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RT_TYPES_H
#define NEEDLE_RT_TYPES_H

#include <stdint.h>

/// Gives enumerations 32 bits, so that C++ may hold values unknown to it.
#ifdef __cplusplus
#define NDL_ENUM_BASE : uint32_t
#else
#define NDL_ENUM_BASE
#endif

/// Largest rank of a tensor in a signature.
#define NDL_MAX_RANK 16
/// A dimension known only at run time.
#define NDL_DYNAMIC (-1)

/// Outcome of a call. Values are stable.
typedef enum NdlStatus NDL_ENUM_BASE {
  NDL_OK = 0,
  /// An argument, option or environment variable is wrong: null pointer,
  /// overlapping memory, unknown target, …
  NDL_INVALID_ARGUMENT = 1,
  /// No entry point, file or device of that name.
  NDL_NOT_FOUND = 2,
  /// The operating system refused to read, write or map.
  NDL_IO_ERROR = 3,
  /// Not an artifact, truncated, or damaged.
  NDL_CORRUPT_ARTIFACT = 4,
  /// Written for another version of the format or of the generated-code ABI.
  NDL_UNSUPPORTED_VERSION = 5,
  /// No body in the artifact runs on this CPU.
  NDL_UNSUPPORTED_CPU = 6,
  /// Number, type, rank or dimensions of tensors do not fit the entry point.
  NDL_SIGNATURE_MISMATCH = 7,
  NDL_OUT_OF_MEMORY = 8,
  /// Generated code broke its contract; a bug in needle.
  NDL_INTERNAL_ERROR = 9,
} NdlStatus;

/// Element types of tensors. Values are part of the format and of the C ABI.
typedef enum NdlDType NDL_ENUM_BASE {
  NDL_DTYPE_INVALID = 0,
  NDL_DTYPE_F32 = 1,
  NDL_DTYPE_F64 = 2,
  NDL_DTYPE_F16 = 3,
  NDL_DTYPE_BF16 = 4,
  NDL_DTYPE_I8 = 5,
  NDL_DTYPE_U8 = 6,
  NDL_DTYPE_I16 = 7,
  NDL_DTYPE_U16 = 8,
  NDL_DTYPE_I32 = 9,
  NDL_DTYPE_U32 = 10,
  NDL_DTYPE_I64 = 11,
  NDL_DTYPE_U64 = 12,
  /// One byte an element, 0 or 1.
  NDL_DTYPE_BOOL = 13,
  /// Two elements a byte, the element of lower index in the low half.
  NDL_DTYPE_I4 = 14,
  NDL_DTYPE_U4 = 15,
} NdlDType;

typedef enum NdlQuantizationKind NDL_ENUM_BASE {
  NDL_QUANTIZATION_NONE = 0,
  /// One scale and zero point.
  NDL_QUANTIZATION_PER_TENSOR = 1,
  /// One scale and zero point for each index along `axis`.
  NDL_QUANTIZATION_PER_AXIS = 2,
} NdlQuantizationKind;

#endif // NEEDLE_RT_TYPES_H

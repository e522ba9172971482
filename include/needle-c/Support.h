// Status, messages and memory of the compiler's C API.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors. Functions that can fail return a NeedleStatus. Unless it is
// NEEDLE_OK, needle_last_error() gives the message: one line for each error,
// preceded by its source location. It stays valid until the next failing call
// on the same thread. On failure, results are left untouched.
//
// Threads. All functions may be called from several threads at once, also on
// the same handle, except that a graph builder or a calibration belongs to one
// thread at a time and a handle must not be used while or after it is
// destroyed.
//
// Memory. Strings and arrays handed out belong to the handle they came from and
// live as long as it does. Everything handed in may be freed after the call. A
// function that ends in _destroy accepts null.
//
// Structures that start with `structSize` may grow: set it to their sizeof (the
// _INIT macros do).

#ifndef NEEDLE_C_SUPPORT_H
#define NEEDLE_C_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NEEDLE_CAPI __attribute__((visibility("default")))
#else
#define NEEDLE_CAPI
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Outcome of a call. Values are stable.
typedef enum NeedleStatus {
  NEEDLE_OK = 0,
  /// The call itself is wrong: null pointer, unknown option, handle of another
  /// graph, …
  NEEDLE_INVALID_ARGUMENT = 1,
  /// The program is wrong or cannot be compiled; the message says where.
  NEEDLE_COMPILE_ERROR = 2,
} NeedleStatus;

/// Message of the last failing call on this thread; "" before any.
NEEDLE_CAPI const char *needle_last_error(void);

/// Version of the compiler, e.g. "0.1.0".
NEEDLE_CAPI const char *needle_version(void);

/// Text or bytes that a function has made.
typedef struct NeedleBuffer NeedleBuffer;

NEEDLE_CAPI const void *needle_buffer_data(const NeedleBuffer *buffer);
NEEDLE_CAPI size_t needle_buffer_size(const NeedleBuffer *buffer);
NEEDLE_CAPI void needle_buffer_destroy(NeedleBuffer *buffer);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEEDLE_C_SUPPORT_H

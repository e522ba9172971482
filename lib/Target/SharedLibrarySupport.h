// What a compiled shared library consists of, besides machine code.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain C. Tables that the compiler writes into the library, and the functions
// that the library's typed functions call with them. The functions are compiled
// when needle is built and linked into every library.

#ifndef NEEDLE_LIB_TARGET_SHAREDLIBRARYSUPPORT_H
#define NEEDLE_LIB_TARGET_SHAREDLIBRARYSUPPORT_H

#include "needle-rt/abi.h"
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Results of a library's functions; a failed shape check gives
/// NDL_LIBRARY_SHAPE + the index of its message.
enum {
  NDL_LIBRARY_OK = 0,
  NDL_LIBRARY_UNSUPPORTED_CPU = 1,
  NDL_LIBRARY_OUT_OF_MEMORY = 2,
  NDL_LIBRARY_NEGATIVE_DIMENSION = 3,
  NDL_LIBRARY_MISALIGNED_ARENA = 4,
  NDL_LIBRARY_SHAPE = 16
};

/// The code for one target.
typedef struct NdlLibraryBody {
  const char *target;
  /// Bits of cpu_features.def.
  uint64_t features;
  /// Null if there are none.
  const uint8_t *weights;
} NdlLibraryBody;

typedef struct NdlLibrary {
  /// The most preferred first.
  const NdlLibraryBody *bodies;
  int64_t numBodies;
  const char *const *messages;
  int64_t numMessages;
} NdlLibrary;

/// One entry point.
typedef struct NdlLibraryEntry {
  const NdlLibrary *library;
  /// One for each body.
  const NdlPlanFn *plans;
  const NdlRunFn *runs;
  /// Dimensions of all inputs and of all outputs, flattened.
  int64_t numDims;
  int64_t numOutputDims;
} NdlLibraryEntry;

/// Index of the best body for this CPU, or -1.
int64_t needle_library_select(const NdlLibrary *library);

const char *needle_library_target(const NdlLibrary *library);

const char *needle_library_error(const NdlLibrary *library, int code);

/// Checks dimensions and plans. `plan` is scratch for 1 + numOutputDims words;
/// `outputDims` and `arenaBytes` may be null.
int needle_library_plan(const NdlLibraryEntry *entry, const int64_t *dims,
                        int64_t *plan, int64_t *outputDims, size_t *arenaBytes);

/// Plans and runs on the calling thread. A null arena is allocated, and freed
/// again.
int needle_library_run(const NdlLibraryEntry *entry, const int64_t *dims,
                       int64_t *plan, const void *const *inputs,
                       void *const *outputs, void *arena);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEEDLE_LIB_TARGET_SHAREDLIBRARYSUPPORT_H

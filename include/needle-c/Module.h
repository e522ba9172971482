// Modules: parsing, printing, signature, identity.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_C_MODULE_H
#define NEEDLE_C_MODULE_H

#include "needle-c/Support.h"
#include "needle-rt/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A verified module of needle operations and the context that it lives in.
/// Modules made from each other share the context, and with it their constants;
/// calls on them wait for each other.
typedef struct NeedleModule NeedleModule;

/// Parses and verifies MLIR text or bytecode. `name` stands for the text in
/// locations, e.g. a path.
NEEDLE_CAPI NeedleStatus needle_module_parse(const char *text, size_t size,
                                             const char *name,
                                             NeedleModule **module);
NEEDLE_CAPI void needle_module_destroy(NeedleModule *module);

typedef struct NeedlePrintOptions {
  size_t structSize;
  /// Constants that print longer than this many characters are left out, and
  /// the text cannot be parsed again; -1 prints all.
  int64_t elideAbove;
  /// Whether to print source locations.
  int32_t locations;
} NeedlePrintOptions;

#define NEEDLE_PRINT_OPTIONS_INIT {sizeof(NeedlePrintOptions), -1, 0}

/// The module's text. `options` may be null.
NEEDLE_CAPI NeedleStatus needle_module_print(NeedleModule *module,
                                             const NeedlePrintOptions *options,
                                             NeedleBuffer **text);

#define NEEDLE_FINGERPRINT_SIZE 32

/// Writes a cryptographic hash (BLAKE3) of the module: text, locations and
/// constants. Equal for equal modules of one version of needle.
NEEDLE_CAPI NeedleStatus needle_module_fingerprint(
    NeedleModule *module, uint8_t fingerprint[NEEDLE_FINGERPRINT_SIZE]);

/// The module's name; "" if it has none.
NEEDLE_CAPI const char *needle_module_name(const NeedleModule *module);

/// Public functions, in order; each becomes an entry point.
NEEDLE_CAPI size_t needle_module_entry_count(const NeedleModule *module);
/// Null if there is no entry `index`.
NEEDLE_CAPI const NdlEntryInfo *needle_module_entry(const NeedleModule *module,
                                                    size_t index);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEEDLE_C_MODULE_H

// From a module to code.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_C_COMPILER_H
#define NEEDLE_C_COMPILER_H

#include "needle-c/Module.h"

#ifdef __cplusplus
extern "C" {
#endif

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

typedef struct NeedleTargetInfo {
  const char *name;     ///< e.g. "avx2"
  const char *features; ///< what a CPU must have, e.g. "avx2,fma"
  /// Of several targets that a CPU can run, the highest preference is best.
  uint32_t preference;
  /// Whether a compilation that names no target makes code for it.
  int32_t isDefault;
} NeedleTargetInfo;

NEEDLE_CAPI size_t needle_target_count(void);
/// Null if there is no target `index`.
NEEDLE_CAPI const NeedleTargetInfo *needle_target(size_t index);

//===----------------------------------------------------------------------===//
// Artifacts
//===----------------------------------------------------------------------===//

typedef struct NeedleCompileOptions {
  size_t structSize;
  /// One body for each of these targets; none stands for the default ones,
  /// "host", which stands alone, for the best one of this CPU.
  const char *const *targets;
  size_t numTargets;
} NeedleCompileOptions;

#define NEEDLE_COMPILE_OPTIONS_INIT {sizeof(NeedleCompileOptions), NULL, 0}

/// An artifact and how long it took.
typedef struct NeedleCompilation NeedleCompilation;

/// Compiles every entry point. `options` may be null.
NEEDLE_CAPI NeedleStatus needle_compile(NeedleModule *module,
                                        const NeedleCompileOptions *options,
                                        NeedleCompilation **compilation);
NEEDLE_CAPI void needle_compilation_destroy(NeedleCompilation *compilation);

/// The bytes of an artifact file, to be loaded by the runtime.
NEEDLE_CAPI const void *
needle_compilation_artifact(const NeedleCompilation *compilation, size_t *size);

typedef struct NeedleStageTime {
  const char *stage;
  double seconds;
} NeedleStageTime;

NEEDLE_CAPI size_t
needle_compilation_stage_count(const NeedleCompilation *compilation);
/// Null if there is no stage `index`.
NEEDLE_CAPI const NeedleStageTime *
needle_compilation_stage(const NeedleCompilation *compilation, size_t index);

//===----------------------------------------------------------------------===//
// Looking inside
//===----------------------------------------------------------------------===//

NEEDLE_CAPI size_t needle_stage_count(void);
/// Name of a stage that needle_print_stage knows, in order of execution; null
/// if there is no stage `index`.
NEEDLE_CAPI const char *needle_stage_name(size_t index);

/// The text of the module after a stage of the compilation for one target.
NEEDLE_CAPI NeedleStatus needle_print_stage(NeedleModule *module,
                                            const char *stage,
                                            const char *target,
                                            NeedleBuffer **text);

/// The assembly of the code for one target.
NEEDLE_CAPI NeedleStatus needle_compile_assembly(NeedleModule *module,
                                                 const char *target,
                                                 NeedleBuffer **text);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEEDLE_C_COMPILER_H

// The C ABI of needle's runtime: load an artifact, ask what is in it, run it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This is the one header that users include; link needle_runtime.
//
// Errors. Functions that can fail return an NdlStatus. Unless it is NDL_OK,
// ndl_last_error() gives the message, which stays valid until the next failing
// call on the same thread. On failure, results are left untouched.
//
// Threads. All functions may be called from several threads at once, also on
// the same handle, except that a handle must not be used while or after it is
// destroyed.
//
// Fork. Handles stay usable in a forked child: its first parallel loop starts
// new worker threads. A fork while other threads are loading or running is
// fine too, except during the first load with a null runtime.
//
// Memory. Strings and arrays handed out belong to the handle they came from and
// live as long as it does. Everything handed in may be freed after the call,
// unless said otherwise.
//
// Structures that start with `structSize` may grow: set it to their sizeof
// (NDL_RUNTIME_OPTIONS_INIT and NDL_LOAD_OPTIONS_INIT do).

#ifndef NEEDLE_RT_RUNTIME_H
#define NEEDLE_RT_RUNTIME_H

#include "needle-rt/abi.h"
#include "needle-rt/types.h"

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NDL_API __attribute__((visibility("default")))
#else
#define NDL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Message of the last failing call on this thread; "" before any.
NDL_API const char *ndl_last_error(void);

/// Version of the runtime, e.g. "0.1.0".
NDL_API const char *ndl_version(void);

/// "f32", "u8", …; "invalid" for other values.
NDL_API const char *ndl_dtype_name(NdlDType dtype);
/// Size of one element in bits; 0 for other values.
NDL_API int32_t ndl_dtype_bits(NdlDType dtype);

/// The features of this CPU that needle knows, e.g. "sse2, avx, avx2, fma".
NDL_API const char *ndl_cpu_features(void);

//===----------------------------------------------------------------------===//
// Runtime: a device and its worker threads
//===----------------------------------------------------------------------===//

typedef enum NdlDeviceType NDL_ENUM_BASE {
  NDL_DEVICE_CPU = 0,
  NDL_DEVICE_CUDA = 1, ///< not in this version: NDL_NOT_FOUND
} NdlDeviceType;

typedef struct NdlDevice {
  NdlDeviceType type;
  int32_t index;
} NdlDevice;

/// Most threads a runtime can have.
#define NDL_MAX_THREADS 1024

typedef struct NdlRuntimeOptions {
  size_t structSize;
  NdlDevice device;
  /// Threads that work on one invocation, including the calling one:
  /// 1 … NDL_MAX_THREADS, or 0 for the environment variable NEEDLE_NUM_THREADS
  /// and, without it, the number of CPUs that this process may use by its
  /// affinity mask and its cgroup's quota (v1 and v2).
  int32_t threads;
} NdlRuntimeOptions;

#define NDL_RUNTIME_OPTIONS_INIT                                               \
  {sizeof(NdlRuntimeOptions), {NDL_DEVICE_CPU, 0}, 0}

/// A device with its worker threads, shared by the executables loaded on it.
typedef struct NdlRuntime NdlRuntime;

/// Creates a runtime; `options` may be null. Executables keep what they need of
/// it, so it may be destroyed before them.
NDL_API NdlStatus ndl_runtime_create(const NdlRuntimeOptions *options,
                                     NdlRuntime **runtime);
/// `runtime` may be null.
NDL_API void ndl_runtime_destroy(NdlRuntime *runtime);
/// Number of threads, >= 1.
NDL_API int32_t ndl_runtime_threads(const NdlRuntime *runtime);

/// Calls `task` on disjoint ranges that together cover [0, count), each with a
/// worker in [0, threads), and returns when all are done; the calling thread
/// takes part. count <= 0 does nothing. Denormal numbers are honoured and
/// rounding is to nearest even. How the range is split varies between runs. A
/// call from inside a task of the same runtime runs inline. `runtime` null: the
/// runtime shared by the whole process. Errors: NDL_INVALID_ARGUMENT (null
/// task; NEEDLE_NUM_THREADS is wrong).
NDL_API NdlStatus ndl_runtime_parallel_for(NdlRuntime *runtime, NdlTask task,
                                           void *context, int64_t count);

//===----------------------------------------------------------------------===//
// Executable: a loaded artifact
//===----------------------------------------------------------------------===//

typedef struct NdlLoadOptions {
  size_t structSize;
  /// Target of the body to use, e.g. "avx2", or null for the environment
  /// variable NEEDLE_ISA and, without it, the best that this CPU can run. A
  /// target that the artifact lacks or the CPU cannot run is an error.
  const char *target;
  /// ndl_executable_load_memory only: 0 copies the memory; 1 uses it in place,
  /// in which case it must be aligned to 64 bytes and outlive the executable,
  /// unchanged.
  int32_t borrow;
} NdlLoadOptions;

#define NDL_LOAD_OPTIONS_INIT {sizeof(NdlLoadOptions), NULL, 0}

typedef struct NdlExecutable NdlExecutable;

/// Loads the artifact at `path`. The file is read, not mapped: it may be
/// replaced or deleted afterwards. `runtime` null: a runtime with default
/// options shared by the whole process. `options` may be null.
NDL_API NdlStatus ndl_executable_load_file(NdlRuntime *runtime,
                                           const char *path,
                                           const NdlLoadOptions *options,
                                           NdlExecutable **executable);
/// Loads the artifact in [data, data + size); otherwise like load_file.
NDL_API NdlStatus ndl_executable_load_memory(NdlRuntime *runtime,
                                             const void *data, size_t size,
                                             const NdlLoadOptions *options,
                                             NdlExecutable **executable);
/// Reads the artifact at `path` to describe it, whichever CPUs its code is for:
/// no body is in use, so that there are no steps, and no entry point or kernel
/// can be called (NDL_UNSUPPORTED_CPU).
NDL_API NdlStatus ndl_executable_inspect_file(const char *path,
                                              NdlExecutable **executable);
/// `executable` may be null. No invocation may be in progress.
NDL_API void ndl_executable_destroy(NdlExecutable *executable);

//===----------------------------------------------------------------------===//
// What is in it
//===----------------------------------------------------------------------===//

/// An input or output of an entry point.
typedef struct NdlTensorInfo {
  const char *name; ///< may be ""
  NdlDType dtype;
  int32_t rank;
  const int64_t *dims; ///< NDL_DYNAMIC where known only at run time
  /// real = (stored - zeroPoint) * scale, with one scale and zero point, or one
  /// for each index along `axis`; numParams is 0 without quantization.
  NdlQuantizationKind quantization;
  int32_t axis;
  size_t numParams;
  const float *scales;
  const int32_t *zeroPoints;
  int32_t storageMin; ///< range of the stored integers
  int32_t storageMax;
} NdlTensorInfo;

typedef struct NdlEntryInfo {
  const char *name;
  size_t numInputs;
  const NdlTensorInfo *inputs;
  size_t numOutputs;
  const NdlTensorInfo *outputs;
} NdlEntryInfo;

/// Code for one target.
typedef struct NdlBodyInfo {
  const char *target;       ///< e.g. "avx2"
  const char *architecture; ///< e.g. "x86-64"
  const char *features;     ///< what the CPU must have, e.g. "avx2, fma"
  const char *missing; ///< what this CPU lacks of it; "" if the body can run
  size_t codeBytes;
  size_t weightBytes;
} NdlBodyInfo;

/// One step of an entry point in the body in use.
typedef struct NdlStepInfo {
  const char *kernel;   ///< e.g. "qmatmul_u8s8_f32.avx2.4x16"
  const char *op;       ///< e.g. "needle.qmatmul"
  const char *location; ///< where in the source, or ""
  const char *note;     ///< why this kernel was chosen, or ""
  const char *target;   ///< of the body, e.g. "avx2"
  int64_t macs;         ///< multiply-accumulates, -1 if unknown or dynamic
} NdlStepInfo;

NDL_API size_t ndl_executable_entry_count(const NdlExecutable *executable);
/// Null if there is no entry `index`.
NDL_API const NdlEntryInfo *
ndl_executable_entry(const NdlExecutable *executable, size_t index);
/// Index of the entry of this name. NDL_NOT_FOUND: the message lists them all.
NDL_API NdlStatus ndl_executable_find_entry(const NdlExecutable *executable,
                                            const char *name, size_t *index);
NDL_API size_t ndl_executable_body_count(const NdlExecutable *executable);
/// Null if there is no body `index`.
NDL_API const NdlBodyInfo *ndl_executable_body(const NdlExecutable *executable,
                                               size_t index);
/// Index of the body in use; the number of bodies if none is.
NDL_API size_t ndl_executable_chosen_body(const NdlExecutable *executable);
/// Target of the body in use, e.g. "avx2"; "" if none is.
NDL_API const char *ndl_executable_target(const NdlExecutable *executable);
/// 0 if there is no entry `entry`, or no body in use.
NDL_API size_t ndl_executable_step_count(const NdlExecutable *executable,
                                         size_t entry);
/// Null if there is no such step.
NDL_API const NdlStepInfo *ndl_executable_step(const NdlExecutable *executable,
                                               size_t entry, size_t step);
NDL_API size_t ndl_executable_kernel_count(const NdlExecutable *executable);
/// Null if there is no kernel `index`.
NDL_API const char *ndl_executable_kernel_name(const NdlExecutable *executable,
                                               size_t index);
/// The kernel of this name in the body in use: a function to be called directly
/// or by ndl_runtime_parallel_for, valid as long as the executable. What its
/// context holds is between the caller and the kernel; a direct call runs in
/// the floating-point environment that the calling thread has set.
/// NDL_NOT_FOUND: the message lists similar names.
NDL_API NdlStatus ndl_executable_find_kernel(const NdlExecutable *executable,
                                             const char *name, NdlTask *kernel);
/// Value of a metadata key, e.g. "producer"; null if the artifact lacks it.
NDL_API const char *ndl_executable_metadata(const NdlExecutable *executable,
                                            const char *key);
/// Size of the artifact in bytes.
NDL_API size_t ndl_executable_size(const NdlExecutable *executable);
/// Number of threads that work on an invocation; 0 if no body is in use.
NDL_API int32_t ndl_executable_threads(const NdlExecutable *executable);

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

/// A tensor in the caller's memory.
typedef struct NdlTensor {
  /// The element with all indices 0; may be null if there are no elements.
  void *data;
  NdlDType dtype;
  int32_t rank;
  const int64_t *shape; ///< may be null if rank is 0
  /// Distance in elements between neighbours along each dimension, may be
  /// negative or 0; null: contiguous, row-major.
  const int64_t *strides;
  NdlDevice device;
} NdlTensor;

/// Computes the shapes of the outputs for inputs of these types and shapes
/// (their data and strides are not looked at). Writes the dimensions of all
/// outputs, flattened, to `dims`; `capacity` is the room there and must be at
/// least the sum of the outputs' ranks.
NDL_API NdlStatus ndl_executable_output_shapes(NdlExecutable *executable,
                                               size_t entry,
                                               const NdlTensor *inputs,
                                               size_t numInputs, int64_t *dims,
                                               size_t capacity);

/// Runs an entry point. Inputs may be strided (they are packed first); outputs
/// must be contiguous, aligned to their element, of the shapes that
/// ndl_executable_output_shapes gives, and overlap neither an input nor another
/// output. Denormal numbers are honoured and rounding is to nearest even,
/// whatever the calling thread has set. Once each concurrent caller has run the
/// largest shapes, nothing is allocated.
///
/// Errors are found before anything is written: NDL_SIGNATURE_MISMATCH,
/// NDL_INVALID_ARGUMENT, NDL_OUT_OF_MEMORY.
NDL_API NdlStatus ndl_executable_invoke(NdlExecutable *executable, size_t entry,
                                        const NdlTensor *inputs,
                                        size_t numInputs,
                                        const NdlTensor *outputs,
                                        size_t numOutputs);

/// Frees the scratch memory kept for later invocations.
NDL_API void ndl_executable_release_memory(NdlExecutable *executable);

//===----------------------------------------------------------------------===//
// What ran, and how long it took
//===----------------------------------------------------------------------===//

/// Counters of one step since loading or the last reset.
typedef struct NdlStepStats {
  int64_t calls; ///< always counted
  /// Only while profiling is on: calls timed, their sum and minimum in ns (0
  /// before the first).
  int64_t timedCalls;
  int64_t totalNs;
  int64_t minNs;
} NdlStepStats;

/// Turns timing on (1) or off (0, the default) for invocations that start
/// later. Costs two clock readings a step.
NDL_API void ndl_executable_set_profiling(NdlExecutable *executable,
                                          int32_t enabled);
/// Reads the counters of one step; NDL_NOT_FOUND if there is no such step. They
/// include an invocation once it has ended.
NDL_API NdlStatus ndl_executable_step_stats(const NdlExecutable *executable,
                                            size_t entry, size_t step,
                                            NdlStepStats *stats);
/// Sets all counters to zero.
NDL_API void ndl_executable_reset_stats(NdlExecutable *executable);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEEDLE_RT_RUNTIME_H

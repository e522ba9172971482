// What generated code and the runtime agree on.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain C. Every field is 8 bytes wide, so that generated code addresses the
// frame as an array of words: field [i] lies at byte offset 8 * i.
//
// Generated code is a flat, position-independent image: code and constants with
// all PC-relative relocations applied and no external symbols. It reaches the
// outside only through the frame. The runtime copies the image to page-aligned
// memory, makes it read + execute, and calls `plan` and `run` by their offsets.

#ifndef NEEDLE_RT_ABI_H
#define NEEDLE_RT_ABI_H

#include <stdint.h>

/// Changes whenever a structure or a contract in this file changes.
#define NDL_ABI_VERSION 1

/// Alignment in bytes of the arena and of each weight section.
#define NDL_ABI_ALIGNMENT 64

/// The index that ends the last step of a run, see NdlFrame.markStep.
#define NDL_STEP_END (-1)

#ifdef __cplusplus
extern "C" {
#endif

/// The body of a parallel loop: handles the iterations [begin, end).
/// No two calls running at the same time have the same `worker`, so that
/// scratch memory may be indexed by it.
typedef void (*NdlTask)(void *context, int64_t begin, int64_t end,
                        int64_t worker);

/// One invocation of an entry point; the only argument of `run`.
typedef struct NdlFrame {
  /// [0] Data of each input, contiguous and row-major, aligned to its element.
  const void *const *inputs;
  /// [1] Data of each output, likewise. No output overlaps an input or another
  /// output.
  void *const *outputs;
  /// [2] The dimensions of all inputs, flattened in order of the inputs.
  const int64_t *dims;
  /// [3] The weight section of this body, aligned to NDL_ABI_ALIGNMENT.
  const uint8_t *weights;
  /// [4] Scratch memory of the size `plan` asked for, uninitialized, aligned to
  /// NDL_ABI_ALIGNMENT. It may be null when that size is 0.
  uint8_t *arena;
  /// [5] Number of workers, >= 1; the same that `plan` was given.
  int64_t threads;
  /// [6] Calls `task` on disjoint ranges that together cover [0, count), each
  /// with a worker in [0, threads), and returns when all are done. The calling
  /// thread takes part. The split is unspecified and varies between runs:
  /// results must not depend on it. A call from inside a task runs inline,
  /// with that task's worker. count <= 0 does nothing.
  void (*parallelFor)(void *runtime, NdlTask task, void *context,
                      int64_t count);
  /// [7] To be called, from the thread that entered `run` only, before each
  /// step with its index among the steps of this entry, and with NDL_STEP_END
  /// after the last.
  void (*markStep)(void *runtime, int64_t step);
  /// [8] First argument of both callbacks, opaque.
  void *runtime;
} NdlFrame;

/// Checks the dimensions of the inputs and plans an invocation.
///
/// `dims` is laid out as NdlFrame.dims; ranks and static dimensions have been
/// checked and no dimension is negative. On success writes out[0] = arena bytes
/// and, from out[1] on, the dimensions of all outputs, flattened, and returns
/// 0. When a shape check fails returns 1 + the index of its message in the
/// artifact's message table; `out` is then unspecified.
typedef int64_t (*NdlPlanFn)(const int64_t *dims, int64_t threads,
                             int64_t *out);

/// Runs the entry point. Does not allocate, does not throw, cannot fail.
typedef void (*NdlRunFn)(const NdlFrame *frame);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEEDLE_RT_ABI_H

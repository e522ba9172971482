// Entry points for the tests of the runtime, as generated code would be.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-rt/abi.h"

// The image starts with the offsets of plan and run of each entry, in order,
// and those of the kernels.
#define ENTRY(NAME) ".quad plan" NAME " - image, run" NAME " - image\n"
__asm__(".section .head,\"a\"\n"
        "image:\n" ENTRY("Affine") ENTRY("Add") ENTRY("Nest") ENTRY("Halve")
            ENTRY("Wrong")
                ENTRY("Fill") ".quad addBody - image, halves - image\n"
                              ".text\n");

#define EXPORT __attribute__((used))

//===----------------------------------------------------------------------===//
// affine: x f32[?x4] -> y f32[?x4] = 2 * x + weights + BODY, through the arena
//===----------------------------------------------------------------------===//

EXPORT int64_t planAffine(const int64_t *dims, int64_t threads, int64_t *out) {
  // Scratch for each worker, then the rows.
  out[0] = threads * 64 + dims[0] * 4 * (int64_t)sizeof(float);
  out[1] = dims[0];
  out[2] = 4;
  return 0;
}

static float *rowsInArena(const NdlFrame *frame) {
  return (float *)(frame->arena + frame->threads * 64);
}

static void doubleRows(void *context, int64_t begin, int64_t end,
                       int64_t worker) {
  const NdlFrame *frame = context;
  const float *x = frame->inputs[0];
  float *scratch = (float *)(frame->arena + worker * 64);
  for (int64_t row = begin; row < end; ++row) {
    for (int i = 0; i < 4; ++i)
      scratch[i] = 2 * x[row * 4 + i];
    for (int i = 0; i < 4; ++i)
      rowsInArena(frame)[row * 4 + i] = scratch[i];
  }
}

static void addWeights(void *context, int64_t begin, int64_t end,
                       int64_t worker) {
  const NdlFrame *frame = context;
  const float *weights = (const float *)frame->weights;
  float *y = frame->outputs[0];
  (void)worker;
  for (int64_t row = begin; row < end; ++row)
    for (int i = 0; i < 4; ++i)
      y[row * 4 + i] = rowsInArena(frame)[row * 4 + i] + weights[i] + BODY;
}

EXPORT void runAffine(const NdlFrame *frame) {
  frame->markStep(frame->runtime, 0);
  frame->parallelFor(frame->runtime, doubleRows, (void *)frame, frame->dims[0]);
  frame->markStep(frame->runtime, 1);
  frame->parallelFor(frame->runtime, addWeights, (void *)frame, frame->dims[0]);
  frame->markStep(frame->runtime, NDL_STEP_END);
}

//===----------------------------------------------------------------------===//
// add: a i32[?], b i32[?] -> c i32[?], of equal lengths
//===----------------------------------------------------------------------===//

EXPORT int64_t planAdd(const int64_t *dims, int64_t threads, int64_t *out) {
  (void)threads;
  if (dims[0] != dims[1])
    return 2;
  out[0] = 0;
  out[1] = dims[0];
  return 0;
}

EXPORT void runAdd(const NdlFrame *frame) {
  const int32_t *a = frame->inputs[0], *b = frame->inputs[1];
  int32_t *c = frame->outputs[0];
  frame->markStep(frame->runtime, 0);
  for (int64_t i = 0; i < frame->dims[0]; ++i)
    c[i] = a[i] + b[i];
}

//===----------------------------------------------------------------------===//
// nest: x u8[?] -> hits i32[?], workers i32[?]: each iteration of a parallel
// loop runs another one of three iterations
//===----------------------------------------------------------------------===//

struct Nest {
  const NdlFrame *frame;
  int64_t index;
  int64_t worker;
};

static void nestInner(void *context, int64_t begin, int64_t end,
                      int64_t worker) {
  struct Nest *nest = context;
  int32_t *hits = nest->frame->outputs[0], *workers = nest->frame->outputs[1];
  hits[nest->index] += (int32_t)(end - begin);
  workers[nest->index] |= worker != nest->worker;
}

static void nestOuter(void *context, int64_t begin, int64_t end,
                      int64_t worker) {
  const NdlFrame *frame = context;
  for (int64_t i = begin; i < end; ++i) {
    ((int32_t *)frame->outputs[0])[i] = 0;
    ((int32_t *)frame->outputs[1])[i] = 0;
    struct Nest nest = {frame, i, worker};
    frame->parallelFor(frame->runtime, nestInner, &nest, 3);
  }
}

EXPORT int64_t planNest(const int64_t *dims, int64_t threads, int64_t *out) {
  (void)threads;
  out[0] = 0;
  out[1] = dims[0];
  out[2] = dims[0];
  return 0;
}

EXPORT void runNest(const NdlFrame *frame) {
  frame->parallelFor(frame->runtime, nestOuter, (void *)frame, frame->dims[0]);
}

//===----------------------------------------------------------------------===//
// halve: x f32[?] -> y f32[?] = x / 2
//===----------------------------------------------------------------------===//

static void halveRange(void *context, int64_t begin, int64_t end,
                       int64_t worker) {
  const NdlFrame *frame = context;
  (void)worker;
  for (int64_t i = begin; i < end; ++i)
    ((float *)frame->outputs[0])[i] =
        ((const float *)frame->inputs[0])[i] * 0.5f;
}

EXPORT int64_t planHalve(const int64_t *dims, int64_t threads, int64_t *out) {
  (void)threads;
  out[0] = 0;
  out[1] = dims[0];
  return 0;
}

EXPORT void runHalve(const NdlFrame *frame) {
  frame->parallelFor(frame->runtime, halveRange, (void *)frame, frame->dims[0]);
}

//===----------------------------------------------------------------------===//
// wrong: x u8[?] -> y u8[?x3]; its plan breaks the contract in the way that the
// length of x says
//===----------------------------------------------------------------------===//

EXPORT int64_t planWrong(const int64_t *dims, int64_t threads, int64_t *out) {
  (void)threads;
  int64_t n = dims[0];
  out[0] = n == 1 ? -1 : n == 2 ? INT64_MAX - 4096 : 0;
  out[1] = n == 3 ? -5 : 0;
  out[2] = n == 4 ? 4 : 3;
  return n == 5 ? 99 : n == 6 ? -1 : 0;
}

EXPORT void runWrong(const NdlFrame *frame) {
  // Marks steps that do not exist.
  frame->markStep(frame->runtime, 0);
  frame->markStep(frame->runtime, 1000000);
  frame->markStep(frame->runtime, INT64_MIN);
}

//===----------------------------------------------------------------------===//
// fill: -> y f64[]: no inputs, rank 0
//===----------------------------------------------------------------------===//

EXPORT int64_t planFill(const int64_t *dims, int64_t threads, int64_t *out) {
  (void)dims;
  (void)threads;
  out[0] = 0;
  return 0;
}

EXPORT void runFill(const NdlFrame *frame) {
  *(double *)frame->outputs[0] = 42;
}

//===----------------------------------------------------------------------===//
// Kernels. addBody: context is i64[count], each grows by BODY. halves: context
// is two pointers to floats, second[i] = first[i] / 2.
//===----------------------------------------------------------------------===//

EXPORT void addBody(void *context, int64_t begin, int64_t end, int64_t worker) {
  (void)worker;
  for (int64_t i = begin; i < end; ++i)
    ((int64_t *)context)[i] += BODY;
}

EXPORT void halves(void *context, int64_t begin, int64_t end, int64_t worker) {
  float **arrays = context;
  (void)worker;
  for (int64_t i = begin; i < end; ++i)
    arrays[1][i] = arrays[0][i] * 0.5f;
}

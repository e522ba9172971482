// The functions inside every compiled shared library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SharedLibrarySupport.h"

#include <stdlib.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

#if defined(__x86_64__)

typedef enum { EAX, EBX, ECX, EDX } Register;

/// The register states that the operating system saves.
static uint64_t savedStates(void) {
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE))
    return 0;
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static int hasFeature(unsigned leaf, unsigned subleaf, Register reg,
                      unsigned position, uint64_t state) {
  unsigned registers[4];
  if (!__get_cpuid_count(leaf, subleaf, &registers[0], &registers[1],
                         &registers[2], &registers[3]))
    return 0;
  return (registers[reg] >> position & 1) && (savedStates() & state) == state;
}

static uint64_t hostFeatures(void) {
  uint64_t features = 0;
#define NDL_X86_FEATURE(bit, identifier, name, leaf, subleaf, reg, position,   \
                        state)                                                 \
  if (hasFeature(leaf, subleaf, reg, position, state))                         \
    features |= (uint64_t)1 << (bit);
#include "needle-rt/cpu_features.def"
  return features;
}

#elif defined(__aarch64__)

static uint64_t hostFeatures(void) {
  uint64_t features = 0;
#define NDL_AARCH64_FEATURE(bit, identifier, name, auxv, mask)                 \
  if (getauxval(auxv) & (mask))                                                \
    features |= (uint64_t)1 << (bit);
#include "needle-rt/cpu_features.def"
  return features;
}

#else
#error "compiled libraries do not know this architecture"
#endif

int64_t needle_library_select(const NdlLibrary *library) {
  // Every thread finds the same, so that the race to remember it is harmless.
  static int64_t remembered = -2;
  int64_t selected = __atomic_load_n(&remembered, __ATOMIC_RELAXED);
  if (selected != -2)
    return selected;
  uint64_t features = hostFeatures();
  selected = -1;
  for (int64_t i = library->numBodies - 1; i >= 0; --i)
    if ((library->bodies[i].features & ~features) == 0)
      selected = i;
  __atomic_store_n(&remembered, selected, __ATOMIC_RELAXED);
  return selected;
}

const char *needle_library_target(const NdlLibrary *library) {
  int64_t body = needle_library_select(library);
  return body < 0 ? NULL : library->bodies[body].target;
}

const char *needle_library_error(const NdlLibrary *library, int code) {
  switch (code) {
  case NDL_LIBRARY_OK:
    return "success";
  case NDL_LIBRARY_UNSUPPORTED_CPU:
    return "the library has no code for this CPU";
  case NDL_LIBRARY_OUT_OF_MEMORY:
    return "out of memory";
  case NDL_LIBRARY_NEGATIVE_DIMENSION:
    return "a dimension is negative";
  case NDL_LIBRARY_MISALIGNED_ARENA:
    return "the arena is not aligned to 64 bytes";
  default: {
    int64_t message = (int64_t)code - NDL_LIBRARY_SHAPE;
    if (message < 0 || message >= library->numMessages)
      return "unknown error code";
    return library->messages[message];
  }
  }
}

static int planFor(const NdlLibraryEntry *entry, int64_t body,
                   const int64_t *dims, int64_t *plan) {
  if (body < 0)
    return NDL_LIBRARY_UNSUPPORTED_CPU;
  for (int64_t i = 0; i < entry->numDims; ++i)
    if (dims[i] < 0)
      return NDL_LIBRARY_NEGATIVE_DIMENSION;
  int64_t violated = entry->plans[body](dims, 1, plan);
  return violated == 0 ? NDL_LIBRARY_OK
                       : (int)(NDL_LIBRARY_SHAPE + violated - 1);
}

int needle_library_plan(const NdlLibraryEntry *entry, const int64_t *dims,
                        int64_t *plan, int64_t *outputDims,
                        size_t *arenaBytes) {
  int code = planFor(entry, needle_library_select(entry->library), dims, plan);
  if (code != NDL_LIBRARY_OK)
    return code;
  if (outputDims)
    for (int64_t i = 0; i < entry->numOutputDims; ++i)
      outputDims[i] = plan[1 + i];
  if (arenaBytes)
    *arenaBytes = (size_t)plan[0];
  return NDL_LIBRARY_OK;
}

static void runInline(void *runtime, NdlTask task, void *context,
                      int64_t count) {
  (void)runtime;
  if (count > 0)
    task(context, 0, count, 0);
}

static void ignoreStep(void *runtime, int64_t step) {
  (void)runtime;
  (void)step;
}

int needle_library_run(const NdlLibraryEntry *entry, const int64_t *dims,
                       int64_t *plan, const void *const *inputs,
                       void *const *outputs, void *arena) {
  int64_t body = needle_library_select(entry->library);
  int code = planFor(entry, body, dims, plan);
  if (code != NDL_LIBRARY_OK)
    return code;
  if ((uintptr_t)arena % NDL_ABI_ALIGNMENT != 0)
    return NDL_LIBRARY_MISALIGNED_ARENA;
  void *allocated = NULL;
  if (!arena && plan[0] > 0) {
    if (posix_memalign(&allocated, NDL_ABI_ALIGNMENT, (size_t)plan[0]) != 0)
      return NDL_LIBRARY_OUT_OF_MEMORY;
    arena = allocated;
  }
  NdlFrame frame = {
      .inputs = inputs,
      .outputs = outputs,
      .dims = dims,
      .weights = entry->library->bodies[body].weights,
      .arena = arena,
      .threads = 1,
      .parallelFor = runInline,
      .markStep = ignoreStep,
      .runtime = NULL,
  };
  entry->runs[body](&frame);
  free(allocated);
  return NDL_LIBRARY_OK;
}

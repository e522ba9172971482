// What one core can do at best: the ceilings that kernels are measured against.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Register-tiled loops without packing, edges or epilogue, on operands that
// stay in the L1 cache. Prints one JSON object of GMAC/s: f32 multiply-add, and
// the exact integer step (vpmaddwd + vpaddd on i16). Needs AVX2 and FMA. usage:
// machine_limits [seconds for each]

#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INT_ROWS = 4, FLOAT_ROWS = 6, VECTORS = 2, DEPTH = 512, REPEATS = 200 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static __attribute__((noinline)) void dot_pairs(const void *lhs,
                                                const void *rhs, void *dest) {
  const int32_t *a = lhs;
  const __m256i *b = rhs;
  __m256i sums[INT_ROWS][VECTORS];
  memset(sums, 0, sizeof sums);
  for (int k = 0; k < DEPTH / 2; ++k)
#pragma GCC unroll 8
    for (int i = 0; i < INT_ROWS; ++i) {
      __m256i element = _mm256_set1_epi32(a[k * INT_ROWS + i]);
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; ++v)
        sums[i][v] = _mm256_add_epi32(
            sums[i][v], _mm256_madd_epi16(element, b[k * VECTORS + v]));
    }
  memcpy(dest, sums, sizeof sums);
}

static __attribute__((noinline)) void
fused_multiply_add(const void *lhs, const void *rhs, void *dest) {
  const float *a = lhs;
  const __m256 *b = rhs;
  __m256 sums[FLOAT_ROWS][VECTORS];
  memset(sums, 0, sizeof sums);
  for (int k = 0; k < DEPTH; ++k)
#pragma GCC unroll 8
    for (int i = 0; i < FLOAT_ROWS; ++i) {
      __m256 element = _mm256_set1_ps(a[k * FLOAT_ROWS + i]);
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; ++v)
        sums[i][v] = _mm256_fmadd_ps(element, b[k * VECTORS + v], sums[i][v]);
    }
  memcpy(dest, sums, sizeof sums);
}

typedef void (*Kernel)(const void *, const void *, void *);

/// The best rate, in GMAC/s, seen in `seconds`.
static double measure(Kernel kernel, int rows, double seconds) {
  void *a = aligned_alloc(64, 1 << 16), *b = aligned_alloc(64, 1 << 16),
       *c = aligned_alloc(64, 4096);
  if (!a || !b || !c)
    exit(1);
  memset(a, 0, 1 << 16);
  memset(b, 0, 1 << 16);
  double best = 1e9, end = now() + seconds;
  do {
    double start = now();
    for (int i = 0; i < REPEATS; ++i)
      kernel(a, b, c);
    double time = (now() - start) / REPEATS;
    if (time < best)
      best = time;
  } while (now() < end);
  free(a);
  free(b);
  free(c);
  return (double)rows * VECTORS * 8 * DEPTH / best / 1e9;
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 0.5;
  double f32 = measure(fused_multiply_add, FLOAT_ROWS, seconds);
  double i16 = measure(dot_pairs, INT_ROWS, seconds);
  printf("{\"f32\": %.2f, \"i16_pairs\": %.2f}\n", f32, i16);
  return 0;
}

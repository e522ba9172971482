// What one core can do at best: the ceilings that kernels are measured against.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Register-tiled loops without packing, edges or epilogue, on operands that
// stay in the L1 cache, in GMAC/s; and how fast memory of a given size can be
// read again and again, in GB/s. Prints one JSON object. Needs AVX2 and FMA.
// usage: machine_limits [seconds for each [what...]], where what is
//   f32        multiply-add
//   i16_pairs  the exact integer step: vpmaddwd + vpaddd on i16
//   u8_quads   vpmaddubsw + vpmaddwd + vpaddd on u8 and s8; saturates
//   u8_octets  the same with two vpmaddubsw added in 16 bits first
//   u4_blocks  with eight added in 16 bits, which values of 4 bits allow
//   f32_512    multiply-add on 512 bits
//   u8_dot_512 vpdpbusd on 512 bits
//   read:N     N bytes
// and the first two by default. What the CPU lacks instructions for is left
// out.

#define _DEFAULT_SOURCE // madvise

#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum {
  INT_ROWS = 4,
  FLOAT_ROWS = 6,
  BLOCK_ROWS = 6,
  WIDE_ROWS = 12,
  STEPS = 8,
  VECTORS = 2,
  DEPTH = 256,
  REPEATS = 200,
  MIN_TIMES = 5,
  HUGE_PAGE = 1 << 21
};

/// Seconds of one measurement, as many as a product of 512³ takes. Shorter ones
/// find the moments in which a shared core has nothing else to do, which are 7
/// % faster on some virtual machines, and which no kernel can live on.
static const double TURN = 2e-3;

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
  // Unrolled twice it is 7 % faster than once on Zen 4, and than four times.
#pragma GCC unroll 2
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

static __attribute__((noinline)) void quads(const void *lhs, const void *rhs,
                                            void *dest) {
  const int32_t *a = lhs;
  const __m256i *b = rhs;
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[INT_ROWS][VECTORS];
  memset(sums, 0, sizeof sums);
  for (int k = 0; k < DEPTH / 4; ++k)
#pragma GCC unroll 8
    for (int i = 0; i < INT_ROWS; ++i) {
      __m256i element = _mm256_set1_epi32(a[k * INT_ROWS + i]);
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; ++v) {
        __m256i products = _mm256_maddubs_epi16(element, b[k * VECTORS + v]);
        sums[i][v] =
            _mm256_add_epi32(sums[i][v], _mm256_madd_epi16(products, ones));
      }
    }
  memcpy(dest, sums, sizeof sums);
}

static __attribute__((noinline)) void octets(const void *lhs, const void *rhs,
                                             void *dest) {
  const int32_t *a = lhs;
  const __m256i *b = rhs;
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[INT_ROWS][VECTORS];
  memset(sums, 0, sizeof sums);
  for (int k = 0; k < DEPTH / 4; k += 2)
#pragma GCC unroll 8
    for (int i = 0; i < INT_ROWS; ++i) {
      __m256i even = _mm256_set1_epi32(a[k * INT_ROWS + i]);
      __m256i odd = _mm256_set1_epi32(a[(k + 1) * INT_ROWS + i]);
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; ++v) {
        __m256i products = _mm256_add_epi16(
            _mm256_maddubs_epi16(even, b[k * VECTORS + v]),
            _mm256_maddubs_epi16(odd, b[(k + 1) * VECTORS + v]));
        sums[i][v] =
            _mm256_add_epi32(sums[i][v], _mm256_madd_epi16(products, ones));
      }
    }
  memcpy(dest, sums, sizeof sums);
}

static __attribute__((noinline)) void blocks(const void *lhs, const void *rhs,
                                             void *dest) {
  const int32_t *a = lhs;
  const __m256i *b = rhs;
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[BLOCK_ROWS][VECTORS];
  memset(sums, 0, sizeof sums);
  for (int block = 0; block < DEPTH / 4; block += STEPS) {
    __m256i narrow[BLOCK_ROWS][VECTORS];
    memset(narrow, 0, sizeof narrow);
#pragma GCC unroll 8
    for (int k = block; k < block + STEPS; ++k)
#pragma GCC unroll 8
      for (int i = 0; i < BLOCK_ROWS; ++i) {
        __m256i element = _mm256_set1_epi32(a[k * BLOCK_ROWS + i]);
#pragma GCC unroll 2
        for (int v = 0; v < VECTORS; ++v)
          narrow[i][v] = _mm256_add_epi16(
              narrow[i][v], _mm256_maddubs_epi16(b[k * VECTORS + v], element));
      }
#pragma GCC unroll 8
    for (int i = 0; i < BLOCK_ROWS; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; ++v)
        sums[i][v] =
            _mm256_add_epi32(sums[i][v], _mm256_madd_epi16(narrow[i][v], ones));
  }
  memcpy(dest, sums, sizeof sums);
}

static __attribute__((noinline, target("avx512f"))) void
fused_multiply_add_512(const void *lhs, const void *rhs, void *dest) {
  const float *a = lhs;
  const __m512 *b = rhs;
  __m512 sums[WIDE_ROWS][VECTORS];
  memset(sums, 0, sizeof sums);
  for (int k = 0; k < DEPTH; ++k)
#pragma GCC unroll 16
    for (int i = 0; i < WIDE_ROWS; ++i) {
      __m512 element = _mm512_set1_ps(a[k * WIDE_ROWS + i]);
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; ++v)
        sums[i][v] = _mm512_fmadd_ps(element, b[k * VECTORS + v], sums[i][v]);
    }
  memcpy(dest, sums, sizeof sums);
}

static __attribute__((noinline, target("avx512f,avx512vnni"))) void
dot_quads_512(const void *lhs, const void *rhs, void *dest) {
  const int32_t *a = lhs;
  const __m512i *b = rhs;
  __m512i sums[WIDE_ROWS][VECTORS];
  memset(sums, 0, sizeof sums);
  for (int k = 0; k < DEPTH / 4; ++k)
#pragma GCC unroll 16
    for (int i = 0; i < WIDE_ROWS; ++i) {
      __m512i element = _mm512_set1_epi32(a[k * WIDE_ROWS + i]);
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; ++v)
        sums[i][v] =
            _mm512_dpbusd_epi32(sums[i][v], element, b[k * VECTORS + v]);
    }
  memcpy(dest, sums, sizeof sums);
}

typedef void (*Kernel)(const void *, const void *, void *);

enum Need { NEED_AVX2, NEED_AVX512F, NEED_AVX512_VNNI };

struct Arithmetic {
  const char *name;
  Kernel kernel;
  int rows;
  /// Columns of a vector.
  int lanes;
  enum Need need;
};

static const struct Arithmetic kinds[] = {
    {"f32", fused_multiply_add, FLOAT_ROWS, 8, NEED_AVX2},
    {"i16_pairs", dot_pairs, INT_ROWS, 8, NEED_AVX2},
    {"u8_quads", quads, INT_ROWS, 8, NEED_AVX2},
    {"u8_octets", octets, INT_ROWS, 8, NEED_AVX2},
    {"u4_blocks", blocks, BLOCK_ROWS, 8, NEED_AVX2},
    {"f32_512", fused_multiply_add_512, WIDE_ROWS, 16, NEED_AVX512F},
    {"u8_dot_512", dot_quads_512, WIDE_ROWS, 16, NEED_AVX512_VNNI},
};

static int is_there(enum Need need) {
  switch (need) {
  case NEED_AVX512F:
    return __builtin_cpu_supports("avx512f");
  case NEED_AVX512_VNNI:
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512vnni");
  case NEED_AVX2:
    break;
  }
  return 1;
}

/// The best rate, in GMAC/s, seen in `seconds`.
static double measure(const struct Arithmetic *kind, double seconds) {
  void *a = aligned_alloc(64, 1 << 16), *b = aligned_alloc(64, 1 << 16),
       *c = aligned_alloc(64, 4096);
  if (!a || !b || !c)
    exit(1);
  memset(a, 0, 1 << 16);
  memset(b, 0, 1 << 16);
  double best = 1e9, end = now() + seconds;
  do {
    double start = now(), time;
    int count = 0;
    do {
      for (int i = 0; i < REPEATS; ++i)
        kind->kernel(a, b, c);
      count += REPEATS;
      time = now() - start;
    } while (time < TURN);
    if (time / count < best)
      best = time / count;
  } while (now() < end);
  free(a);
  free(b);
  free(c);
  return (double)kind->rows * VECTORS * kind->lanes * DEPTH / best / 1e9;
}

static size_t roundUp(size_t bytes, size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

/// Reads `count` vectors; four chains hide the latency of the xor.
static __attribute__((noinline)) __m256i read_all(const __m256i *data,
                                                  size_t count) {
  __m256i sums[4];
  memset(sums, 0, sizeof sums);
  for (size_t i = 0; i < count; i += 8)
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j)
      sums[j % 4] = _mm256_xor_si256(sums[j % 4], data[i + j]);
  return _mm256_xor_si256(_mm256_xor_si256(sums[0], sums[1]),
                          _mm256_xor_si256(sums[2], sums[3]));
}

/// The best rate, in GB/s, at which `bytes` are read, seen in `seconds`.
static double measure_read(size_t bytes, double seconds) {
  bytes = roundUp(bytes, 8 * sizeof(__m256i));
  __m256i *data = aligned_alloc(HUGE_PAGE, roundUp(bytes, HUGE_PAGE));
  if (!data)
    exit(1);
  // Best is without misses of the TLB; where that is refused, so be it.
  (void)madvise(data, roundUp(bytes, HUGE_PAGE), MADV_HUGEPAGE);
  memset(data, 1, bytes);
  // A single pass over little memory is too short for the clock.
  int passes = bytes < (1 << 20) ? (int)((1 << 20) / bytes) : 1;
  volatile int64_t sink = 0;
  double best = 1e9, end = now() + seconds;
  // The first times bring it into the caches that it fits in.
  int times = 0;
  do {
    double start = now();
    for (int i = 0; i < passes; ++i) {
      __m256i sum = read_all(data, bytes / sizeof(__m256i));
      sink ^= _mm256_extract_epi64(sum, 0);
      // Memory may have changed, for all the compiler knows: it is read again.
      __asm__ volatile("" : : "r"(data) : "memory");
    }
    double time = (now() - start) / passes;
    if (time < best)
      best = time;
  } while (++times < MIN_TIMES || now() < end);
  free(data);
  return (double)bytes / best / 1e9;
}

/// The rate of what is named; below 0 where the CPU lacks instructions for it.
static double measure_named(const char *what, double seconds) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i)
    if (!strcmp(what, kinds[i].name))
      return is_there(kinds[i].need) ? measure(&kinds[i], seconds) : -1;
  char *end = NULL;
  if (!strncmp(what, "read:", 5)) {
    unsigned long long bytes = strtoull(what + 5, &end, 10);
    if (end != what + 5 && !*end && bytes > 0 && bytes <= 1ULL << 34)
      return measure_read(bytes, seconds);
  }
  fprintf(stderr, "machine_limits: cannot measure '%s'\n", what);
  exit(2);
}

int main(int argc, char **argv) {
  static const char *const usual[] = {"f32", "i16_pairs"};
  double seconds = argc > 1 ? atof(argv[1]) : 0.5;
  const char *const *what = argc > 2 ? (const char *const *)argv + 2 : usual;
  int count = argc > 2 ? argc - 2 : 2;
  const char *before = "{";
  for (int i = 0; i < count; ++i) {
    double rate = measure_named(what[i], seconds);
    if (rate < 0)
      continue;
    printf("%s\"%s\": %.2f", before, what[i], rate);
    before = ", ";
  }
  printf("%s}\n", *before == '{' ? "{" : "");
  return 0;
}

// CUDA C whose PTX the simulated device runs: see ForeignPtxTest.cpp.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <mma.h>

using namespace nvcuda;

/// Sum of n numbers in each block: by shuffles, then over warps.
extern "C" __global__ void reduceSum(const float *in, float *out, int n) {
  __shared__ float parts[32];
  float sum = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n;
       i += gridDim.x * blockDim.x)
    sum += in[i];
  for (int step = 16; step > 0; step /= 2)
    sum += __shfl_down_sync(0xffffffff, sum, step);
  if (threadIdx.x % 32 == 0)
    parts[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x < 32) {
    sum = threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0;
    for (int step = 16; step > 0; step /= 2)
      sum += __shfl_down_sync(0xffffffff, sum, step);
    if (threadIdx.x == 0)
      atomicAdd(out, sum);
  }
}

/// Inclusive sums within each block, in dynamic shared memory.
extern "C" __global__ void blockScan(const int *in, int *out) {
  extern __shared__ int buffer[];
  int self = threadIdx.x, base = blockIdx.x * blockDim.x;
  buffer[self] = in[base + self];
  __syncthreads();
  for (int step = 1; step < blockDim.x; step *= 2) {
    int left = self >= step ? buffer[self - step] : 0;
    __syncthreads();
    buffer[self] += left;
    __syncthreads();
  }
  out[base + self] = buffer[self];
}

/// c = a * b of 16 x 16 bytes, b by columns.
extern "C" __global__ void wmmaBytes(const unsigned char *a,
                                     const unsigned char *b, int *c) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, unsigned char, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, unsigned char, wmma::col_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, int> fc;
  wmma::fill_fragment(fc, 0);
  wmma::load_matrix_sync(fa, a, 16);
  wmma::load_matrix_sync(fb, b, 16);
  wmma::mma_sync(fc, fa, fb, fc);
  wmma::store_matrix_sync(c, fc, 16, wmma::mem_row_major);
}

extern "C" __global__ void wmmaSigned(const signed char *a,
                                      const signed char *b, int *c) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, signed char, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, signed char, wmma::row_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, int> fc;
  wmma::fill_fragment(fc, 1);
  wmma::load_matrix_sync(fa, a, 16);
  wmma::load_matrix_sync(fb, b, 16);
  wmma::mma_sync(fc, fa, fb, fc);
  wmma::store_matrix_sync(c, fc, 16, wmma::mem_row_major);
}

extern "C" __global__ void wmmaHalf(const float *a, const float *b, float *c) {
  __shared__ half sa[256], sb[256];
  for (int i = threadIdx.x; i < 256; i += 32) {
    sa[i] = __float2half(a[i]);
    sb[i] = __float2half(b[i]);
  }
  __syncthreads();
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> fc;
  wmma::fill_fragment(fc, 0.0f);
  wmma::load_matrix_sync(fa, sa, 16);
  wmma::load_matrix_sync(fb, sb, 16);
  wmma::mma_sync(fc, fa, fb, fc);
  wmma::store_matrix_sync(c, fc, 16, wmma::mem_row_major);
}

extern "C" __global__ void dotBytes(const int *a, const int *b, int *c, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    c[i] = __dp4a(a[i], b[i], c[i]);
}

/// Square matrices in tiles of 16.
extern "C" __global__ void tiledMatmul(const float *a, const float *b, float *c,
                                       int n) {
  __shared__ float ta[16][16], tb[16][17];
  int row = blockIdx.y * 16 + threadIdx.y, col = blockIdx.x * 16 + threadIdx.x;
  float sum = 0;
  for (int t = 0; t < (n + 15) / 16; ++t) {
    int k = t * 16;
    ta[threadIdx.y][threadIdx.x] =
        row < n && k + threadIdx.x < n ? a[row * n + k + threadIdx.x] : 0;
    tb[threadIdx.y][threadIdx.x] =
        col < n && k + threadIdx.y < n ? b[(k + threadIdx.y) * n + col] : 0;
    __syncthreads();
    for (int i = 0; i < 16; ++i)
      sum = __fmaf_rn(ta[threadIdx.y][i], tb[i][threadIdx.x], sum);
    __syncthreads();
  }
  if (row < n && col < n)
    c[row * n + col] = sum;
}

/// Steps of the Collatz sequence: each lane loops another number of times.
extern "C" __global__ void collatz(const unsigned *in, unsigned *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  unsigned long long x = in[i];
  unsigned steps = 0;
  while (x != 1) {
    if (x & 1)
      x = 3 * x + 1;
    else
      x /= 2;
    ++steps;
  }
  out[i] = steps;
}

__device__ __noinline__ int greatestDivisor(int a, int b) {
  while (b) {
    int rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}
struct Pair {
  int first, second[3];
};
__device__ __noinline__ Pair twice(Pair p) {
  p.first = greatestDivisor(p.first, p.second[2]);
  p.second[1] *= 2;
  return p;
}
extern "C" __global__ void callFunctions(const int *a, const int *b, int *out) {
  int i = threadIdx.x;
  Pair p = {a[i], {1, i, b[i]}};
  if (i % 3 != 0)
    p = twice(p);
  out[i] = p.first * 1000 + p.second[1] + greatestDivisor(a[i], 6);
}

extern "C" __global__ void histogram(const unsigned char *in, unsigned *out,
                                     int n) {
  __shared__ unsigned bins[256];
  for (int i = threadIdx.x; i < 256; i += blockDim.x)
    bins[i] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n;
       i += gridDim.x * blockDim.x)
    atomicAdd(&bins[in[i]], 1u);
  __syncthreads();
  for (int i = threadIdx.x; i < 256; i += blockDim.x)
    atomicAdd(&out[i], bins[i]);
}

/// Local memory, a switch, and functions of the math library.
extern "C" __global__ void mixture(const float *in, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  float values[8];
  for (int j = 0; j < 8; ++j)
    values[j] = in[(i + j) % n];
  float x = values[i * 5 % 8];
  switch (i % 7) {
  case 0:
    x = expf(x);
    break;
  case 1:
    x = logf(x * x + 1);
    break;
  case 2:
    x = sqrtf(x * x + 2);
    break;
  case 3:
    x = x / 3.0f;
    break;
  case 4:
    x = tanhf(x);
    break;
  case 5:
    x = fminf(x, 0.5f);
    break;
  default:
    x = floorf(x);
  }
  out[i] = x;
}

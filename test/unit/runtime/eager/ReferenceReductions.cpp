// Reductions and contractions in plain C++.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ReferenceKernels.h"

#include "needle-rt/abi.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>

namespace ndl::test {
namespace {

using eager::ContractionKernel;
using eager::KernelLibrary;
using eager::ReduceKernel;

template <auto combine, auto identity>
void reduce(void *context, int64_t begin, int64_t end, int64_t) {
  const auto *w = static_cast<const int64_t *>(context);
  for (int64_t k0 = begin; k0 < end; ++k0)
    for (int64_t k1 = 0; k1 < w[1]; ++k1) {
      double result = identity();
      for (int64_t r0 = 0; r0 < w[2]; ++r0)
        for (int64_t r1 = 0; r1 < w[3]; ++r1)
          result = combine(
              result,
              reinterpret_cast<const float *>(
                  w[7])[k0 * w[8] + k1 * w[9] + r0 * w[10] + r1 * w[11]]);
      reinterpret_cast<float *>(w[4])[k0 * w[5] + k1 * w[6]] =
          static_cast<float>(result);
    }
}

double add(double a, float x) { return a + x; }
double largest(double a, float x) { return std::isnan(x) || x > a ? x : a; }
double smallest(double a, float x) { return std::isnan(x) || x < a ? x : a; }
double rangeMax(double a, float x) {
  return std::isnan(x) ? a : std::fmax(a, std::fmin(x, FLT_MAX));
}
double rangeMin(double a, float x) {
  return std::isnan(x) ? a : std::fmin(a, std::fmax(x, -FLT_MAX));
}
double zero() { return 0; }
double highest() { return std::numeric_limits<double>::infinity(); }
double lowest() { return -std::numeric_limits<double>::infinity(); }
double highestFinite() { return FLT_MAX; }
double lowestFinite() { return -FLT_MAX; }

//===----------------------------------------------------------------------===//
// Contractions: panels of 4 columns, blocks of 3 rows, a row of workspace
//===----------------------------------------------------------------------===//

constexpr int64_t panel = 4, block = 3;

void plan(void *context, int64_t, int64_t, int64_t) {
  auto *w = static_cast<int64_t *>(context);
  EXPECT_GE(w[3], 1);
  w[4] = panel;
  w[5] = (w[2] + panel - 1) / panel * panel * w[1] * 4;
  w[6] = block;
  w[7] = w[1] * 4;
  w[8] = 1;
  w[9] = (w[0] + block - 1) / block;
}

void expectAligned(int64_t pointer) {
  EXPECT_EQ(pointer % NDL_ABI_ALIGNMENT, 0);
}

/// Elements of the right-hand side as i32 or f32, panel by panel.
template <typename T, typename Packed>
void pack(void *context, int64_t begin, int64_t end, int64_t) {
  const auto *w = static_cast<const int64_t *>(context);
  expectAligned(w[3]);
  auto *packed = reinterpret_cast<Packed *>(w[3]);
  Packed zeroPoint = static_cast<Packed>(*reinterpret_cast<int32_t *>(w[6]));
  for (int64_t p = begin; p < end; ++p)
    for (int64_t k = 0; k < w[4]; ++k)
      for (int64_t c = 0; c < panel; ++c) {
        int64_t column = p * panel + c;
        packed[(p * w[4] + k) * panel + c] =
            column < w[5] ? static_cast<Packed>(reinterpret_cast<const T *>(
                                w[0])[k * w[1] + column * w[2]]) -
                                zeroPoint
                          : Packed(77);
      }
}

template <typename T, typename Packed, typename Sum, bool hasBias>
void contract(void *context, int64_t begin, int64_t end, int64_t worker) {
  const auto *w = static_cast<const int64_t *>(context);
  expectAligned(w[3]);
  expectAligned(w[14]);
  const auto *packed = reinterpret_cast<const Packed *>(w[3]);
  auto *row = reinterpret_cast<Packed *>(w[14] + worker * w[15]);
  int64_t rows = w[8], depth = w[9], columns = w[10];
  for (int64_t i = begin * block; i < end * block && i < rows; ++i) {
    for (int64_t k = 0; k < depth; ++k)
      row[k] = static_cast<Packed>(
                   reinterpret_cast<const T *>(w[0])[i * w[1] + k * w[2]]) -
               static_cast<Packed>(w[11]);
    for (int64_t j = 0; j < columns; ++j) {
      Sum sum = 0;
      for (int64_t k = 0; k < depth; ++k)
        sum +=
            Sum(row[k]) * packed[(j / panel * depth + k) * panel + j % panel];
      auto result = static_cast<float>(sum);
      if (w[4])
        result *= reinterpret_cast<const float *>(w[4])[j];
      if (hasBias)
        result += reinterpret_cast<const float *>(w[5])[j];
      reinterpret_cast<float *>(w[6])[i * w[7] + j] = result;
    }
  }
}

} // namespace

void addReferenceReductions(KernelLibrary &library) {
  auto set = [&](ReduceKernel kernel, NdlTask task) {
    library.reductions[size_t(kernel)].task = task;
  };
  set(ReduceKernel::ReduceSum, reduce<add, zero>);
  set(ReduceKernel::ReduceMax, reduce<largest, lowest>);
  set(ReduceKernel::ReduceMin, reduce<smallest, highest>);
  set(ReduceKernel::RangeMax, reduce<rangeMax, lowestFinite>);
  set(ReduceKernel::RangeMin, reduce<rangeMin, highestFinite>);
}

void addReferenceContractions(KernelLibrary &library) {
  auto set = [&](ContractionKernel kernel, NdlTask packTask, NdlTask run) {
    eager::ContractionSlot &slot = library.contractions[size_t(kernel)];
    slot.plan.task = plan;
    slot.pack.task = packTask;
    slot.run.task = run;
  };
  set(ContractionKernel::MatmulF32, pack<float, float>,
      contract<float, float, double, false>);
  set(ContractionKernel::MatmulU8U8F32, pack<uint8_t, int32_t>,
      contract<uint8_t, int32_t, int64_t, false>);
  set(ContractionKernel::MatmulU8U8F32Bias, pack<uint8_t, int32_t>,
      contract<uint8_t, int32_t, int64_t, true>);
}

} // namespace ndl::test

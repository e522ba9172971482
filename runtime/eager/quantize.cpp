// Ranges, quantization and dequantization of arrays.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/quantize.h"

#include "eager/device.h"
#include "eager/elementwise.h"
#include "eager/reduce.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ndl::eager {
namespace {

/// The single element of the reduction of a whole array.
Status reduceAll(const KernelLibrary &library, ReduceKernel kernel,
                 const View &x, float &value) {
  View result;
  Status status = reduce(library, kernel, x, allAxes, false, result);
  if (!status.ok())
    return status;
  if (library.device())
    return library.device()->read(result.data(), &value, sizeof value);
  std::memcpy(&value, result.data(), sizeof value);
  return {};
}

Status convert(const KernelLibrary &library, MapKernel kernel, const View &x,
               QuantParams params, View &result) {
  Status status = checkParams(params);
  Scalar scalars[] = {Scalar::f32(params.scale), Scalar::i32(params.zeroPoint)};
  return status.ok() ? unary(library, kernel, x, result, scalars) : status;
}

} // namespace

Status checkParams(QuantParams params) {
  if (!(params.scale > 0) || !std::isfinite(params.scale))
    return {NDL_INVALID_ARGUMENT, "a scale must be positive and finite, not " +
                                      std::to_string(params.scale)};
  if (params.zeroPoint < 0 || params.zeroPoint > 255)
    return {NDL_INVALID_ARGUMENT,
            "a zero point of uint8 must be in 0 to 255, not " +
                std::to_string(params.zeroPoint)};
  return {};
}

Status range(const KernelLibrary &library, const View &x, float &min,
             float &max) {
  float lowest = 0, highest = 0;
  if (x.size() > 0) {
    Status status = reduceAll(library, ReduceKernel::RangeMin, x, lowest);
    if (status.ok())
      status = reduceAll(library, ReduceKernel::RangeMax, x, highest);
    if (!status.ok())
      return status;
  }
  min = std::min(lowest, 0.0f);
  max = std::max(highest, 0.0f);
  return {};
}

Status quantize(const KernelLibrary &library, const View &x, QuantParams params,
                View &result) {
  return convert(library, MapKernel::QuantizeU8, x, params, result);
}

Status dequantize(const KernelLibrary &library, const View &x,
                  QuantParams params, View &result) {
  return convert(library, MapKernel::DequantizeU8, x, params, result);
}

} // namespace ndl::eager

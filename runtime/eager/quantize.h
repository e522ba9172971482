// Ranges, quantization and dequantization of arrays.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_QUANTIZE_H
#define NEEDLE_RUNTIME_EAGER_QUANTIZE_H

#include "eager/kernel_library.h"
#include "eager/view.h"

namespace ndl::eager {

/// real = (stored - zeroPoint) * scale
struct QuantParams {
  float scale = 1;
  int32_t zeroPoint = 0;
};

/// Whether the scale is positive and finite and the zero point in 0…255.
/// Errors: NDL_INVALID_ARGUMENT.
Status checkParams(QuantParams params);

/// The range of the elements as N2 sees them: NaN is ignored, ±inf count as
/// ±FLT_MAX, and the range is widened to contain 0 (so that it is [0, 0] of
/// nothing). The compiler's numeric rules make parameters of it.
Status range(const KernelLibrary &library, const View &x, float &min,
             float &max);

/// A new contiguous uint8 array by N1. Errors: NDL_INVALID_ARGUMENT (`x` is not
/// f32, the scale is not positive and finite, the zero point not in 0…255).
Status quantize(const KernelLibrary &library, const View &x, QuantParams params,
                View &result);

/// A new contiguous f32 array by N3. Errors: likewise for a uint8 `x`.
Status dequantize(const KernelLibrary &library, const View &x,
                  QuantParams params, View &result);

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_QUANTIZE_H

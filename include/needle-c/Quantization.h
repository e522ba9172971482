// Quantizing a module: calibration and the passes around it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_C_QUANTIZATION_H
#define NEEDLE_C_QUANTIZATION_H

#include "needle-c/Module.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct NeedleQuantizeOptions {
  size_t structSize;
  const char *mode;        ///< "static" or "dynamic"
  const char *activations; ///< "uint8" or "none" (weights only)
  const char *weights;     ///< "int8" or "none"
  const char *granularity; ///< of weights: "per-axis" or "per-tensor"
  /// Names of the operations to quantize; none stands for all.
  const char *const *include;
  size_t numInclude;
  /// Names of operations to leave in float.
  const char *const *exclude;
  size_t numExclude;
} NeedleQuantizeOptions;

#define NEEDLE_QUANTIZE_OPTIONS_INIT                                           \
  {sizeof(NeedleQuantizeOptions),                                              \
   "static",                                                                   \
   "uint8",                                                                    \
   "int8",                                                                     \
   "per-axis",                                                                 \
   NULL,                                                                       \
   0,                                                                          \
   NULL,                                                                       \
   0}

/// The quantization of one module. Belongs to one thread at a time.
///
/// Static: compile and run needle_calibration_module() on representative
/// inputs, hand all of its outputs to needle_calibration_observe(), then
/// finish. Dynamic: finish at once.
typedef struct NeedleCalibration NeedleCalibration;

/// Starts to quantize a copy of `module`. `options` may be null.
NEEDLE_CAPI NeedleStatus needle_calibration_create(
    NeedleModule *module, const NeedleQuantizeOptions *options,
    NeedleCalibration **calibration);
NEEDLE_CAPI void needle_calibration_destroy(NeedleCalibration *calibration);

/// The module with every value whose range has to be learned as a further
/// output after its own; null when nothing has to be learned. Belongs to the
/// calibration.
NEEDLE_CAPI NeedleModule *
needle_calibration_module(NeedleCalibration *calibration);

/// Sees all outputs of one run of that module, contiguous.
NEEDLE_CAPI NeedleStatus
needle_calibration_observe(NeedleCalibration *calibration,
                           const NdlTensor *outputs, size_t numOutputs);

/// Quantizes by what has been learned, and fuses to integer operations. It is
/// an error if a value to be learned was never seen.
NEEDLE_CAPI NeedleStatus needle_calibration_finish(
    NeedleCalibration *calibration, NeedleModule **quantized);

/// Parameters of numbers in a range, by rule N2 of docs/Spec.md. The range is
/// widened to contain 0; a NaN bound counts for nothing, an infinite one as
/// ±FLT_MAX. `format` is "uint8" (asymmetric) or "int8" (symmetric).
NEEDLE_CAPI NeedleStatus needle_choose_quantization_params(double min,
                                                           double max,
                                                           const char *format,
                                                           float *scale,
                                                           int64_t *zeroPoint);

/// Quantizes a row-major f32 weight of `depth` x `columns` to 4 bits in blocks
/// of `blockSize` neighbours along its first dimension (a power of two from 16
/// to 65536; the last block may be partial), by rules N1 and N2 of
/// docs/Spec.md.
///
/// `stored` receives depth x columns integers, a byte each: -7 ... 7 if
/// `zeroPoints` is null, else 0 ... 15. `scales` and `zeroPoints` receive
/// ceil(depth / blockSize) x columns elements.
NEEDLE_CAPI NeedleStatus needle_quantize_blockwise(
    const float *weight, int64_t depth, int64_t columns, int64_t blockSize,
    int8_t *stored, float *scales, uint8_t *zeroPoints);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEEDLE_C_QUANTIZATION_H

// The reference interpreter: what every compilation must agree with.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_C_REFERENCE_H
#define NEEDLE_C_REFERENCE_H

#include "needle-c/Module.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The outputs of an evaluation.
typedef struct NeedleTensors NeedleTensors;

/// Evaluates an entry point by the numeric rules of docs/Spec.md, op by op.
/// Inputs are contiguous (strides null). Inputs that do not fit the signature
/// are NEEDLE_INVALID_ARGUMENT; shapes that contradict each other are
/// NEEDLE_COMPILE_ERROR and the message names the operation.
NEEDLE_CAPI NeedleStatus needle_reference_run(NeedleModule *module,
                                              size_t entry,
                                              const NdlTensor *inputs,
                                              size_t numInputs,
                                              NeedleTensors **outputs);

NEEDLE_CAPI size_t needle_tensors_count(const NeedleTensors *tensors);
/// Contiguous, row-major. Null if there is no tensor `index`.
NEEDLE_CAPI const NdlTensor *needle_tensors_get(const NeedleTensors *tensors,
                                                size_t index);
NEEDLE_CAPI void needle_tensors_destroy(NeedleTensors *tensors);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEEDLE_C_REFERENCE_H

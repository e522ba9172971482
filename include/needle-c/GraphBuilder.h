// Builds a module operation by operation.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every step is checked when it is made: a failing call reports the given
// source location and adds nothing.

#ifndef NEEDLE_C_GRAPHBUILDER_H
#define NEEDLE_C_GRAPHBUILDER_H

#include "needle-c/Module.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct NeedleGraphBuilder NeedleGraphBuilder;

/// A value of one graph: an input, or the result of an operation. Made by the
/// functions below only; an id that the graph has not is an error.
typedef int64_t NeedleValue;

/// Where the user wrote something. Strings may be null, numbers 0: unknown.
typedef struct NeedleLocation {
  const char *file;
  const char *name; ///< of the operation, e.g. "fc1" or an ONNX node
  uint32_t line;
  uint32_t column;
} NeedleLocation;

/// The type of a tensor.
typedef struct NeedleTensorType {
  /// In MLIR syntax: "f32", "i32", "ui8", "si8", "!quant.uniform<u8:f32,
  /// 0.5:3>".
  const char *elementType;
  int32_t rank;
  const int64_t *dims; ///< NDL_DYNAMIC where known only at run time
} NeedleTensorType;

/// Starts a graph with the entry point "main"; `name` may be null.
NEEDLE_CAPI NeedleStatus
needle_graph_builder_create(const char *name, NeedleGraphBuilder **builder);
NEEDLE_CAPI void needle_graph_builder_destroy(NeedleGraphBuilder *builder);

/// Appends an input. Names are unique and not empty.
NEEDLE_CAPI NeedleStatus needle_graph_input(NeedleGraphBuilder *builder,
                                            const char *name,
                                            const NeedleTensorType *type,
                                            const NeedleLocation *location,
                                            NeedleValue *value);

/// Adds a constant of static shape from `size` bytes of contiguous, row-major
/// elements in the storage type of quantized ones. The location's name, if any,
/// names its resource.
NEEDLE_CAPI NeedleStatus needle_graph_constant(NeedleGraphBuilder *builder,
                                               const NeedleTensorType *type,
                                               const void *data, size_t size,
                                               const NeedleLocation *location,
                                               NeedleValue *value);

/// Adds the operation `needle.<mnemonic>`.
///
/// `attributes` is null or a dictionary in MLIR syntax, e.g. "{transpose_rhs}".
/// Result types are inferred when `numResultTypes` is 0, which all but
/// `reshape`, `broadcast_to`, `quantize`, `dequantize`, `requantize` and
/// `qmatmul` can do.
/// `results` has room for `numResults` values; an operation with another number
/// of results is an error.
NEEDLE_CAPI NeedleStatus needle_graph_op(
    NeedleGraphBuilder *builder, const char *mnemonic,
    const NeedleValue *operands, size_t numOperands, const char *attributes,
    const NeedleTensorType *resultTypes, size_t numResultTypes,
    const NeedleLocation *location, NeedleValue *results, size_t numResults);

/// Adds `needle.reshape`: same elements in row-major order. One of `dims` may
/// be NDL_DYNAMIC: it follows from the number of elements, at once if the
/// operand's shape is static, else when the program runs.
NEEDLE_CAPI NeedleStatus needle_graph_reshape(NeedleGraphBuilder *builder,
                                              NeedleValue operand,
                                              const int64_t *dims, int32_t rank,
                                              const NeedleLocation *location,
                                              NeedleValue *value);

/// Appends an output. Names are unique and not empty; a value may be output
/// more than once.
NEEDLE_CAPI NeedleStatus needle_graph_output(NeedleGraphBuilder *builder,
                                             const char *name,
                                             NeedleValue value,
                                             const NeedleLocation *location);

/// Type and shape of a value; `name` is "". Valid until the next call on this
/// builder.
NEEDLE_CAPI NeedleStatus needle_graph_value_info(NeedleGraphBuilder *builder,
                                                 NeedleValue value,
                                                 const NdlTensorInfo **info);

/// Ends the graph and hands it over; the builder can then only be destroyed. A
/// graph without outputs is an error.
NEEDLE_CAPI NeedleStatus needle_graph_build(NeedleGraphBuilder *builder,
                                            const NeedleLocation *location,
                                            NeedleModule **module);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEEDLE_C_GRAPHBUILDER_H

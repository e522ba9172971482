// Operations of the needle dialect, a file for each family.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_NEEDLEOPS_TD
#define NEEDLE_DIALECT_NEEDLE_IR_NEEDLEOPS_TD

include "needle/Dialect/Needle/IR/BlockwiseOps.td"
include "needle/Dialect/Needle/IR/ConstantOps.td"
include "needle/Dialect/Needle/IR/ContractionOps.td"
include "needle/Dialect/Needle/IR/ConvolutionOps.td"
include "needle/Dialect/Needle/IR/ElementwiseOps.td"
include "needle/Dialect/Needle/IR/QuantizationOps.td"
include "needle/Dialect/Needle/IR/ReductionOps.td"
include "needle/Dialect/Needle/IR/ShapeOps.td"

#endif // NEEDLE_DIALECT_NEEDLE_IR_NEEDLEOPS_TD

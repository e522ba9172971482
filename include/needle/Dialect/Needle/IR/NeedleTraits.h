//===- NeedleTraits.h - Operation traits of needle --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares which quantized types needle computes with, the traits that verify
// the types of operations, and those by which passes know them.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLE_IR_NEEDLETRAITS_H
#define NEEDLE_DIALECT_NEEDLE_IR_NEEDLETRAITS_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace needle {

/// Succeeds if needle computes with the quantized type `type` as the element
/// type of a tensor of shape `shape`: 8-bit storage, f32 expressed type, scales
/// that are positive f32 values, zero points within the storage range and, per
/// axis, one scale for each index of a static dimension. Otherwise emits one
/// error, started by `emitError`, that says which of these does not hold.
mlir::LogicalResult
verifyQuantizedType(mlir::quant::QuantizedType type,
                    llvm::ArrayRef<int64_t> shape,
                    llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

namespace detail {
mlir::LogicalResult verifyTensorTypes(mlir::Operation *op);
mlir::LogicalResult verifyInferredResultTypes(mlir::Operation *op);
} // namespace detail

/// Verifies the sizes and quantized element types of all operands and results.
template <typename ConcreteType>
class ValidTensorTypes
    : public mlir::OpTrait::TraitBase<ConcreteType, ValidTensorTypes> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) {
    return detail::verifyTensorTypes(op);
  }
};

/// Verifies the result types against those that InferTypeOpInterface infers.
template <typename ConcreteType>
class InferredResultTypes
    : public mlir::OpTrait::TraitBase<ConcreteType, InferredResultTypes> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) {
    return detail::verifyInferredResultTypes(op);
  }
};

/// Marks a float operation on weights that has no integer form, where a user
/// may expect one: needle-quantize says why it stays float.
template <typename ConcreteType>
class NoIntegerForm
    : public mlir::OpTrait::TraitBase<ConcreteType, NoIntegerForm> {};

} // namespace needle

#endif // NEEDLE_DIALECT_NEEDLE_IR_NEEDLETRAITS_H

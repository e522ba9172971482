//===- Interpreter.h - The oracle -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluates functions of the needle dialect by docs/Spec.md, in plain loops.
// What the compiler makes of a function is right when it agrees with this.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_REFERENCE_INTERPRETER_H
#define NEEDLE_REFERENCE_INTERPRETER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "needle/Reference/Tensor.h"

namespace needle {

/// Evaluates `func`, which must have passed the verifier, and returns its
/// results. Integer operations are exact, elementwise operations IEEE f32,
/// float contractions are summed in f64 and rounded once (N8).
///
/// Fails after an error at the location
/// - of the function: an input does not fit its argument (number, element kind,
///   a static extent), the function has no body or more than one block;
/// - of an operation: it is none that the interpreter evaluates, or extents
/// that
///   must agree differ, or a zero point given at run time is not within the
///   range of the stored integers, or a result does not fit in memory.
mlir::FailureOr<llvm::SmallVector<Tensor>>
interpret(mlir::func::FuncOp func, llvm::ArrayRef<Tensor> inputs);

/// Whether interpret() evaluates operations of this name.
bool canInterpret(llvm::StringRef opName);

} // namespace needle

#endif // NEEDLE_REFERENCE_INTERPRETER_H

//===- Evaluator.h - How the interpreter evaluates operations ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each family of operations has a file with one function for each operation and
// one that registers them. To add a family, declare its register function below
// and call it from EvaluatorRegistry's constructor.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_REFERENCE_EVALUATOR_H
#define NEEDLE_LIB_REFERENCE_EVALUATOR_H

#include "mlir/IR/Operation.h"
#include "needle/Reference/Tensor.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <functional>

namespace needle {

using Results = llvm::SmallVector<Tensor, 1>;

/// The values computed so far.
class Environment {
public:
  const Tensor &operator[](mlir::Value value) const {
    return *values.find(value)->second;
  }
  void set(mlir::Value value, Tensor tensor) {
    values[value] = std::make_unique<Tensor>(std::move(tensor));
  }

private:
  llvm::DenseMap<mlir::Value, std::unique_ptr<Tensor>> values;
};

/// Knows how to evaluate each operation.
class EvaluatorRegistry {
public:
  using Evaluator = std::function<mlir::FailureOr<Results>(
      mlir::Operation *, const Environment &)>;

  /// Registers all families.
  EvaluatorRegistry();

  /// Registers `evaluate` for operations of type OpT. It returns one tensor for
  /// each result, or fails after an error at the operation. That the tensors
  /// fit the result types is checked by the interpreter.
  template <typename OpT>
  void add(mlir::FailureOr<Results> (*evaluate)(OpT, const Environment &)) {
    evaluators[OpT::getOperationName()] = [evaluate](mlir::Operation *op,
                                                     const Environment &env) {
      return evaluate(llvm::cast<OpT>(op), env);
    };
  }
  /// The same for an operation with one result.
  template <typename OpT>
  void add(mlir::FailureOr<Tensor> (*evaluate)(OpT, const Environment &)) {
    evaluators[OpT::getOperationName()] =
        [evaluate](mlir::Operation *op,
                   const Environment &env) -> mlir::FailureOr<Results> {
      mlir::FailureOr<Tensor> tensor = evaluate(llvm::cast<OpT>(op), env);
      if (mlir::failed(tensor))
        return mlir::failure();
      Results results;
      results.push_back(std::move(*tensor));
      return std::move(results);
    };
  }

  /// Null when there is none for operations of this name.
  const Evaluator *lookup(llvm::StringRef opName) const;

private:
  llvm::StringMap<Evaluator> evaluators;
};

/// A zero-filled tensor for a result of `op`; an error at `op` if there is not
/// enough memory.
mlir::FailureOr<Tensor> allocate(mlir::Operation *op, ElementKind kind,
                                 llvm::ArrayRef<int64_t> shape);

void registerBlockwiseEvaluators(EvaluatorRegistry &registry);
void registerConstantEvaluators(EvaluatorRegistry &registry);
void registerContractionEvaluators(EvaluatorRegistry &registry);
void registerConvolutionEvaluators(EvaluatorRegistry &registry);
void registerElementwiseEvaluators(EvaluatorRegistry &registry);
void registerMovingEvaluators(EvaluatorRegistry &registry);
void registerReductionEvaluators(EvaluatorRegistry &registry);
void registerShapeEvaluators(EvaluatorRegistry &registry);
void registerQuantizationEvaluators(EvaluatorRegistry &registry);

} // namespace needle

#endif // NEEDLE_LIB_REFERENCE_EVALUATOR_H

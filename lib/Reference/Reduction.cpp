//===- Reduction.cpp - Evaluates sums and maxima --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums in f64, elements ascending, rounded once (N7); IEEE maxima.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "mlir/IR/BuiltinTypes.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include <cmath>
#include <limits>

using namespace needle;
using namespace mlir;

/// Combines, in f64, all elements that belong to one element of the result.
static FailureOr<Tensor> evaluateReduction(Operation *op, const Tensor &operand,
                                           ArrayRef<int64_t> axes,
                                           bool keepDims, double identity,
                                           double (*combine)(double, double)) {
  int64_t rank = operand.getRank();
  SmallVector<int64_t> shape, strides(rank, 0);
  int64_t stride = 1;
  for (int64_t i = rank - 1; i >= 0; --i) {
    int64_t size = operand.getShape()[i];
    bool isReduced = llvm::is_contained(axes, i);
    if (!isReduced) {
      strides[i] = stride;
      stride *= size;
    }
    if (!isReduced || keepDims)
      shape.insert(shape.begin(), isReduced ? 1 : size);
  }
  FailureOr<Tensor> result = allocate(op, ElementKind::F32, shape);
  if (failed(result))
    return failure();
  SmallVector<double, 0> totals(result->getNumElements(), identity);
  ArrayRef<float> elements = operand.getValues<float>();
  for (auto [index, element] : llvm::enumerate(elements)) {
    int64_t position = 0, rest = index;
    for (int64_t i = rank - 1; i >= 0; --i) {
      position += rest % operand.getShape()[i] * strides[i];
      rest /= operand.getShape()[i];
    }
    totals[position] = combine(totals[position], element);
  }
  llvm::transform(totals, result->getMutableValues<float>().begin(),
                  [](double total) { return static_cast<float>(total); });
  return result;
}

static double add(double lhs, double rhs) { return lhs + rhs; }

/// IEEE 754-2019 maximum.
static double maximum(double lhs, double rhs) {
  if (std::isnan(lhs) || std::isnan(rhs))
    return std::numeric_limits<double>::quiet_NaN();
  if (lhs == rhs)
    return std::signbit(lhs) ? rhs : lhs;
  return lhs > rhs ? lhs : rhs;
}

static FailureOr<Tensor> evaluateSum(ReduceSumOp op, const Environment &env) {
  return evaluateReduction(op, env[op.getOperand()], op.getAxes(),
                           op.getKeepdims(), 0.0, add);
}

static FailureOr<Tensor> evaluateMax(ReduceMaxOp op, const Environment &env) {
  return evaluateReduction(op, env[op.getOperand()], op.getAxes(),
                           op.getKeepdims(),
                           -std::numeric_limits<double>::infinity(), maximum);
}

void needle::registerReductionEvaluators(EvaluatorRegistry &registry) {
  registry.add(evaluateSum);
  registry.add(evaluateMax);
}

//===- Elementwise.cpp - Evaluates elementwise operations -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Unary and broadcasting operations in f32; functions other than arithmetic in
// f64, rounded once.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "mlir/IR/BuiltinTypes.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "needle/Dialect/Needle/IR/Predicate.h"
#include "needle/Quantization/NumericRules.h"
#include <cmath>
#include <limits>

using namespace needle;
using namespace mlir;

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

namespace {
/// The result's shape, and how far each operand moves for a step along each
/// dimension of the result: 0 where it stretches.
struct Broadcast {
  SmallVector<int64_t> shape;
  SmallVector<SmallVector<int64_t>> strides;

  /// The element of an operand that belongs to element `index` of the result.
  int64_t getPosition(size_t operand, int64_t index) const {
    int64_t position = 0;
    for (int64_t dim = shape.size() - 1; dim >= 0; --dim) {
      position += index % shape[dim] * strides[operand][dim];
      index /= shape[dim];
    }
    return position;
  }
};

/// One dimension of an operand, seen from the result.
struct Extent {
  int64_t size;
  bool stretches;
};
} // namespace

/// Dimension `dim` of `rank` aligned at the last one; a dimension that the
/// operand lacks, or that is statically 1, stretches.
static Extent getExtent(Value operand, const Tensor &tensor, int64_t dim,
                        int64_t rank) {
  int64_t own = dim - (rank - tensor.getRank());
  if (own < 0)
    return {1, true};
  auto type = cast<RankedTensorType>(operand.getType());
  return {tensor.getShape()[own], type.getDimSize(own) == 1};
}

static FailureOr<Broadcast> broadcastOperands(Operation *op,
                                              const Environment &env) {
  int64_t rank = 0;
  for (Value operand : op->getOperands())
    rank = std::max(rank, env[operand].getRank());
  Broadcast result;
  result.shape.assign(rank, 1);
  result.strides.assign(op->getNumOperands(), SmallVector<int64_t>(rank, 0));
  for (int64_t dim = 0; dim < rank; ++dim) {
    Value known;
    for (Value operand : op->getOperands()) {
      Extent extent = getExtent(operand, env[operand], dim, rank);
      if (extent.stretches)
        continue;
      if (known && extent.size != result.shape[dim])
        return op->emitOpError()
               << "shapes [" << env[known].getShape() << "] and ["
               << env[operand].getShape() << "] differ in dimension " << dim
               << " (only a dimension that is statically 1 broadcasts)";
      known = operand;
      result.shape[dim] = extent.size;
    }
  }
  for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
    int64_t stride = 1;
    for (int64_t dim = rank - 1; dim >= 0; --dim) {
      Extent extent = getExtent(operand, env[operand], dim, rank);
      result.strides[index][dim] = extent.stretches ? 0 : stride;
      stride *= extent.size;
    }
  }
  return result;
}

/// `function` on one element of each operand.
static FailureOr<Tensor>
evaluateBroadcast(Operation *op, const Environment &env,
                  llvm::function_ref<float(ArrayRef<float>)> function) {
  FailureOr<Broadcast> broadcast = broadcastOperands(op, env);
  if (failed(broadcast))
    return failure();
  FailureOr<Tensor> result = allocate(op, ElementKind::F32, broadcast->shape);
  if (failed(result))
    return failure();
  SmallVector<ArrayRef<float>> operands;
  for (Value operand : op->getOperands())
    operands.push_back(env[operand].getValues<float>());
  SmallVector<float> elements(operands.size());
  MutableArrayRef<float> values = result->getMutableValues<float>();
  for (int64_t index = 0; index != result->getNumElements(); ++index) {
    for (auto [i, operand] : llvm::enumerate(operands))
      elements[i] = operand[broadcast->getPosition(i, index)];
    values[index] = function(elements);
  }
  return result;
}

template <typename OpT, float (*function)(float, float)>
static FailureOr<Tensor> evaluateBinary(OpT op, const Environment &env) {
  return evaluateBroadcast(op, env, [](ArrayRef<float> elements) {
    return function(elements[0], elements[1]);
  });
}

static FailureOr<Tensor> evaluateCompare(CompareOp op, const Environment &env) {
  return evaluateBroadcast(op, env, [&](ArrayRef<float> elements) {
    return holds(op.getPredicate(), elements[0], elements[1]) ? 1.0f : 0.0f;
  });
}

static FailureOr<Tensor> evaluateSelect(SelectOp op, const Environment &env) {
  return evaluateBroadcast(op, env, [](ArrayRef<float> elements) {
    return elements[0] != 0.0f ? elements[1] : elements[2];
  });
}

template <typename OpT, float (*function)(float)>
static FailureOr<Tensor> evaluateUnary(OpT op, const Environment &env) {
  Tensor result = env[op.getOperand()];
  for (float &value : result.getMutableValues<float>())
    value = function(value);
  return std::move(result);
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

// A namespace of their own, as the C library has functions of these names.
namespace {
namespace scalar {

float add(float lhs, float rhs) { return lhs + rhs; }
float sub(float lhs, float rhs) { return lhs - rhs; }
float mul(float lhs, float rhs) { return lhs * rhs; }
float div(float lhs, float rhs) { return lhs / rhs; }

/// IEEE 754-2019 maximum.
float maximum(float lhs, float rhs) {
  if (std::isnan(lhs) || std::isnan(rhs))
    return std::numeric_limits<float>::quiet_NaN();
  if (lhs == rhs)
    return std::signbit(lhs) ? rhs : lhs;
  return lhs > rhs ? lhs : rhs;
}

/// IEEE 754-2019 minimum.
float minimum(float lhs, float rhs) {
  if (std::isnan(lhs) || std::isnan(rhs))
    return std::numeric_limits<float>::quiet_NaN();
  if (lhs == rhs)
    return std::signbit(lhs) ? lhs : rhs;
  return lhs < rhs ? lhs : rhs;
}

float neg(float value) {
  return std::copysign(value, std::signbit(value) ? 1.0f : -1.0f);
}
float abs(float value) { return std::copysign(value, 1.0f); }
float sqrt(float value) { return std::sqrt(value); }

// Evaluated in f64 and rounded once (N7).
float exp(float value) {
  return static_cast<float>(std::exp(static_cast<double>(value)));
}
float log(float value) {
  return static_cast<float>(std::log(static_cast<double>(value)));
}
float tanh(float value) {
  return static_cast<float>(std::tanh(static_cast<double>(value)));
}
float sigmoid(float value) {
  return static_cast<float>(1.0 /
                            (1.0 + std::exp(-static_cast<double>(value))));
}
float power(float base, float exponent) {
  return static_cast<float>(
      std::pow(static_cast<double>(base), static_cast<double>(exponent)));
}

} // namespace scalar
} // namespace

void needle::registerElementwiseEvaluators(EvaluatorRegistry &registry) {
  registry.add(evaluateBinary<AddOp, scalar::add>);
  registry.add(evaluateBinary<SubOp, scalar::sub>);
  registry.add(evaluateBinary<MulOp, scalar::mul>);
  registry.add(evaluateBinary<DivOp, scalar::div>);
  registry.add(evaluateBinary<MaximumOp, scalar::maximum>);
  registry.add(evaluateBinary<MinimumOp, scalar::minimum>);
  registry.add(evaluateUnary<ReluOp, relu>);
  registry.add(evaluateUnary<NegOp, scalar::neg>);
  registry.add(evaluateUnary<AbsOp, scalar::abs>);
  registry.add(evaluateUnary<SqrtOp, scalar::sqrt>);
  registry.add(evaluateUnary<ExpOp, scalar::exp>);
  registry.add(evaluateUnary<LogOp, scalar::log>);
  registry.add(evaluateUnary<TanhOp, scalar::tanh>);
  registry.add(evaluateUnary<SigmoidOp, scalar::sigmoid>);
  registry.add(evaluateBinary<PowerOp, scalar::power>);
  registry.add(evaluateCompare);
  registry.add(evaluateSelect);
}

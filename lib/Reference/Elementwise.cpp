//===- Elementwise.cpp - Evaluates elementwise operations -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Unary and broadcasting binary operations in IEEE f32.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "mlir/IR/BuiltinTypes.h"
#include "needle/Dialect/Needle/IR/Needle.h"
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
  SmallVector<int64_t> lhsStrides;
  SmallVector<int64_t> rhsStrides;
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

template <typename OpT>
static FailureOr<Broadcast> broadcastOperands(OpT op, const Environment &env) {
  const Tensor &lhs = env[op.getLhs()], &rhs = env[op.getRhs()];
  int64_t rank = std::max(lhs.getRank(), rhs.getRank());
  Broadcast result;
  result.shape.resize(rank);
  result.lhsStrides.resize(rank);
  result.rhsStrides.resize(rank);
  int64_t lhsStride = 1, rhsStride = 1;
  for (int64_t dim = rank - 1; dim >= 0; --dim) {
    Extent left = getExtent(op.getLhs(), lhs, dim, rank);
    Extent right = getExtent(op.getRhs(), rhs, dim, rank);
    if (left.size != right.size && !left.stretches && !right.stretches)
      return op.emitOpError()
             << "shapes [" << lhs.getShape() << "] and [" << rhs.getShape()
             << "] differ in dimension " << dim
             << " (only a dimension that is statically 1 broadcasts)";
    result.shape[dim] = left.stretches ? right.size : left.size;
    result.lhsStrides[dim] = left.size == result.shape[dim] ? lhsStride : 0;
    result.rhsStrides[dim] = right.size == result.shape[dim] ? rhsStride : 0;
    lhsStride *= left.size;
    rhsStride *= right.size;
  }
  return result;
}

template <typename OpT, float (*function)(float, float)>
static FailureOr<Tensor> evaluateBinary(OpT op, const Environment &env) {
  FailureOr<Broadcast> broadcast = broadcastOperands(op, env);
  if (failed(broadcast))
    return failure();
  FailureOr<Tensor> result = allocate(op, ElementKind::F32, broadcast->shape);
  if (failed(result))
    return failure();
  ArrayRef<float> lhs = env[op.getLhs()].template getValues<float>();
  ArrayRef<float> rhs = env[op.getRhs()].template getValues<float>();
  MutableArrayRef<float> values = result->getMutableValues<float>();
  for (int64_t index = 0; index != result->getNumElements(); ++index) {
    int64_t left = 0, right = 0, rest = index;
    for (int64_t dim = result->getRank() - 1; dim >= 0; --dim) {
      int64_t position = rest % broadcast->shape[dim];
      rest /= broadcast->shape[dim];
      left += position * broadcast->lhsStrides[dim];
      right += position * broadcast->rhsStrides[dim];
    }
    values[index] = function(lhs[left], rhs[right]);
  }
  return result;
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
}

//===- Contraction.cpp - Evaluates matrix products ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// matmul by N8 (f64 sums, rounded once) and qmatmul by N4 and N5.
//
//===----------------------------------------------------------------------===//

#include "ContractionEpilogue.h"
#include "QuantParamsOf.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace needle;
using namespace mlir;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

namespace {
struct MatmulSizes {
  int64_t m, n, k;
};
} // namespace

/// The sizes at run time; an error at the operation where they contradict.
template <typename OpT>
static FailureOr<MatmulSizes> getSizes(OpT op, const Environment &env) {
  ArrayRef<int64_t> lhs = env[op.getLhs()].getShape().take_back(2);
  ArrayRef<int64_t> rhs = env[op.getRhs()].getShape().take_back(2);
  bool transposeLhs = op.getTransposeLhs(), transposeRhs = op.getTransposeRhs();
  MatmulSizes sizes{lhs[transposeLhs], rhs[!transposeRhs], lhs[!transposeLhs]};
  if (rhs[transposeRhs] != sizes.k)
    return op.emitOpError()
           << "K differs: it is " << sizes.k << " in lhs of shape [" << lhs
           << "] and " << rhs[transposeRhs] << " in rhs of shape [" << rhs
           << "]";
  if (op.getBias() && env[op.getBias()].getShape()[0] != sizes.n)
    return op.emitOpError()
           << "bias has " << env[op.getBias()].getShape()[0]
           << " elements, but rhs has " << sizes.n << " columns";
  return sizes;
}

/// The elements of a matrix as rows of K, one for each row of lhs or column of
/// rhs. `kIsOuter` says that K is the matrix's first dimension.
template <typename T, typename GetT>
static SmallVector<T, 0> gatherRows(int64_t numRows, int64_t k, bool kIsOuter,
                                    GetT get) {
  SmallVector<T, 0> rows;
  rows.reserve(numRows * k);
  for (int64_t row = 0; row != numRows; ++row)
    for (int64_t i = 0; i != k; ++i)
      rows.push_back(get(kIsOuter ? i * numRows + row : row * k + i, row));
  return rows;
}

//===----------------------------------------------------------------------===//
// Float
//===----------------------------------------------------------------------===//

/// Each product of two f32 values is exact in f64; only the additions round.
static float dotFloat(const float *lhs, const float *rhs, int64_t k) {
  double sum = 0.0;
  for (int64_t i = 0; i != k; ++i)
    sum += static_cast<double>(lhs[i]) * static_cast<double>(rhs[i]);
  return static_cast<float>(sum);
}

namespace {
/// Which matrix of an operand belongs to each matrix of the result.
struct BatchIndices {
  SmallVector<int64_t> shape;
  SmallVector<int64_t> lhs, rhs;
};
} // namespace

/// The batch dimensions at run time: one that is missing or statically 1
/// stretches. An error at the operation where they contradict.
static FailureOr<BatchIndices> getBatch(MatmulOp op, const Environment &env) {
  BatchIndices result;
  int64_t rank = op.getType().getRank() - 2;
  auto getDim = [&](Value operand, int64_t i) -> std::optional<int64_t> {
    auto type = cast<RankedTensorType>(operand.getType());
    int64_t own = i - (rank - (type.getRank() - 2));
    if (own < 0 || type.getDimSize(own) == 1)
      return std::nullopt;
    return env[operand].getShape()[own];
  };
  int64_t count = 1;
  for (int64_t i = 0; i < rank; ++i) {
    std::optional<int64_t> lhs = getDim(op.getLhs(), i);
    std::optional<int64_t> rhs = getDim(op.getRhs(), i);
    if (lhs && rhs && *lhs != *rhs)
      return op.emitOpError() << "batch dimension " << i << " of the result is "
                              << *lhs << " in lhs and " << *rhs << " in rhs";
    result.shape.push_back(lhs ? *lhs : rhs.value_or(1));
    count *= result.shape.back();
  }
  auto fill = [&](Value operand, SmallVectorImpl<int64_t> &indices) {
    for (int64_t index = 0; index < count; ++index) {
      int64_t position = 0, stride = 1, rest = index;
      for (int64_t i = rank - 1; i >= 0; --i) {
        if (std::optional<int64_t> dim = getDim(operand, i)) {
          position += rest % result.shape[i] * stride;
          stride *= *dim;
        }
        rest /= result.shape[i];
      }
      indices.push_back(position);
    }
  };
  fill(op.getLhs(), result.lhs);
  fill(op.getRhs(), result.rhs);
  return result;
}

static FailureOr<Tensor> evaluateMatmul(MatmulOp op, const Environment &env) {
  FailureOr<MatmulSizes> sizes = getSizes(op, env);
  if (failed(sizes))
    return failure();
  FailureOr<BatchIndices> batch = getBatch(op, env);
  if (failed(batch))
    return failure();
  auto [m, n, k] = *sizes;
  SmallVector<int64_t> shape = batch->shape;
  shape.append({m, n});
  FailureOr<Tensor> result = allocate(op, ElementKind::F32, shape);
  if (failed(result))
    return failure();
  auto gather = [&, k = k](Value value, int64_t numRows, bool kIsOuter,
                           int64_t matrix) {
    ArrayRef<float> elements =
        env[value].getValues<float>().slice(matrix * numRows * k, numRows * k);
    return gatherRows<float>(numRows, k, kIsOuter, [&](int64_t index, int64_t) {
      return elements[index];
    });
  };
  float *value = result->getMutableValues<float>().data();
  for (auto [left, right] : llvm::zip_equal(batch->lhs, batch->rhs)) {
    auto lhs = gather(op.getLhs(), m, op.getTransposeLhs(), left);
    auto rhs = gather(op.getRhs(), n, !op.getTransposeRhs(), right);
    for (int64_t row = 0; row != m; ++row)
      for (int64_t column = 0; column != n; ++column, ++value) {
        *value = dotFloat(&lhs.data()[row * k], &rhs.data()[column * k], k);
        if (op.getBias())
          *value += env[op.getBias()].getValues<float>()[column];
        *value = activate(op.getActivation(), *value);
      }
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Integer
//===----------------------------------------------------------------------===//

namespace {
/// One operand: its integers less their zero points in rows of K, and its scale
/// for each row (or one for all).
struct CenteredOperand {
  SmallVector<int32_t, 0> rows;
  SmallVector<float, 1> scales;

  float getScale(int64_t row) const {
    return scales[scales.size() == 1 ? 0 : row];
  }
};
} // namespace

static FailureOr<CenteredOperand>
centerOperand(QMatmulOp op, const QuantizedValue &operand, int64_t numRows,
              int64_t k, bool kIsOuter, const Environment &env) {
  FailureOr<QuantTypeInfo> info = getQuantParams(op, operand, env);
  if (failed(info))
    return failure();
  if (info->axis && *info->axis == (kIsOuter ? 0 : 1))
    return op.emitOpError() << operand.name
                            << " has parameters along K, whose sum cannot be "
                               "one integer sum";
  CenteredOperand result;
  for (const QuantParams &params : info->params)
    result.scales.push_back(params.scale);
  const Tensor &tensor = env[operand.value];
  result.rows = gatherRows<int32_t>(
      numRows, k, kIsOuter, [&](int64_t index, int64_t row) {
        int64_t zeroPoint = info->params[info->axis ? row : 0].zeroPoint;
        return static_cast<int32_t>(tensor.getStoredInteger(index) - zeroPoint);
      });
  return result;
}

/// N4. With 8-bit storage and zero points in its range each product is below
/// 2^16, so that i64 holds the sum of 2^47 of them, more than any address
/// space.
static int64_t dotInteger(const int32_t *lhs, const int32_t *rhs, int64_t k) {
  int64_t sum = 0;
  for (int64_t i = 0; i != k; ++i)
    sum += int64_t(lhs[i]) * rhs[i];
  return sum;
}

static FailureOr<Tensor> evaluateQMatmul(QMatmulOp op, const Environment &env) {
  FailureOr<MatmulSizes> sizes = getSizes(op, env);
  if (failed(sizes))
    return failure();
  auto [m, n, k] = *sizes;
  FailureOr<CenteredOperand> lhs = centerOperand(
      op, {"lhs", op.getLhs(), op.getLhsScale(), op.getLhsZeroPoint()}, m, k,
      op.getTransposeLhs(), env);
  if (failed(lhs))
    return failure();
  FailureOr<CenteredOperand> rhs = centerOperand(
      op, {"rhs", op.getRhs(), op.getRhsScale(), op.getRhsZeroPoint()}, n, k,
      !op.getTransposeRhs(), env);
  if (failed(rhs))
    return failure();

  FailureOr<IntegerResult> result = IntegerResult::create(
      op, {m, n}, {op.getActivation(), op.getBias(), env});
  if (failed(result))
    return failure();
  for (int64_t row = 0, index = 0; row != m; ++row)
    for (int64_t column = 0; column != n; ++column, ++index)
      result->set(index, column,
                  dotInteger(&lhs->rows.data()[row * k],
                             &rhs->rows.data()[column * k], k),
                  combineScales(lhs->getScale(row), rhs->getScale(column)));
  return std::move(*result).take();
}

void needle::registerContractionEvaluators(EvaluatorRegistry &registry) {
  registry.add(evaluateMatmul);
  registry.add(evaluateQMatmul);
}

//===- Blockwise.cpp - Evaluates 4-bit weights in blocks ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dequantize_blockwise by N3 and qmatmul_blockwise by N9.
//
//===----------------------------------------------------------------------===//

#include "needle/Quantization/Blockwise.h"
#include "Evaluator.h"
#include "needle/Dialect/Needle/IR/Needle.h"

using namespace needle;
using namespace mlir;

namespace {
/// A weight and its parameters, once it is known that they have 4 bits.
class Weight {
public:
  template <typename OpT>
  static FailureOr<Weight> get(OpT op, const Environment &env) {
    const Tensor &stored = env[op.getWeight()];
    const Tensor *zeroPoints =
        op.getZeroPoints() ? &env[op.getZeroPoints()] : nullptr;
    for (auto [name, tensor] :
         {std::pair("weight", &stored), {"zero_points", zeroPoints}})
      if (tensor && failed(check(op, name, *tensor)))
        return failure();
    BlockwiseShape shape{op.getDepth(), op.getColumns(),
                         static_cast<int64_t>(op.getBlockSize())};
    return Weight(shape, stored, env[op.getScales()], zeroPoints);
  }

  int32_t centered(int64_t k, int64_t column) const {
    return static_cast<int32_t>(
        stored->getStoredInteger(k * shape.columns + column) -
        params(k / shape.blockSize, column).zeroPoint);
  }
  float dequantized(int64_t k, int64_t column) const {
    return dequantize(stored->getStoredInteger(k * shape.columns + column),
                      params(k / shape.blockSize, column));
  }
  QuantParams params(int64_t block, int64_t column) const {
    int64_t index = block * shape.columns + column;
    return {scales->getValues<float>()[index],
            zeroPoints ? zeroPoints->getStoredInteger(index) : 0};
  }

  const BlockwiseShape shape;

private:
  Weight(BlockwiseShape shape, const Tensor &stored, const Tensor &scales,
         const Tensor *zeroPoints)
      : shape(shape), stored(&stored), scales(&scales), zeroPoints(zeroPoints) {
  }

  static LogicalResult check(Operation *op, StringRef name,
                             const Tensor &tensor) {
    bool isUnsigned = tensor.getKind() == ElementKind::UI8;
    ArrayRef<char> bytes = tensor.getBytes();
    std::optional<int64_t> wider = findWiderThan4Bits(
        {reinterpret_cast<const int8_t *>(bytes.data()), bytes.size()},
        isUnsigned);
    if (!wider)
      return success();
    return op->emitOpError()
           << name << " must be from " << (isUnsigned ? "0 to 15" : "-8 to 7")
           << ", but element " << *wider << " is "
           << tensor.getStoredInteger(*wider);
  }

  const Tensor *stored, *scales, *zeroPoints;
};
} // namespace

static FailureOr<Tensor> evaluateDequantizeBlockwise(DequantizeBlockwiseOp op,
                                                     const Environment &env) {
  FailureOr<Weight> weight = Weight::get(op, env);
  if (failed(weight))
    return failure();
  auto [depth, columns, blockSize] = weight->shape;
  FailureOr<Tensor> result = allocate(op, ElementKind::F32, {depth, columns});
  if (failed(result))
    return failure();
  float *value = result->getMutableValues<float>().data();
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t column = 0; column < columns; ++column)
      *value++ = weight->dequantized(k, column);
  return result;
}

/// Each product of two f32 values is exact in f64; only the additions round.
static void multiplyFloat(ArrayRef<float> row, const Weight &weight,
                          MutableArrayRef<float> result) {
  for (auto [column, value] : llvm::enumerate(result)) {
    double sum = 0.0;
    for (auto [k, x] : llvm::enumerate(row))
      sum +=
          static_cast<double>(x) *
          static_cast<double>(weight.dequantized(int64_t(k), int64_t(column)));
    value = static_cast<float>(sum);
  }
}

/// N9: the sum of a block is exact; rescaled, it joins those before it.
static void multiplyInteger(ArrayRef<float> row, const Weight &weight,
                            MutableArrayRef<float> result) {
  SmallVector<int8_t, 0> stored(row.size());
  llvm::fill(result, 0.0F);
  for (int64_t block = 0; block < weight.shape.blocks(); ++block) {
    int64_t begin = weight.shape.begin(block), end = weight.shape.end(block);
    float scale = quantizeActivationBlock(
        row.slice(begin, end - begin),
        MutableArrayRef(stored).slice(begin, end - begin));
    for (auto [column, value] : llvm::enumerate(result)) {
      int64_t sum = 0;
      for (int64_t k = begin; k < end; ++k)
        sum += int64_t(stored[k]) * weight.centered(k, int64_t(column));
      value += rescale(
          sum,
          combineScales(scale, weight.params(block, int64_t(column)).scale));
    }
  }
}

static FailureOr<Tensor> evaluateQMatmulBlockwise(QMatmulBlockwiseOp op,
                                                  const Environment &env) {
  FailureOr<Weight> weight = Weight::get(op, env);
  if (failed(weight))
    return failure();
  const Tensor &lhs = env[op.getLhs()];
  auto [depth, columns, blockSize] = weight->shape;
  int64_t rows = lhs.getShape()[0];
  if (lhs.getShape()[1] != depth)
    return op.emitOpError()
           << "K differs: it is " << lhs.getShape()[1] << " in lhs of shape ["
           << lhs.getShape() << "] and " << depth << " in weight";
  FailureOr<Tensor> result = allocate(op, ElementKind::F32, {rows, columns});
  if (failed(result))
    return failure();
  auto *multiply = op.getActivations() == BlockwiseActivations::Int8
                       ? multiplyInteger
                       : multiplyFloat;
  for (int64_t row = 0; row < rows; ++row)
    multiply(lhs.getValues<float>().slice(row * depth, depth), *weight,
             result->getMutableValues<float>().slice(row * columns, columns));
  return result;
}

void needle::registerBlockwiseEvaluators(EvaluatorRegistry &registry) {
  registry.add(evaluateDequantizeBlockwise);
  registry.add(evaluateQMatmulBlockwise);
}

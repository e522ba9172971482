//===- Convolution.cpp - Evaluates convolutions ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// conv2d and conv_transpose2d by N8 (f64 sums, rounded once) and qconv2d by N4
// and N5. A term on padding is left out: it is zero.
//
//===----------------------------------------------------------------------===//

#include "ContractionEpilogue.h"
#include "QuantParamsOf.h"
#include "needle/Dialect/Needle/IR/Needle.h"
#include "llvm/Support/MathExtras.h"

using namespace needle;
using namespace mlir;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

namespace {
/// The sizes of a convolution at run time. Of pairs, height comes first.
struct Sizes {
  int64_t batch, channels;
  int64_t size[2];
  int64_t kernel[2];
  int64_t depth; ///< channels of a group
  int64_t columns;
  int64_t result[2];

  SmallVector<int64_t> getResultShape() const {
    return {batch, result[0], result[1], columns};
  }
  int64_t getInputIndex(int64_t n, int64_t y, int64_t x, int64_t c) const {
    return ((n * size[0] + y) * size[1] + x) * channels + c;
  }
  int64_t getFilterIndex(int64_t i, int64_t j, int64_t c, int64_t o) const {
    return ((i * kernel[1] + j) * depth + c) * columns + o;
  }
};
} // namespace

/// The sizes but those of the result; an error at the operation where they
/// contradict.
template <typename OpT>
static FailureOr<Sizes> getOperandSizes(OpT op, int64_t groups,
                                        const Environment &env) {
  ArrayRef<int64_t> input = env[op.getInput()].getShape();
  ArrayRef<int64_t> filter = env[op.getFilter()].getShape();
  Sizes sizes{input[0],
              input[3],
              {input[1], input[2]},
              {filter[0], filter[1]},
              filter[2],
              filter[3],
              {0, 0}};
  if (sizes.channels != groups * sizes.depth)
    return op.emitOpError() << "channels differ: they are " << sizes.channels
                            << " in input of shape [" << input << "], but "
                            << groups << " times " << sizes.depth
                            << " in filter of shape [" << filter << "]";
  if (op.getBias() && env[op.getBias()].getShape()[0] != sizes.columns)
    return op.emitOpError()
           << "bias has " << env[op.getBias()].getShape()[0]
           << " elements, but filter gives " << sizes.columns << " channels";
  return sizes;
}

template <typename OpT>
static FailureOr<Sizes> getSizes(OpT op, const Environment &env) {
  FailureOr<Sizes> sizes = getOperandSizes(op, op.getGroups(), env);
  for (unsigned i = 0; succeeded(sizes) && i < 2; ++i) {
    int64_t room = sizes->size[i] + op.getPadding()[2 * i] +
                   op.getPadding()[2 * i + 1] -
                   (sizes->kernel[i] - 1) * op.getDilations()[i] - 1;
    if (room < 0)
      return op.emitOpError() << "the kernel does not fit into input of shape ["
                              << env[op.getInput()].getShape() << "]";
    sizes->result[i] = room / op.getStrides()[i] + 1;
  }
  return sizes;
}

static FailureOr<Sizes> getSizes(ConvTranspose2DOp op, const Environment &env) {
  FailureOr<Sizes> sizes = getOperandSizes(op, 1, env);
  for (unsigned i = 0; succeeded(sizes) && i < 2; ++i) {
    sizes->result[i] = (sizes->size[i] - 1) * op.getStrides()[i] +
                       sizes->kernel[i] + op.getOutputPadding()[i] -
                       op.getPadding()[2 * i] - op.getPadding()[2 * i + 1];
    if (sizes->size[i] < 1 || sizes->result[i] < 0)
      return op.emitOpError()
             << "input of shape [" << env[op.getInput()].getShape()
             << "] leaves no result";
  }
  return sizes;
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Calls `visit(index of input, index of filter)` for each term of one element
/// of the result of a conv2d or qconv2d.
template <typename OpT, typename Visit>
static void visitTerms(OpT op, const Sizes &sizes, int64_t n, int64_t y,
                       int64_t x, int64_t o, Visit visit) {
  int64_t group = o / (sizes.columns / int64_t(op.getGroups()));
  for (int64_t i = 0; i != sizes.kernel[0]; ++i) {
    int64_t row =
        y * op.getStrides()[0] + i * op.getDilations()[0] - op.getPadding()[0];
    for (int64_t j = 0; j != sizes.kernel[1]; ++j) {
      int64_t column = x * op.getStrides()[1] + j * op.getDilations()[1] -
                       op.getPadding()[2];
      if (row < 0 || row >= sizes.size[0] || column < 0 ||
          column >= sizes.size[1])
        continue;
      for (int64_t c = 0; c != sizes.depth; ++c)
        visit(sizes.getInputIndex(n, row, column, group * sizes.depth + c),
              sizes.getFilterIndex(i, j, c, o));
    }
  }
}

/// The index of the input that reaches `result` through element `tap` of the
/// kernel; none if there is none.
static std::optional<int64_t> findSource(int64_t result, int64_t tap,
                                         int64_t cut, int64_t stride,
                                         int64_t size) {
  int64_t distance = result + cut - tap;
  if (distance < 0 || distance % stride != 0 || distance / stride >= size)
    return std::nullopt;
  return distance / stride;
}

/// The same for a conv_transpose2d.
template <typename Visit>
static void visitTerms(ConvTranspose2DOp op, const Sizes &sizes, int64_t n,
                       int64_t y, int64_t x, int64_t o, Visit visit) {
  for (int64_t i = 0; i != sizes.kernel[0]; ++i)
    for (int64_t j = 0; j != sizes.kernel[1]; ++j) {
      auto row = findSource(y, i, op.getPadding()[0], op.getStrides()[0],
                            sizes.size[0]);
      auto column = findSource(x, j, op.getPadding()[2], op.getStrides()[1],
                               sizes.size[1]);
      if (!row || !column)
        continue;
      for (int64_t c = 0; c != sizes.depth; ++c)
        visit(sizes.getInputIndex(n, *row, *column, c),
              sizes.getFilterIndex(i, j, c, o));
    }
}

/// Calls `set(index, o, visitor of terms)` for each element of the result.
template <typename OpT, typename Set>
static void forEachResult(OpT op, const Sizes &sizes, Set set) {
  int64_t index = 0;
  for (int64_t n = 0; n != sizes.batch; ++n)
    for (int64_t y = 0; y != sizes.result[0]; ++y)
      for (int64_t x = 0; x != sizes.result[1]; ++x)
        for (int64_t o = 0; o != sizes.columns; ++o, ++index)
          set(index, o,
              [&](auto visit) { visitTerms(op, sizes, n, y, x, o, visit); });
}

//===----------------------------------------------------------------------===//
// Float
//===----------------------------------------------------------------------===//

template <typename OpT>
static FailureOr<Tensor> evaluateFloat(OpT op, const Environment &env) {
  FailureOr<Sizes> sizes = getSizes(op, env);
  if (failed(sizes))
    return failure();
  FailureOr<Tensor> result =
      allocate(op, ElementKind::F32, sizes->getResultShape());
  if (failed(result))
    return failure();
  ArrayRef<float> input = env[op.getInput()].template getValues<float>();
  ArrayRef<float> filter = env[op.getFilter()].template getValues<float>();
  MutableArrayRef<float> values = result->getMutableValues<float>();
  forEachResult(op, *sizes, [&](int64_t index, int64_t o, auto visitTerms) {
    // Each product of two f32 values is exact in f64; only the additions round.
    double sum = 0.0;
    visitTerms([&](int64_t i, int64_t f) {
      sum += static_cast<double>(input[i]) * static_cast<double>(filter[f]);
    });
    auto value = static_cast<float>(sum);
    if (op.getBias())
      value += env[op.getBias()].template getValues<float>()[o];
    values[index] = activate(op.getActivation(), value);
  });
  return result;
}

//===----------------------------------------------------------------------===//
// Integer
//===----------------------------------------------------------------------===//

static FailureOr<Tensor> evaluateQConv2D(QConv2DOp op, const Environment &env) {
  FailureOr<Sizes> sizes = getSizes(op, env);
  if (failed(sizes))
    return failure();
  FailureOr<QuantTypeInfo> input = getQuantParams(
      op, {"input", op.getInput(), op.getInputScale(), op.getInputZeroPoint()},
      env);
  FailureOr<QuantTypeInfo> filter = getQuantParams(
      op,
      {"filter", op.getFilter(), op.getFilterScale(), op.getFilterZeroPoint()},
      env);
  if (failed(input) || failed(filter))
    return failure();
  FailureOr<IntegerResult> result = IntegerResult::create(
      op, sizes->getResultShape(), {op.getActivation(), op.getBias(), env});
  if (failed(result))
    return failure();
  const QuantParams &left = input->params.front();
  forEachResult(op, *sizes, [&](int64_t index, int64_t o, auto visitTerms) {
    const QuantParams &right = filter->params[filter->axis ? o : 0];
    // N4: i64 holds the sum of 2^47 such products.
    int64_t sum = 0;
    visitTerms([&](int64_t i, int64_t f) {
      sum += (env[op.getInput()].getStoredInteger(i) - left.zeroPoint) *
             (env[op.getFilter()].getStoredInteger(f) - right.zeroPoint);
    });
    result->set(index, o, sum, combineScales(left.scale, right.scale));
  });
  return std::move(*result).take();
}

void needle::registerConvolutionEvaluators(EvaluatorRegistry &registry) {
  registry.add(evaluateFloat<Conv2DOp>);
  registry.add(evaluateFloat<ConvTranspose2DOp>);
  registry.add(evaluateQConv2D);
}

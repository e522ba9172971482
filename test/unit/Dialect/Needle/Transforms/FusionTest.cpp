//===- FusionTest.cpp - What fusion may change of a result ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random layers, evaluated by the oracle before and after each fusion: fusing
// an epilogue changes no bit, building the integer form no more than N8 allows.
//
//===----------------------------------------------------------------------===//

#include "TransformsTest.h"
#include "needle/Quantization/NumericRules.h"
#include "needle/Reference/Interpreter.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using namespace needle;
using namespace needle::test;
using namespace mlir;

namespace {

/// relu(x · w + bias), x being observed, and w and the bias constants.
struct Layer {
  int64_t m, k, n;
  bool transposeLhs, transposeRhs, hasBias, hasRelu;
  QuantizationMode mode;
  WeightGranularity granularity;
  /// Scale and zero point of the quantized result; float if the scale is 0.
  QuantParams result{0.0f, 0};
  float observedMin, observedMax;
  std::vector<float> x, w, bias;
};

/// `dense<...>` for values of any bit pattern.
std::string denseText(llvm::ArrayRef<float> values) {
  if (values.empty())
    return "dense<>";
  llvm::StringRef bytes(reinterpret_cast<const char *>(values.data()),
                        values.size() * sizeof(float));
  return "dense<\"0x" + llvm::toHex(bytes) + "\">";
}

std::string f64Text(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return "0x" + llvm::utohexstr(bits, false, 16) + " : f64";
}

/// The layer as it comes from calibration. M is dynamic.
std::string layerText(const Layer &layer) {
  std::string k = std::to_string(layer.k), n = std::to_string(layer.n);
  std::string xType =
      "tensor<" + (layer.transposeLhs ? k + "x?" : "?x" + k) + "xf32>";
  std::string wType =
      "tensor<" + (layer.transposeRhs ? n + "x" + k : k + "x" + n) + "xf32>";
  std::string yType = "tensor<?x" + n + "xf32>";
  std::string bType = "tensor<" + n + "xf32>";
  std::string flags = layer.transposeLhs ? "transpose_lhs" : "";
  if (layer.transposeRhs)
    flags += flags.empty() ? "transpose_rhs" : ", transpose_rhs";
  std::string text, value = "%m", type = yType;
  llvm::raw_string_ostream os(text);
  os << "%o = needle.observe %x {id = 0 : i64, min = "
     << f64Text(layer.observedMin) << ", max = " << f64Text(layer.observedMax)
     << "} : " << xType << " -> " << xType << "\n%w = needle.constant "
     << denseText(layer.w) << " : " << wType << " -> " << wType
     << "\n%m = needle.matmul %o, %w {" << flags << "} : " << xType << ", "
     << wType << " -> " << yType << "\n";
  if (layer.hasBias) {
    os << "%b = needle.constant " << denseText(layer.bias) << " : " << bType
       << " -> " << bType << "\n%a = needle.add %m, %b : " << yType << ", "
       << bType << " -> " << yType << "\n";
    value = "%a";
  }
  if (layer.hasRelu) {
    os << "%r = needle.relu " << value << " : " << yType << " -> " << yType
       << "\n";
    value = "%r";
  }
  if (layer.result.scale > 0) {
    // Powers of two have a short exact text.
    type = "tensor<?x" + n + "x!quant.uniform<u8:f32, " +
           std::to_string(layer.result.scale) + ":" +
           std::to_string(layer.result.zeroPoint) + ">>";
    os << "%q = needle.quantize " << value << " : " << yType << " -> " << type
       << "\n";
    value = "%q";
  }
  return "func.func @main(%x: " + xType + ") -> " + type + " {\n" + text +
         "return " + value + " : " + type + "\n}";
}

class Fusion : public TransformsTest {
protected:
  std::mt19937 random;

  int64_t pick(std::initializer_list<int64_t> from) {
    return *(from.begin() + random() % from.size());
  }

  std::vector<float> normal(int64_t count, float deviation) {
    std::normal_distribution<float> distribution(0.0f, deviation);
    std::vector<float> values(count);
    for (float &value : values)
      value = distribution(random);
    return values;
  }

  Layer makeLayer() {
    Layer layer;
    layer.m = pick({0, 1, 2, 3, 5});
    layer.k = pick({0, 1, 2, 7, 31, 256, 1000});
    layer.n = pick({1, 2, 3, 17});
    layer.transposeLhs = random() % 2;
    layer.transposeRhs = random() % 2;
    layer.hasBias = random() % 2;
    layer.hasRelu = random() % 2;
    layer.mode =
        random() % 2 ? QuantizationMode::Static : QuantizationMode::Dynamic;
    layer.granularity = random() % 2 ? WeightGranularity::PerAxis
                                     : WeightGranularity::PerTensor;
    // Narrower than the values now and then, so that some are clamped.
    layer.observedMin = static_cast<float>(random() % 100) * -0.03f;
    layer.observedMax = static_cast<float>(random() % 100) * 0.03f;
    layer.x = normal(layer.m * layer.k, 1.0f);
    for (float &value : layer.x)
      if (random() % 64 == 0)
        value = random() % 2 ? std::numeric_limits<float>::quiet_NaN() : -0.0f;
    layer.w = normal(layer.k * layer.n, 0.1f);
    layer.bias = normal(layer.n, 1.0f);
    return layer;
  }

  /// The parts of what addQuantizePasses does, one after the other.
  OwningOpRef<ModuleOp> quantize(const Layer &layer) {
    OwningOpRef<ModuleOp> module = parse(layerText(layer));
    return transform(*module, [&](OpPassManager &pm) {
      QuantizePassOptions options;
      options.mode = layer.mode;
      options.weightGranularity = layer.granularity;
      pm.addPass(createQuantizePass(options));
    });
  }
  OwningOpRef<ModuleOp> fuseEpilogue(ModuleOp module) {
    return transform(module, [](OpPassManager &pm) {
      pm.addPass(createFuseEpiloguePass());
    });
  }
  OwningOpRef<ModuleOp> fuseQuantized(ModuleOp module) {
    return transform(module, [](OpPassManager &pm) {
      pm.addPass(createFuseQuantizedPass());
    });
  }

  Tensor run(ModuleOp module, const Layer &layer) {
    llvm::SmallVector<int64_t> shape{layer.m, layer.k};
    if (layer.transposeLhs)
      std::swap(shape[0], shape[1]);
    FailureOr<llvm::SmallVector<Tensor>> results =
        interpret(module.lookupSymbol<func::FuncOp>("main"),
                  {Tensor::of<float>(shape, layer.x)});
    EXPECT_TRUE(succeeded(results)) << errors;
    return failed(results) ? Tensor::of<float>({0}, {}) : (*results)[0];
  }

  void checkFloatResult(const Layer &layer);
  void checkQuantizedResult(Layer layer);
};

std::vector<uint32_t> bitsOf(const Tensor &tensor) {
  llvm::ArrayRef<float> values = tensor.getValues<float>();
  std::vector<uint32_t> bits(values.size());
  if (!bits.empty())
    std::memcpy(bits.data(), values.data(), values.size() * sizeof(float));
  return bits;
}

float roundTrip(float value, QuantParams params, const QuantFormat &format) {
  return dequantize(needle::quantize(value, params, format.range), params);
}

/// Σ |x̂||ŵ| over K for each element of the result, x̂ and ŵ being what the
/// quantized operands stand for.
std::vector<double> magnitudes(const Layer &layer) {
  QuantParams xParams =
      chooseParams(layer.mode == QuantizationMode::Dynamic
                       ? computeRange(layer.x)
                       : widenRange(layer.observedMin, layer.observedMax),
                   kUInt8Asymmetric);
  auto weight = [&](int64_t k, int64_t n) {
    return layer.w[layer.transposeRhs ? n * layer.k + k : k * layer.n + n];
  };
  std::vector<double> result(layer.m * layer.n);
  for (int64_t n = 0; n < layer.n; ++n) {
    std::vector<float> column(layer.k);
    for (int64_t k = 0; k < layer.k; ++k)
      column[k] = weight(k, n);
    RealRange range = layer.granularity == WeightGranularity::PerAxis
                          ? computeRange(column)
                          : computeRange(layer.w);
    QuantParams wParams = chooseParams(range, kInt8Symmetric);
    for (int64_t m = 0; m < layer.m; ++m)
      for (int64_t k = 0; k < layer.k; ++k) {
        float x =
            layer.x[layer.transposeLhs ? k * layer.m + m : m * layer.k + k];
        result[m * layer.n + n] +=
            std::abs(double(roundTrip(x, xParams, kUInt8Asymmetric)) *
                     roundTrip(column[k], wParams, kInt8Symmetric));
      }
  }
  return result;
}

constexpr double kUnitRoundoff = 0x1p-24;

/// How far the results of the float and the integer form may lie apart (N8).
///
/// With u = 2^-24, both against the exact s = Σ a·w · sa·sb. Float form: each
/// dequantized operand is rounded once, 2u in a product; the f64 sum has error
/// K · 2^-53; rounding it to f32 is one more u. Integer form: the sum is exact;
/// rounding it to f32, the combined scale, and their product are 3u. All
/// relative to Σ |x̂||ŵ|; the factor covers products of roundoffs. The bias is
/// added with one rounding of each result, and relu enlarges no difference.
double boundOf(const Layer &layer, double magnitude, double result) {
  double contraction =
      (6 * kUnitRoundoff + layer.k * 0x1p-53) * magnitude * (1 + 0x1p-20);
  if (!layer.hasBias)
    return contraction;
  return contraction + 2 * kUnitRoundoff * (std::abs(result) + contraction);
}

void Fusion::checkFloatResult(const Layer &layer) {
  OwningOpRef<ModuleOp> quantized = quantize(layer);
  OwningOpRef<ModuleOp> epilogue = fuseEpilogue(*quantized);
  OwningOpRef<ModuleOp> integer = fuseQuantized(*epilogue);
  EXPECT_EQ(countOps<AddOp>(*epilogue) + countOps<ReluOp>(*epilogue), 0);
  EXPECT_EQ(countOps<QMatmulOp>(*integer), 1);
  EXPECT_EQ(countOps<MatmulOp>(*integer), 0);

  Tensor reference = run(*epilogue, layer);
  EXPECT_EQ(bitsOf(reference), bitsOf(run(*quantized, layer)));
  Tensor result = run(*integer, layer);
  ASSERT_EQ(result.getShape(), reference.getShape());
  std::vector<double> magnitude = magnitudes(layer);
  for (int64_t i = 0; i < result.getNumElements(); ++i) {
    double before = reference.getValues<float>()[i];
    double after = result.getValues<float>()[i];
    // relu may have hidden the sum: its bound is at most that of the magnitude.
    double sum = layer.hasRelu && layer.hasBias
                     ? magnitude[i] + std::abs(layer.bias[i % layer.n])
                     : before;
    EXPECT_LE(std::abs(before - after), boundOf(layer, magnitude[i], sum))
        << "element " << i;
  }
}

/// After requantization results differ by at most one step, and only where the
/// float result is within the bound of a rounding boundary.
void Fusion::checkQuantizedResult(Layer layer) {
  layer.result = {0.0625f, int64_t(random() % 256)};
  OwningOpRef<ModuleOp> epilogue = fuseEpilogue(*quantize(layer));
  OwningOpRef<ModuleOp> integer = fuseQuantized(*epilogue);
  EXPECT_EQ(countOps<QMatmulOp>(*integer), 1);
  EXPECT_EQ(countOps<MatmulOp>(*integer), 0);
  EXPECT_EQ(countOps<QuantizeOp>(*integer),
            layer.mode == QuantizationMode::Static ? 1 : 0);
  Tensor before = run(*epilogue, layer);
  Tensor after = run(*integer, layer);
  float scale = std::exchange(layer.result.scale, 0.0f);
  Tensor values = run(*fuseEpilogue(*quantize(layer)), layer);
  std::vector<double> magnitude = magnitudes(layer);
  for (int64_t i = 0; i < before.getNumElements(); ++i) {
    int64_t steps =
        std::abs(before.getStoredInteger(i) - after.getStoredInteger(i));
    if (steps == 0)
      continue;
    EXPECT_EQ(steps, 1) << "element " << i;
    // Dividing by a power of two is exact.
    double t = double(values.getValues<float>()[i]) / scale;
    double toBoundary = std::abs(t - std::floor(t) - 0.5);
    double bound = boundOf(layer, magnitude[i], values.getValues<float>()[i]);
    EXPECT_LE(toBoundary, bound / scale) << "element " << i;
  }
}

TEST_F(Fusion, RandomLayers) {
  constexpr int kNumLayers = 300;
  for (int seed = 0; seed < kNumLayers; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random.seed(seed);
    Layer layer = makeLayer();
    checkFloatResult(layer);
    checkQuantizedResult(layer);
    if (HasFailure())
      break;
  }
}

} // namespace

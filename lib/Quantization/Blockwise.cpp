//===- Blockwise.cpp - 4-bit weights in blocks ----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Quantization/Blockwise.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"

using namespace needle;

bool needle::isValidBlockSize(int64_t size) {
  return size >= kMinBlockSize && size <= kMaxBlockSize &&
         llvm::isPowerOf2_64(size);
}

void needle::quantizeBlockwise(llvm::ArrayRef<float> weight,
                               BlockwiseShape shape,
                               llvm::MutableArrayRef<int8_t> stored,
                               llvm::MutableArrayRef<float> scales,
                               llvm::MutableArrayRef<uint8_t> zeroPoints) {
  const QuantFormat &format =
      zeroPoints.empty() ? kInt4Symmetric : kUInt4Asymmetric;
  int64_t n = shape.columns;
  llvm::SmallVector<float, 0> block;
  for (int64_t b = 0; b < shape.blocks(); ++b)
    for (int64_t column = 0; column < n; ++column) {
      block.clear();
      for (int64_t k = shape.begin(b); k < shape.end(b); ++k)
        block.push_back(weight[k * n + column]);
      QuantParams params = chooseParams(computeRange(block), format);
      scales[b * n + column] = params.scale;
      if (!zeroPoints.empty())
        zeroPoints[b * n + column] = static_cast<uint8_t>(params.zeroPoint);
      for (auto [i, value] : llvm::enumerate(block))
        stored[(shape.begin(b) + int64_t(i)) * n + column] =
            static_cast<int8_t>(quantize(value, params, format.range));
    }
}

std::optional<int64_t> needle::findWiderThan4Bits(llvm::ArrayRef<int8_t> stored,
                                                  bool isUnsigned) {
  const IntegerRange &range = isUnsigned ? kUnsigned4Bits : kSigned4Bits;
  for (auto [i, value] : llvm::enumerate(stored))
    if (!range.contains(isUnsigned ? int64_t(uint8_t(value)) : int64_t(value)))
      return int64_t(i);
  return std::nullopt;
}

float needle::quantizeActivationBlock(llvm::ArrayRef<float> values,
                                      llvm::MutableArrayRef<int8_t> stored) {
  QuantParams params = chooseParams(computeRange(values), kInt8Symmetric);
  quantize<int8_t>(values, params, kInt8Symmetric.range, stored);
  return params.scale;
}

//===- QuantTypes.cpp - Parameters as types of the quant dialect ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds and reads `!quant.uniform` types.
//
//===----------------------------------------------------------------------===//

#include "needle/Quantization/QuantTypes.h"
#include "llvm/ADT/STLExtras.h"

using namespace needle;
using namespace mlir;

static unsigned getFlags(const QuantFormat &format) {
  return format.isSigned ? quant::QuantizationFlags::Signed : 0;
}

quant::UniformQuantizedType
needle::getQuantizedType(MLIRContext *context, QuantParams params,
                         const QuantFormat &format) {
  return quant::UniformQuantizedType::get(
      getFlags(format), IntegerType::get(context, format.bits),
      Float32Type::get(context), params.scale, params.zeroPoint,
      format.range.min, format.range.max);
}

quant::UniformQuantizedPerAxisType
needle::getPerAxisQuantizedType(MLIRContext *context,
                                llvm::ArrayRef<QuantParams> params,
                                unsigned axis, const QuantFormat &format) {
  SmallVector<double> scales;
  SmallVector<int64_t> zeroPoints;
  for (const QuantParams &channel : params) {
    scales.push_back(channel.scale);
    zeroPoints.push_back(channel.zeroPoint);
  }
  return quant::UniformQuantizedPerAxisType::get(
      getFlags(format), IntegerType::get(context, format.bits),
      Float32Type::get(context), scales, zeroPoints, axis, format.range.min,
      format.range.max);
}

bool QuantTypeInfo::hasZeroPointsInRange() const {
  return llvm::all_of(params, [&](const QuantParams &channel) {
    return range.contains(channel.zeroPoint);
  });
}

std::optional<QuantTypeInfo> needle::getQuantTypeInfo(Type type) {
  QuantTypeInfo info;
  if (auto perTensor = dyn_cast<quant::UniformQuantizedType>(type)) {
    info.params.push_back(
        {static_cast<float>(perTensor.getScale()), perTensor.getZeroPoint()});
  } else if (auto perAxis =
                 dyn_cast<quant::UniformQuantizedPerAxisType>(type)) {
    info.axis = perAxis.getQuantizedDimension();
    for (auto [scale, zeroPoint] :
         llvm::zip_equal(perAxis.getScales(), perAxis.getZeroPoints()))
      info.params.push_back({static_cast<float>(scale), zeroPoint});
  } else {
    return std::nullopt;
  }
  auto quantized = cast<quant::QuantizedType>(type);
  info.bits = quantized.getStorageTypeIntegralWidth();
  info.isSigned = quantized.isSigned();
  info.range = {quantized.getStorageTypeMin(), quantized.getStorageTypeMax()};
  return info;
}

//===- ConstantQuantization.cpp - Quantized constants ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the values of a constant, chooses parameters, and rounds.
//
//===----------------------------------------------------------------------===//

#include "ConstantQuantization.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "needle/Dialect/Needle/IR/ConstantData.h"
#include "needle/Quantization/QuantTypes.h"
#include <vector>

using namespace needle;
using namespace mlir;

namespace {

/// Parameters and integers of a constant.
struct QuantizedValues {
  quant::QuantizedType type;
  /// Bits of the storage type, signed or not.
  std::vector<int8_t> integers;
};

} // namespace

static void quantizeInto(llvm::ArrayRef<float> values, AxisView view,
                         llvm::ArrayRef<QuantParams> params,
                         const QuantFormat &format,
                         std::vector<int8_t> &integers) {
  integers.resize(values.size());
  if (format.isSigned) {
    quantizePerAxis<int8_t>(values, view, params, format.range, integers);
    return;
  }
  auto *bytes = reinterpret_cast<uint8_t *>(integers.data());
  quantizePerAxis<uint8_t>(values, view, params, format.range,
                           {bytes, integers.size()});
}

static QuantizedValues quantizeValues(MLIRContext *context,
                                      llvm::ArrayRef<float> values,
                                      llvm::ArrayRef<int64_t> shape,
                                      const QuantFormat &format,
                                      std::optional<int64_t> axis) {
  // The whole tensor is one slice of an axis of size one.
  AxisView view{1, 1, static_cast<int64_t>(values.size())};
  if (axis)
    view = AxisView::of(shape, *axis);
  llvm::SmallVector<RealRange> ranges(view.size);
  computeRangePerAxis(values, view, ranges);
  llvm::SmallVector<QuantParams> params =
      llvm::map_to_vector(ranges, [&](const RealRange &range) {
        return chooseParams(range, format);
      });
  QuantizedValues result;
  if (axis)
    result.type = getPerAxisQuantizedType(context, params, *axis, format);
  else
    result.type = getQuantizedType(context, params.front(), format);
  quantizeInto(values, view, params, format, result.integers);
  return result;
}

/// An attribute of the same kind as `original` that holds `integers`.
static ElementsAttr makeAttribute(ElementsAttr original,
                                  llvm::ArrayRef<int8_t> integers,
                                  llvm::StringRef suffix) {
  auto type = RankedTensorType::get(original.getShapedType().getShape(),
                                    IntegerType::get(original.getContext(), 8));
  auto resource = dyn_cast<DenseResourceElementsAttr>(original);
  if (!resource)
    return DenseElementsAttr::get(type, integers);
  std::string name = (resource.getRawHandle().getKey() + suffix).str();
  // What the CPU reads a weight by.
  constexpr size_t kAlignment = 64;
  llvm::ArrayRef<char> bytes(reinterpret_cast<const char *>(integers.data()),
                             integers.size());
  DenseResourceElementsAttr attr = DenseI8ResourceElementsAttr::get(
      type, name,
      HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, kAlignment,
                                                    /*dataIsMutable=*/false));
  return attr;
}

Value ConstantQuantizer::getDequantized(ConstantOp constant,
                                        const QuantFormat &format,
                                        std::optional<int64_t> axis) {
  auto type = cast<RankedTensorType>(constant.getType());
  // A per-axis type cannot be empty.
  if (axis && type.getDimSize(*axis) == 0)
    axis.reset();
  Key opKey(constant.getAsOpaquePointer(), format.isSigned, axis.value_or(-1));
  auto found = dequantized.find(opKey);
  if (found != dequantized.end())
    return found->second;

  Key valueKey(constant.getValue().getAsOpaquePointer(), format.isSigned,
               axis.value_or(-1));
  TypedValue &value = values[valueKey];
  if (!value.second) {
    // There as its verifier has seen to.
    auto data =
        *ConstantData<float>::get(constant.getValue(), type.getNumElements());
    std::vector<float> storage;
    QuantizedValues quantized =
        quantizeValues(constant.getContext(), data.getValues(storage),
                       type.getShape(), format, axis);
    value = {type.clone(quantized.type),
             makeAttribute(constant.getValue(), quantized.integers,
                           format.isSigned ? "_int8" : "_uint8")};
  }

  OpBuilder builder(constant.getContext());
  builder.setInsertionPointAfter(constant);
  auto created =
      ConstantOp::create(builder, constant.getLoc(), value.first, value.second);
  ++numCreated;
  Value result =
      DequantizeOp::create(builder, constant.getLoc(), type, created,
                           /*scale=*/Value(), /*zero_point=*/Value());
  dequantized[opKey] = result;
  return result;
}

//===- ConstantData.h - Values of constants ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the numbers behind dense and resource attributes, and writes folded
// ones.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_LIB_DIALECT_NEEDLE_IR_CONSTANTDATA_H
#define NEEDLE_LIB_DIALECT_NEEDLE_IR_CONSTANTDATA_H

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include <optional>

namespace needle {

/// Folding makes no constant of more elements than this: beyond it, computing
/// at compile time costs text, memory and time without gain. Splats and
/// constants that share their data are exempt.
inline constexpr int64_t kMaxFoldedElements = 4096;

/// The bytes of a dense or resource attribute, row-major; those of one element
/// if `isSplat`.
struct ConstantBytes {
  llvm::ArrayRef<char> bytes;
  bool isSplat;
};

/// None if `attr` is of another kind or its resource is missing.
std::optional<ConstantBytes> getConstantBytes(mlir::Attribute attr);

/// The elements of a constant whose element type is stored as T.
template <typename T>
class ConstantData {
public:
  /// None if `attr` holds no readable data, or not `numElements` of type T.
  static std::optional<ConstantData> get(mlir::Attribute attr,
                                         int64_t numElements) {
    std::optional<ConstantBytes> data = getConstantBytes(attr);
    size_t expected = data && data->isSplat ? 1 : numElements;
    if (!data || data->bytes.size() != expected * sizeof(T))
      return std::nullopt;
    auto *values = reinterpret_cast<const T *>(data->bytes.data());
    return ConstantData(llvm::ArrayRef<T>(values, expected), data->isSplat);
  }

  bool isSplat() const { return splat; }
  T operator[](int64_t i) const { return values[splat ? 0 : i]; }

private:
  ConstantData(llvm::ArrayRef<T> values, bool splat)
      : values(values), splat(splat) {}

  llvm::ArrayRef<T> values;
  bool splat;
};

/// The type of the attribute that holds a constant of type `type`: quantized
/// elements are stored as signless integers.
mlir::RankedTensorType getStorageTensorType(mlir::RankedTensorType type);

} // namespace needle

#endif // NEEDLE_LIB_DIALECT_NEEDLE_IR_CONSTANTDATA_H

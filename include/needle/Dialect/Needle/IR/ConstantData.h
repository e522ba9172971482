//===- ConstantData.h - Values of constants ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the numbers behind dense and resource attributes, and writes folded
// ones.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLE_IR_CONSTANTDATA_H
#define NEEDLE_DIALECT_NEEDLE_IR_CONSTANTDATA_H

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/Alignment.h"
#include <cstring>
#include <optional>
#include <vector>

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

/// None if `attr` is of another kind or its resource has no data.
std::optional<ConstantBytes> getConstantBytes(mlir::Attribute attr);

/// The elements of a constant whose element type is stored as T. The text of a
/// module may align a resource as it likes, so they are not read in place
/// unless they are aligned.
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
    return ConstantData(*data, numElements);
  }

  bool isSplat() const { return data.isSplat; }

  T operator[](int64_t i) const {
    T value;
    const char *from = data.bytes.data() + (isSplat() ? 0 : i * sizeof(T));
    std::memcpy(&value, from, sizeof(T));
    return value;
  }

  /// All elements: those of the attribute where they lie as they are, else a
  /// copy in `storage`.
  llvm::ArrayRef<T> getValues(std::vector<T> &storage) const {
    if (isSplat()) {
      storage.assign(numElements, (*this)[0]);
      return storage;
    }
    const char *bytes = data.bytes.data();
    if (llvm::isAddrAligned(llvm::Align::Of<T>(), bytes))
      return {reinterpret_cast<const T *>(bytes), size_t(numElements)};
    storage.resize(numElements);
    std::memcpy(storage.data(), bytes, data.bytes.size());
    return storage;
  }

private:
  ConstantData(ConstantBytes data, int64_t numElements)
      : data(data), numElements(numElements) {}

  ConstantBytes data;
  int64_t numElements;
};

/// The type of the attribute that holds a constant of type `type`: quantized
/// elements are stored as signless integers.
mlir::RankedTensorType getStorageTensorType(mlir::RankedTensorType type);

} // namespace needle

#endif // NEEDLE_DIALECT_NEEDLE_IR_CONSTANTDATA_H

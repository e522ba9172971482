//===- Tensor.h - Host tensors of the reference interpreter -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A dense row-major tensor that owns its elements.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_REFERENCE_TENSOR_H
#define NEEDLE_REFERENCE_TENSOR_H

#include "mlir/IR/Types.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>

namespace needle {

/// What the interpreter computes with. The integers of a quantized type are
/// stored as UI8 or SI8; the parameters stay in the type.
enum class ElementKind : uint8_t { F32, I32, UI8, SI8 };

/// Size in bytes.
unsigned getElementSize(ElementKind kind);

/// As in the text of a type: "f32", "i32", "ui8", "si8".
llvm::StringRef stringifyElementKind(ElementKind kind);

/// How elements of an MLIR element type are stored; none if the interpreter has
/// no such elements.
std::optional<ElementKind> getElementKind(mlir::Type elementType);

/// The C++ type of the elements of each kind.
template <typename T>
struct ElementKindOf;
template <>
struct ElementKindOf<float> {
  static constexpr ElementKind value = ElementKind::F32;
};
template <>
struct ElementKindOf<int32_t> {
  static constexpr ElementKind value = ElementKind::I32;
};
template <>
struct ElementKindOf<uint8_t> {
  static constexpr ElementKind value = ElementKind::UI8;
};
template <>
struct ElementKindOf<int8_t> {
  static constexpr ElementKind value = ElementKind::SI8;
};

/// A dense row-major tensor with value semantics.
class Tensor {
public:
  /// A zero-filled tensor; fails when its size in bytes overflows or the
  /// allocation does. No extent may be negative.
  static mlir::FailureOr<Tensor> create(ElementKind kind,
                                        llvm::ArrayRef<int64_t> shape);

  /// A tensor of given elements; their number must fit `shape`.
  template <typename T>
  static Tensor of(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<T> values) {
    mlir::FailureOr<Tensor> tensor = create(ElementKindOf<T>::value, shape);
    assert(mlir::succeeded(tensor) &&
           tensor->getNumElements() == int64_t(values.size()) &&
           "as many values as the shape has elements");
    llvm::copy(values, tensor->getMutableValues<T>().begin());
    return std::move(*tensor);
  }

  Tensor(const Tensor &other);
  Tensor(Tensor &&) = default;
  Tensor &operator=(Tensor other);

  ElementKind getKind() const { return kind; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getRank() const { return shape.size(); }
  int64_t getNumElements() const { return numElements; }

  llvm::ArrayRef<char> getBytes() const { return {data.get(), getNumBytes()}; }
  llvm::MutableArrayRef<char> getMutableBytes() {
    return {data.get(), getNumBytes()};
  }

  /// The elements; T must be the type that belongs to the kind.
  template <typename T>
  llvm::ArrayRef<T> getValues() const {
    assert(ElementKindOf<T>::value == kind && "elements of another kind");
    return {reinterpret_cast<const T *>(data.get()), size_t(numElements)};
  }
  template <typename T>
  llvm::MutableArrayRef<T> getMutableValues() {
    assert(ElementKindOf<T>::value == kind && "elements of another kind");
    return {reinterpret_cast<T *>(data.get()), size_t(numElements)};
  }

  /// One element of a UI8 or SI8 tensor.
  int64_t getStoredInteger(int64_t index) const {
    return kind == ElementKind::UI8 ? int64_t(getValues<uint8_t>()[index])
                                    : int64_t(getValues<int8_t>()[index]);
  }
  /// Sets one element of a UI8 or SI8 tensor; `value` must fit.
  void setStoredInteger(int64_t index, int64_t value) {
    if (kind == ElementKind::UI8)
      getMutableValues<uint8_t>()[index] = static_cast<uint8_t>(value);
    else
      getMutableValues<int8_t>()[index] = static_cast<int8_t>(value);
  }

  /// The same elements in another shape with as many.
  Tensor reshaped(llvm::ArrayRef<int64_t> newShape) &&;

private:
  struct Free {
    void operator()(char *bytes) const { std::free(bytes); }
  };

  Tensor(ElementKind kind, llvm::ArrayRef<int64_t> shape, int64_t numElements,
         char *data)
      : kind(kind), shape(shape), numElements(numElements), data(data) {}
  size_t getNumBytes() const { return numElements * getElementSize(kind); }

  ElementKind kind;
  llvm::SmallVector<int64_t, 4> shape;
  int64_t numElements;
  std::unique_ptr<char[], Free> data;
};

} // namespace needle

#endif // NEEDLE_REFERENCE_TENSOR_H

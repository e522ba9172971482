// Between NumPy arrays and the tensors of the C APIs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_PYTHON_ARRAYS_H
#define NEEDLE_PYTHON_ARRAYS_H

#include "needle-rt/runtime.h"

#include <nanobind/nanobind.h>
#include <vector>

namespace needle::python {

namespace nb = nanobind;

/// Looks up what is needed of NumPy; once, when the extension is imported.
void initializeArrays();

/// NumPy's name of a type, e.g. "float32".
const char *getNumPyName(NdlDType dtype);

/// A Python object's memory as a tensor, held until this is destroyed.
class BorrowedTensor {
public:
  BorrowedTensor() = default;
  BorrowedTensor(const BorrowedTensor &) = delete;
  ~BorrowedTensor() { release(); }

  /// Borrows the memory of an array (a NumPy array, or what exports a buffer,
  /// `__array__` or DLPack) for the input or output `info`. Copies only an
  /// array whose elements are misaligned.
  /// Throws TypeError for anything else and for another dtype.
  void borrow(nb::handle array, const NdlTensorInfo &info, const char *kind);

  /// Valid as long as this object. Strides are null if contiguous.
  const NdlTensor &tensor() const { return view; }

private:
  void release();
  bool getBuffer(PyObject *object);
  void setTensor(NdlDType dtype);

  Py_buffer buffer = {};
  NdlTensor view = {};
  std::vector<int64_t> strides;
};

/// A new NumPy array with uninitialized elements; `data` is its memory, which
/// lives as long as the array.
nb::object makeArray(NdlDType dtype, const int64_t *dims, int32_t rank,
                     void *&data);

/// An array that was made for an earlier result, if nobody else refers to it
/// any more and it still is what makeArray would make; else an invalid object.
nb::object reuseArray(const nb::object &array, NdlDType dtype,
                      const int64_t *dims, int32_t rank, void *&data);

/// A new NumPy array with a copy of a contiguous tensor.
nb::object copyToArray(const NdlTensor &tensor);

/// Describes a tensor as (name, dtype, shape, quantization): None stands for a
/// dynamic dimension; quantization is None or (axis or None, scales, zero
/// points, least and largest stored integer).
nb::tuple describeTensor(const NdlTensorInfo &info);

/// Describes an entry point as (name, inputs, outputs).
nb::tuple describeEntry(const NdlEntryInfo &info);

} // namespace needle::python

#endif // NEEDLE_PYTHON_ARRAYS_H

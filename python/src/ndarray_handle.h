// Handles: the memory of arrays as Python objects.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_PYTHON_NDARRAY_HANDLE_H
#define NEEDLE_PYTHON_NDARRAY_HANDLE_H

#include "eager/view.h"

#include <nanobind/nanobind.h>

namespace needle::python {

namespace nb = nanobind;

/// The memory that views share. At most one Python object stands for it at a
/// time, so that `a._handle is a[...]._handle`.
struct Handle {
  Handle(ndl::eager::StoragePtr storage, NdlDType dtype)
      : storage(std::move(storage)), dtype(dtype) {}
  Handle(Handle &&) = default;
  ~Handle();

  int64_t size() const {
    return storage->bytes() / ndl::eager::elementBytes(dtype);
  }

  ndl::eager::StoragePtr storage;
  NdlDType dtype;
};

/// Likewise of a CUDA device.
struct CudaHandle : Handle {
  using Handle::Handle;
};

/// The Python object of a storage.
nb::object wrapStorage(const ndl::eager::StoragePtr &storage, NdlDType dtype);

/// float32 or uint8 by NumPy's dtype or its name; throws TypeError.
NdlDType readDType(nb::handle dtype);

} // namespace needle::python

#endif // NEEDLE_PYTHON_NDARRAY_HANDLE_H

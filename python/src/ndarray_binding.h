// Arrays in functions that nanobind binds: errors are exceptions here.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_PYTHON_NDARRAY_BINDING_H
#define NEEDLE_PYTHON_NDARRAY_BINDING_H

#include "bindings.h"
#include "ndarray.h"

namespace needle::python {

/// A new reference as an object; throws if it is null.
inline nb::object take(PyObject *object) {
  if (!object)
    throw nb::python_error();
  return nb::steal(object);
}

inline nb::object take(Array *array) { return take(asObject(array)); }

inline Array *get(nb::handle object) {
  Array *array = expectArray(object.ptr());
  if (!array)
    throw nb::python_error();
  return array;
}

/// An array with native memory.
inline Array *getNative(nb::handle object) {
  Array *array = get(object);
  if (!array->isNative())
    raise(PyExc_ValueError, "an array on cpu() or cuda() is needed");
  return array;
}

inline const eager::KernelLibrary &orThrow(const eager::KernelLibrary *loaded) {
  if (!loaded)
    throw nb::python_error();
  return *loaded;
}

/// The kernels that work on the memory of an array.
inline const eager::KernelLibrary &libraryOf(const Array *x) {
  return orThrow(getLibrary(x));
}

inline void checkStatus(const ndl::Status &status) {
  if (status.ok())
    return;
  setError(status);
  throw nb::python_error();
}

inline Numbers readAll(nb::handle numbers, const char *what) {
  Numbers result;
  PyObject *object = numbers.ptr();
  if (!readNumbers(&object, 1, what, result))
    throw nb::python_error();
  return result;
}

inline eager::QuantParams readParams(nb::handle params) {
  return {nb::cast<float>(params.attr("scale")),
          nb::cast<int32_t>(params.attr("zero_point"))};
}

} // namespace needle::python

#endif // NEEDLE_PYTHON_NDARRAY_BINDING_H

// Copying arrays and writing to them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "arrays.h"
#include "eager/copy.h"
#include "eager/device.h"
#include "ndarray.h"
#include "ndarray_handle.h"

#include <cstring>

using namespace needle::python;

PyObject *needle::python::getHandle(Array *x) {
  if (x->foreign)
    return Py_NewRef(x->foreign);
  try {
    return wrapStorage(x->view.storage, x->view.dtype).release().ptr();
  } catch (nb::python_error &error) {
    error.restore();
    return nullptr;
  }
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

bool needle::python::isCompact(const Array *x) {
  if (x->isNative())
    return x->view.isCompact();
  return x->view.isContiguous() && x->view.offset == 0 &&
         x->view.size() == x->foreignSize;
}

Array *needle::python::copyArray(Array *x) {
  if (!x->isNative()) {
    PyObject *copy =
        PyObject_CallMethod(x->device, "array_copy", "O", asObject(x));
    Array *array = copy ? expectArray(copy) : nullptr;
    if (!array)
      Py_XDECREF(copy);
    return array;
  }
  const eager::KernelLibrary *library = getLibrary(x);
  Array *copy = library ? newLike(x, x->committed) : nullptr;
  if (!copy)
    return nullptr;
  ndl::Status status;
  {
    LongWork work(x->view.size());
    status = eager::compact(*library, x->view, copy->view);
  }
  if (!status.ok()) {
    Py_DECREF(asObject(copy));
    setError(status);
    return nullptr;
  }
  if (x->params)
    setParams(copy, x->params, x->quant);
  return copy;
}

static PyObject *compact(PyObject *object, PyObject *) {
  return guard([&]() -> PyObject * {
    Array *x = expectArray(object);
    if (!x)
      return nullptr;
    if (isCompact(x))
      return Py_NewRef(object);
    Array *copy = copyArray(x);
    return copy ? finish(copy, x) : nullptr;
  });
}

static PyObject *isCompactMethod(PyObject *object, PyObject *) {
  Array *x = expectArray(object);
  return x ? PyBool_FromLong(isCompact(x)) : nullptr;
}

/// Copies the elements of an array on a device to the host's memory.
static PyObject *readFromDevice(Array *x, nb::object array, void *data,
                                size_t bytes) {
  const eager::KernelLibrary *library = getLibrary(x);
  if (!library)
    return nullptr;
  eager::View compacted = x->view;
  ndl::Status status;
  {
    nb::gil_scoped_release release;
    if (!x->view.isContiguous())
      status = eager::compact(*library, x->view, compacted);
    if (status.ok())
      status = library->device()->read(compacted.data(), data, bytes);
  }
  return status.ok() ? array.release().ptr() : setError(status);
}

/// Copies the elements to a new NumPy array.
static PyObject *copyToNumPy(Array *x) {
  void *data = nullptr;
  nb::object array =
      makeArray(x->view.dtype, x->view.shape, x->view.rank, data);
  size_t bytes = x->view.size() * eager::elementBytes(x->view.dtype);
  if (bytes == 0)
    return array.release().ptr();
  if (x->isOnDevice())
    return readFromDevice(x, std::move(array), data, bytes);
  if (x->view.isContiguous()) {
    LongWork work(x->view.size());
    std::memcpy(data, x->view.data(), bytes);
    return array.release().ptr();
  }
  const eager::KernelLibrary *library = getLibrary();
  if (!library)
    return nullptr;
  eager::View target;
  ndl::Status status;
  {
    LongWork work(x->view.size());
    status = eager::makeView(eager::Storage::adopt(
                                 data, bytes, [](void *) {}, nullptr),
                             x->view.dtype, x->view.rank, x->view.shape,
                             nullptr, 0, target);
    if (status.ok())
      status = eager::copyInto(*library, target, x->view);
  }
  return status.ok() ? array.release().ptr() : setError(status);
}

static PyObject *numpyMethod(PyObject *object, PyObject *) {
  return guard([&]() -> PyObject * {
    Array *x = expectArray(object);
    if (!x)
      return nullptr;
    if (!x->isNative())
      return PyObject_CallMethod(x->device, "array_numpy", "O", object);
    try {
      return copyToNumPy(x);
    } catch (nb::python_error &error) {
      error.restore();
      return nullptr;
    }
  });
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Whether two shapes are equal but for extents of 1.
static bool haveSameExtents(const eager::View &a, const eager::View &b) {
  int32_t i = 0, j = 0;
  while (true) {
    while (i < a.rank && a.shape[i] == 1)
      ++i;
    while (j < b.rank && b.shape[j] == 1)
      ++j;
    if (i == a.rank || j == b.rank)
      return i == a.rank && j == b.rank;
    if (a.shape[i++] != b.shape[j++])
      return false;
  }
}

ndl::Status needle::python::writeArray(const eager::KernelLibrary &library,
                                       const eager::View &target,
                                       const eager::View &source) {
  if (!haveSameExtents(target, source))
    return eager::copyInto(library, target, source);
  eager::View fitted;
  bool possible = false;
  ndl::Status status =
      eager::reshapeView(source, target.rank, target.shape, fitted, possible);
  if (!status.ok())
    return status;
  return eager::copyInto(library, target, fitted);
}

static int report(const ndl::Status &status) {
  if (status.ok())
    return 0;
  setError(status);
  return -1;
}

/// Writes a number or a native array to a view. Returns 1 if NDArray's method
/// in Python has to do it, -1 with an exception.
static int write(Array *view, PyObject *value) {
  if (!view->isFloat())
    return 1;
  const eager::KernelLibrary *library = getLibrary(view);
  if (!library)
    return -1;
  if (Array *source = asArray(value)) {
    if (!source->isFloat() || source->device != view->device)
      return 1;
    ndl::Status status;
    {
      LongWork work(view->view.size());
      status = writeArray(*library, view->view, source->view);
    }
    return report(status);
  }
  if (!PyFloat_Check(value) && !PyLong_Check(value))
    return 1;
  double number = PyFloat_AsDouble(value);
  if (number == -1 && PyErr_Occurred())
    return -1;
  ndl::Status status;
  {
    LongWork work(view->view.size());
    status = eager::fill(*library, view->view,
                         eager::Scalar::f32(static_cast<float>(number)));
  }
  return report(status);
}

int assignSubscript(PyObject *object, PyObject *index, PyObject *value) {
  return guard([&]() -> int {
    Array *x = expectArray(object);
    if (!x)
      return -1;
    if (!value) {
      PyErr_SetString(PyExc_TypeError,
                      "elements of an array cannot be deleted");
      return -1;
    }
    Array *view = getItem(x, index);
    if (!view)
      return -1;
    int result = write(view, value);
    if (result == 1) {
      PyObject *done =
          PyObject_CallMethod(object, "_write", "OO", asObject(view), value);
      result = done ? 0 : -1;
      Py_XDECREF(done);
    }
    Py_DECREF(asObject(view));
    return result;
  });
}

PyMethodDef needle::python::copyMethods[] = {
    {"compact", compact, METH_NOARGS,
     "compact($self)\n--\n\n"
     "The array itself if it fills its handle in row-major order, otherwise a "
     "copy that does."},
    {"is_compact", isCompactMethod, METH_NOARGS,
     "is_compact($self)\n--\n\n"
     "Whether the array fills its handle in row-major order."},
    {"numpy", numpyMethod, METH_NOARGS,
     "numpy($self)\n--\n\n"
     "A copy as a NumPy array: float32, or the stored integers of a quantized "
     "array."},
    {}};

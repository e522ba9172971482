// Arguments, errors and kernels of arrays.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ndarray.h"

#include "bindings.h"
#include "eager/cuda_device.h"
#include "eager/embedded_kernels.h"

#include <memory>

using namespace needle::python;

const eager::KernelLibrary *needle::python::getLibrary() {
  // Never freed: arrays may outlive the interpreter's modules.
  static const eager::KernelLibrary *library = nullptr;
  if (library)
    return library;
  eager::EmbeddedArtifact artifact = eager::embeddedKernels();
  std::unique_ptr<eager::KernelLibrary> loaded;
  ndl::Status status =
      eager::KernelLibrary::load(artifact.data, artifact.size, nullptr, loaded);
  if (!status.ok()) {
    setError(status.in("the kernels of needle cannot be loaded"));
    return nullptr;
  }
  return library = loaded.release();
}

const eager::KernelLibrary *needle::python::getCudaLibrary() {
  // Never freed, likewise.
  static const eager::KernelLibrary *library = nullptr;
  if (library)
    return library;
  eager::EmbeddedArtifact artifact = eager::embeddedKernels();
  std::unique_ptr<eager::KernelLibrary> loaded;
  ndl::Status status;
  {
    nb::gil_scoped_release release;
    status = eager::loadCudaLibrary(artifact.data, artifact.size, loaded);
  }
  if (!status.ok()) {
    setError(status.in("cuda() cannot be used"));
    return nullptr;
  }
  return library = loaded.release();
}

PyObject *needle::python::setError(const ndl::Status &status) {
  PyObject *type = PyExc_RuntimeError;
  switch (status.code()) {
  case NDL_INVALID_ARGUMENT:
    type = PyExc_ValueError;
    break;
  case NDL_OUT_OF_MEMORY:
    type = PyExc_MemoryError;
    break;
  default:
    break;
  }
  PyErr_SetString(type, status.message().c_str());
  return nullptr;
}

PyObject *needle::python::makeTuple(int32_t count, const int64_t *values) {
  PyObject *tuple = PyTuple_New(count);
  for (int32_t i = 0; tuple && i < count; ++i) {
    PyObject *value = PyLong_FromLongLong(values[i]);
    if (!value) {
      Py_DECREF(tuple);
      return nullptr;
    }
    PyTuple_SET_ITEM(tuple, i, value);
  }
  return tuple;
}

int64_t Numbers::product() const {
  int64_t result = 1;
  for (int32_t i = 0; i < count; ++i)
    if (__builtin_mul_overflow(result, values[i], &result))
      return -1;
  return result;
}

static bool readNumber(PyObject *object, const char *what, int64_t &value) {
  if (PyLong_CheckExact(object)) {
    value = PyLong_AsLongLong(object);
    return value != -1 || !PyErr_Occurred();
  }
  PyObject *index = PyIndex_Check(object) ? PyNumber_Index(object) : nullptr;
  if (!index) {
    if (!PyErr_Occurred())
      PyErr_Format(PyExc_TypeError, "%s: an integer is needed, got %s", what,
                   Py_TYPE(object)->tp_name);
    return false;
  }
  value = PyLong_AsLongLong(index);
  Py_DECREF(index);
  return value != -1 || !PyErr_Occurred();
}

/// NumPy's arrays have __index__ too.
static bool isInteger(PyObject *object) {
  return PyLong_Check(object) ||
         (PyIndex_Check(object) && !PySequence_Check(object));
}

bool needle::python::readNumbers(PyObject *const *arguments, Py_ssize_t count,
                                 const char *what, Numbers &numbers) {
  PyObject *sequence = nullptr;
  if (count == 1 && !isInteger(arguments[0])) {
    // A tuple, which __index__ of an element cannot change.
    sequence = PySequence_Tuple(arguments[0]);
    if (!sequence) {
      if (PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "%s: integers are needed, got %s", what,
                     Py_TYPE(arguments[0])->tp_name);
      return false;
    }
    arguments = PySequence_Fast_ITEMS(sequence);
    count = PyTuple_GET_SIZE(sequence);
  }
  bool read = count <= eager::maxRank;
  if (!read)
    PyErr_Format(PyExc_ValueError, "%s: an array has at most %d dimensions",
                 what, int(eager::maxRank));
  numbers.count = 0;
  for (Py_ssize_t i = 0; read && i < count; ++i)
    read = readNumber(arguments[i], what, numbers.values[numbers.count++]);
  Py_XDECREF(sequence);
  return read;
}

bool needle::python::normalizeAxis(int64_t &axis, int32_t rank) {
  if (-rank <= axis && axis < rank) {
    axis += axis < 0 ? rank : 0;
    return true;
  }
  PyErr_Format(PyExc_ValueError, "axis %lld is out of range for %d dimensions",
               static_cast<long long>(axis), int(rank));
  return false;
}

bool needle::python::readAxes(PyObject *object, int32_t rank, uint32_t &bits) {
  bits = rank == 32 ? ~uint32_t(0) : (uint32_t(1) << rank) - 1;
  if (object == Py_None)
    return true;
  Numbers axes;
  if (!readNumbers(&object, 1, "axis", axes))
    return false;
  bits = 0;
  for (int32_t i = 0; i < axes.count; ++i) {
    if (!normalizeAxis(axes.values[i], rank))
      return false;
    uint32_t bit = uint32_t(1) << axes.values[i];
    if (bits & bit) {
      PyErr_Format(PyExc_ValueError, "axis %lld is given twice",
                   static_cast<long long>(axes.values[i]));
      return false;
    }
    bits |= bit;
  }
  return true;
}

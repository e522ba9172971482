// The class _needle.NDArrayBase: arrays as Python objects.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Written against CPython's own interface and not nanobind's: an operation on
// small arrays is to cost little more than its kernel. Functions that return
// PyObject * return a new reference, or null with an exception set.

#ifndef NEEDLE_PYTHON_NDARRAY_H
#define NEEDLE_PYTHON_NDARRAY_H

#include "eager/kernel_library.h"
#include "eager/quantize.h"
#include "eager/view.h"

#include <Python.h>
#include <new>

namespace needle::python {

namespace eager = ndl::eager;

/// An instance. Shape, strides and offset are those of `view`; its memory is a
/// native storage, or what a backend written in Python has.
struct Array {
  PyObject base; // What PyObject_HEAD declares.
  PyObject *weakReferences;
  PyObject *device;  ///< null until __init__
  PyObject *foreign; ///< handle of a backend in Python, or null
  PyObject *params;  ///< QuantParams, or null: not quantized
  int64_t foreignSize;
  eager::QuantParams quant;
  bool committed;
  eager::View view;

  /// Native memory: kernels can run on it.
  bool isNative() const { return bool(view.storage); }
  /// Native memory of a device, which the host cannot read.
  bool isOnDevice() const {
    return isNative() && view.storage->kind() == eager::MemoryKind::Device;
  }
  bool isFloat() const { return isNative() && view.dtype == NDL_DTYPE_F32; }
};

/// What the package registers.
struct ArrayClasses {
  PyTypeObject *base;        ///< NDArrayBase
  PyTypeObject *array;       ///< NDArray, the class of results
  PyObject *quantParams;     ///< the class QuantParams
  PyObject *dtype;           ///< numpy.dtype
  PyObject *float32, *uint8; ///< NumPy's dtypes
};
extern ArrayClasses classes;

/// The object as an array that __init__ has run for, or null without an
/// exception.
inline Array *asArray(PyObject *object) {
  if (Py_TYPE(object) != classes.array &&
      !PyObject_TypeCheck(object, classes.base))
    return nullptr;
  auto *array = reinterpret_cast<Array *>(object);
  return array->device ? array : nullptr;
}

inline PyObject *asObject(Array *array) {
  return reinterpret_cast<PyObject *>(array);
}

/// The argument as an array; otherwise null with TypeError.
Array *expectArray(PyObject *object);

/// The loaded kernels of the CPU; null with an exception if they cannot be
/// loaded.
const eager::KernelLibrary *getLibrary();
/// Likewise those of the CUDA device.
const eager::KernelLibrary *getCudaLibrary();
/// Those that work on the memory of an array.
inline const eager::KernelLibrary *getLibrary(const Array *x) {
  return x->isOnDevice() ? getCudaLibrary() : getLibrary();
}

/// Sets the exception that belongs to a status; returns null.
PyObject *setError(const ndl::Status &status);

/// A new NDArray without shape and memory, on the device of `like`.
Array *newLike(const Array *like, bool committed);
/// A new NDArray that shares memory, device and parameters with `x`; its view
/// is for the caller to set.
Array *newView(const Array *x);
/// The same array as instance of the class of `like`: itself if that is
/// NDArray, else what the class' `make` gives. Takes over the reference.
PyObject *finish(Array *array, const Array *like);
/// finish(), or the error of a status.
inline PyObject *finish(Array *array, const Array *like,
                        const ndl::Status &status) {
  if (status.ok())
    return finish(array, like);
  Py_DECREF(asObject(array));
  return setError(status);
}
void setParams(Array *array, PyObject *params, eager::QuantParams quant);

/// A shape, strides or axes: small, of at most eager::maxRank numbers.
struct Numbers {
  int32_t count = 0;
  int64_t values[eager::maxRank];

  int64_t product() const;
};
/// Reads integers from `arguments`, which may be one sequence of them. `what`
/// names them in errors.
bool readNumbers(PyObject *const *arguments, Py_ssize_t count, const char *what,
                 Numbers &numbers);
/// Reads None (all), an integer or a sequence into bits of axes.
bool readAxes(PyObject *object, int32_t rank, uint32_t &bits);
/// Counts an axis from the front; false with ValueError if out of range.
bool normalizeAxis(int64_t &axis, int32_t rank);
PyObject *makeTuple(int32_t count, const int64_t *values);

/// Releases the interpreter's lock for work on many elements. Until it ends,
/// nothing may touch Python: no exception, no second LongWork.
class LongWork {
public:
  explicit LongWork(int64_t elements) {
    if (elements >= kManyElements)
      state = PyEval_SaveThread();
  }
  ~LongWork() {
    if (state)
      PyEval_RestoreThread(state);
  }
  LongWork(const LongWork &) = delete;
  LongWork &operator=(const LongWork &) = delete;

private:
  static constexpr int64_t kManyElements = 1 << 15;
  PyThreadState *state = nullptr;
};

/// Runs `function`, which returns a pointer or an integer; what it throws
/// becomes MemoryError.
template <typename Function>
auto guard(Function &&function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc &) {
    PyErr_NoMemory();
  }
  using Result = decltype(function());
  if constexpr (std::is_pointer_v<Result>)
    return nullptr;
  else
    return -1;
}

// A view of `x` by an index as in x[index], not yet finished: its class is
// NDArray.
Array *getItem(Array *x, PyObject *index);
/// A copy in new memory, compact; the class is NDArray.
Array *copyArray(Array *x);
/// Whether an array fills its handle in row-major order.
bool isCompact(const Array *x);
/// The handle of an array as a Python object.
PyObject *getHandle(Array *x);

/// Writes a native array to a native view of the same type. Its shape
/// broadcasts to that of the view, or is equal to it but for extents of 1. The
/// caller may have released the interpreter's lock.
ndl::Status writeArray(const eager::KernelLibrary &library,
                       const eager::View &target, const eager::View &source);

// Operators, for the type and for the backend's functions.
PyObject *runUnary(const char *name, Array *x);
PyObject *runBinary(const char *name, PyObject *left, PyObject *right);
PyObject *runReduce(const char *name, Array *x, uint32_t axes, bool keepDims);
PyObject *runMatmul(Array *a, Array *b, Array *bias);

/// Slots of the type, each array ended by an empty entry.
extern PyMethodDef viewMethods[];
extern PyMethodDef operatorMethods[];
extern PyMethodDef copyMethods[];
extern PyType_Slot operatorSlots[];
extern PyType_Slot indexSlots[];

} // namespace needle::python

#endif // NEEDLE_PYTHON_NDARRAY_H

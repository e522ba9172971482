// Operators of arrays: straight to a kernel where the operands are native
// floats on one device, otherwise to the methods of NDArray in Python.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/copy.h"
#include "eager/elementwise.h"
#include "eager/matmul.h"
#include "eager/reduce.h"
#include "ndarray.h"
#include "ndarray_kernels.h"

#include <algorithm>
#include <cstring>

using namespace needle::python;

//===----------------------------------------------------------------------===//
// Launching
//===----------------------------------------------------------------------===//

/// A Python float or int as f32. False without an exception for anything else
/// and for an int that no double can hold.
static bool readScalar(PyObject *object, float &value) {
  double number;
  if (PyFloat_Check(object)) {
    number = PyFloat_AS_DOUBLE(object);
  } else if (PyLong_Check(object)) {
    number = PyLong_AsDouble(object);
    if (number == -1 && PyErr_Occurred()) {
      PyErr_Clear();
      return false;
    }
  } else {
    return false;
  }
  value = static_cast<float>(number);
  return true;
}

static PyObject *launchUnary(MapKernel kernel, Array *x,
                             const eager::Scalar *scalars = nullptr) {
  const eager::KernelLibrary *library = getLibrary(x);
  Array *result = library ? newLike(x, x->committed) : nullptr;
  if (!result)
    return nullptr;
  ndl::Status status;
  {
    LongWork work(x->view.size());
    status = eager::unary(*library, kernel, x->view, result->view, scalars);
  }
  return finish(result, x, status);
}

static PyObject *launchScalar(MapKernel kernel, Array *x, float value) {
  eager::Scalar scalar = eager::Scalar::f32(value);
  return launchUnary(kernel, x, &scalar);
}

static PyObject *launchBinary(MapKernel kernel, Array *a, Array *b,
                              const Array *like) {
  const eager::KernelLibrary *library = getLibrary(a);
  Array *result = library ? newLike(a, a->committed || b->committed) : nullptr;
  if (!result)
    return nullptr;
  ndl::Status status;
  {
    LongWork work(std::max(a->view.size(), b->view.size()));
    status = eager::binary(*library, kernel, a->view, b->view, result->view);
  }
  return finish(result, like, status);
}

/// x ** value. Powers that one product or quotient rounds just as well.
static PyObject *launchPower(Array *x, float value) {
  if (value == 2)
    return launchBinary(MapKernel::EwiseMul, x, x, x);
  if (value == -1)
    return launchScalar(MapKernel::ScalarRdiv, x, 1);
  return launchScalar(MapKernel::ScalarPower, x, value);
}

/// The operation by NDArray's method in Python.
static PyObject *operateInPython(const BinaryRow &row, PyObject *array,
                                 PyObject *other, bool reflected) {
  return PyObject_CallMethod(array, "_binary", "sOO", row.name, other,
                             reflected ? Py_True : Py_False);
}

static PyObject *operate(const BinaryRow &row, PyObject *left,
                         PyObject *right) {
  return guard([&]() -> PyObject * {
    Array *a = asArray(left), *b = asArray(right);
    float value;
    if (a && b) {
      if (a->isFloat() && b->isFloat() && a->device == b->device)
        return launchBinary(row.arrays, a, b, a);
      return operateInPython(row, left, right, false);
    }
    if (a) {
      if (!a->isFloat() || !readScalar(right, value))
        return operateInPython(row, left, right, false);
      return row.scalar == MapKernel::ScalarPower
                 ? launchPower(a, value)
                 : launchScalar(row.scalar, a, value);
    }
    if (b) {
      if (!b->isFloat() || !readScalar(left, value))
        return operateInPython(row, right, left, true);
      return launchScalar(row.reflected, b, value);
    }
    Py_RETURN_NOTIMPLEMENTED;
  });
}

template <int row>
static PyObject *binarySlot(PyObject *left, PyObject *right) {
  return operate(binaryRows[row], left, right);
}

static PyObject *powerSlot(PyObject *left, PyObject *right, PyObject *modulus) {
  if (modulus != Py_None)
    Py_RETURN_NOTIMPLEMENTED;
  return operate(binaryRows[Power], left, right);
}

static PyObject *compareSlot(PyObject *left, PyObject *right, int comparison) {
  return operate(binaryRows[comparisonRow[comparison]], left, right);
}

template <int row>
static PyObject *binaryMethod(PyObject *object, PyObject *other) {
  PyObject *result = operate(binaryRows[row], object, other);
  if (result != Py_NotImplemented)
    return result;
  Py_DECREF(result);
  PyErr_Format(PyExc_TypeError, "%s() takes an array or a number, got %s",
               binaryRows[row].name, Py_TYPE(other)->tp_name);
  return nullptr;
}

template <int row>
static PyObject *unarySlot(PyObject *object) {
  return guard([&]() -> PyObject * {
    Array *x = expectArray(object);
    if (!x)
      return nullptr;
    if (x->isFloat())
      return launchUnary(unaryRows[row].kernel, x);
    return PyObject_CallMethod(object, "_unary", "s", unaryRows[row].name);
  });
}

template <int row>
static PyObject *unaryMethod(PyObject *object, PyObject *) {
  return unarySlot<row>(object);
}

//===----------------------------------------------------------------------===//
// Reductions and products
//===----------------------------------------------------------------------===//

static PyObject *launchReduce(ReduceKernel kernel, Array *x, uint32_t axes,
                              bool keepDims) {
  const eager::KernelLibrary *library = getLibrary(x);
  Array *result = library ? newLike(x, x->committed) : nullptr;
  if (!result)
    return nullptr;
  ndl::Status status;
  {
    LongWork work(x->view.size());
    status =
        eager::reduce(*library, kernel, x->view, axes, keepDims, result->view);
  }
  return finish(result, x, status);
}

namespace {
/// What sum(axis=None, keepdims=False) was called with.
struct ReduceArguments {
  PyObject *axis = Py_None;
  PyObject *keepDims = Py_False;

  bool read(PyObject *const *arguments, Py_ssize_t count, PyObject *keywords);
};
} // namespace

bool ReduceArguments::read(PyObject *const *arguments, Py_ssize_t count,
                           PyObject *keywords) {
  Py_ssize_t numKeywords = keywords ? PyTuple_GET_SIZE(keywords) : 0;
  if (count + numKeywords > 2) {
    PyErr_Format(PyExc_TypeError, "takes axis and keepdims, got %zd arguments",
                 count + numKeywords);
    return false;
  }
  PyObject **values[] = {&axis, &keepDims};
  for (Py_ssize_t i = 0; i < count; ++i)
    *values[i] = arguments[i];
  for (Py_ssize_t i = 0; i < numKeywords; ++i) {
    PyObject *name = PyTuple_GET_ITEM(keywords, i);
    int index = PyUnicode_CompareWithASCIIString(name, "axis") == 0 ? 0 : 1;
    if (index == 1 && PyUnicode_CompareWithASCIIString(name, "keepdims") != 0) {
      PyErr_Format(PyExc_TypeError, "takes axis and keepdims, not '%U'", name);
      return false;
    }
    if (index < count) {
      PyErr_Format(PyExc_TypeError, "'%U' is given twice", name);
      return false;
    }
    *values[index] = arguments[count + i];
  }
  return true;
}

template <int row>
static PyObject *reduceMethod(PyObject *object, PyObject *const *arguments,
                              Py_ssize_t count, PyObject *keywords) {
  return guard([&]() -> PyObject * {
    Array *x = expectArray(object);
    ReduceArguments given;
    uint32_t axes;
    if (!x || !given.read(arguments, count, keywords) ||
        !readAxes(given.axis, x->view.rank, axes))
      return nullptr;
    int keepDims = PyObject_IsTrue(given.keepDims);
    if (keepDims < 0)
      return nullptr;
    if (x->isFloat())
      return launchReduce(reduceRows[row].kernel, x, axes, keepDims);
    return PyObject_CallMethod(object, "_reduce", "sOO", reduceRows[row].name,
                               given.axis, keepDims ? Py_True : Py_False);
  });
}

/// Multiply-adds of a product, roughly, in units that LongWork counts.
static int64_t workOf(const Array *a, const Array *b) {
  int64_t columns = b->view.rank > 0 ? b->view.shape[b->view.rank - 1] : 1;
  double work = double(a->view.size()) * double(columns) / 8;
  return static_cast<int64_t>(std::min(work, 1e18));
}

static PyObject *launchMatmul(Array *a, Array *b, Array *bias) {
  const eager::KernelLibrary *library = getLibrary(a);
  Array *result = library ? newLike(a, a->committed || b->committed) : nullptr;
  if (!result)
    return nullptr;
  ndl::Status status;
  {
    LongWork work(workOf(a, b));
    status = a->params ? eager::quantizedMatmul(
                             *library, a->view, a->quant, b->view, b->quant,
                             bias ? &bias->view : nullptr, result->view)
                       : eager::matmul(*library, a->view, b->view, result->view,
                                       bias ? &bias->view : nullptr);
  }
  return finish(result, a, status);
}

static bool canMultiply(const Array *a, const Array *b) {
  return a->isNative() && b->isNative() && a->device == b->device &&
         !a->params == !b->params && a->view.rank >= 2 && b->view.rank >= 2;
}

static PyObject *matmulSlot(PyObject *left, PyObject *right) {
  return guard([&]() -> PyObject * {
    Array *a = asArray(left), *b = asArray(right);
    if (a && b && canMultiply(a, b))
      return launchMatmul(a, b, nullptr);
    if (a)
      return PyObject_CallMethod(left, "_matmul", "OO", right, Py_False);
    if (b)
      return PyObject_CallMethod(right, "_matmul", "OO", left, Py_True);
    Py_RETURN_NOTIMPLEMENTED;
  });
}

//===----------------------------------------------------------------------===//
// For the backend's functions
//===----------------------------------------------------------------------===//

PyObject *needle::python::runUnary(const char *name, Array *x) {
  const UnaryRow *row = findRow(unaryRows, name);
  return row ? launchUnary(row->kernel, x) : nullptr;
}

PyObject *needle::python::runBinary(const char *name, PyObject *left,
                                    PyObject *right) {
  Array *a = asArray(left), *b = asArray(right);
  bool isReluGrad = std::strcmp(name, "relu_grad") == 0;
  const BinaryRow *row = isReluGrad ? nullptr : findRow(binaryRows, name);
  if (!row && !isReluGrad)
    return nullptr;
  float value = 0;
  if (a && b && a->isFloat() && b->isFloat())
    return launchBinary(row ? row->arrays : MapKernel::ReluGrad, a, b, a);
  if (row && a && a->isFloat() && readScalar(right, value))
    return launchScalar(row->scalar, a, value);
  if (row && b && b->isFloat() && readScalar(left, value))
    return launchScalar(row->reflected, b, value);
  PyErr_Format(PyExc_TypeError, "%s of %s and %s", name, Py_TYPE(left)->tp_name,
               Py_TYPE(right)->tp_name);
  return nullptr;
}

PyObject *needle::python::runReduce(const char *name, Array *x, uint32_t axes,
                                    bool keepDims) {
  const ReduceRow *row = findRow(reduceRows, name);
  return row ? launchReduce(row->kernel, x, axes, keepDims) : nullptr;
}

PyObject *needle::python::runMatmul(Array *a, Array *b, Array *bias) {
  return launchMatmul(a, b, bias);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

#define NEEDLE_UNARY(name, row, doc)                                           \
  {name, unaryMethod<row>, METH_NOARGS, name "($self)\n--\n\n" doc}
#define NEEDLE_BINARY(name, row, doc)                                          \
  {name, binaryMethod<row>, METH_O, name "($self, other)\n--\n\n" doc}
#define NEEDLE_REDUCTION(name, row, doc)                                       \
  {name,                                                                       \
   reinterpret_cast<PyCFunction>(                                              \
       reinterpret_cast<void (*)()>(reduceMethod<row>)),                       \
   METH_FASTCALL | METH_KEYWORDS,                                              \
   name "($self, axis=None, keepdims=False)\n--\n\n" doc                       \
        "\n\nParameters\n----------\naxis\n    None for all, an integer or a " \
        "tuple of integers.\nkeepdims\n    Whether reduced dimensions stay, "  \
        "with extent 1.\n\nRaises\n------\nValueError\n    If an axis is out " \
        "of range or given twice."}

PyMethodDef needle::python::operatorMethods[] = {
    NEEDLE_UNARY("exp", Exp, "Exponentials."),
    NEEDLE_UNARY("log", Log, "Natural logarithms."),
    NEEDLE_UNARY("tanh", Tanh, "Hyperbolic tangents."),
    NEEDLE_UNARY("sqrt", Sqrt, "Square roots."),
    NEEDLE_UNARY("relu", Relu, "The larger of an element and 0."),
    NEEDLE_UNARY("sigmoid", Sigmoid, "``1 / (1 + exp(-x))``."),
    NEEDLE_UNARY("abs", Abs, "Absolute values."),
    NEEDLE_BINARY("maximum", Maximum,
                  "The larger of two elements; NaN if one is."),
    NEEDLE_BINARY("minimum", Minimum,
                  "The smaller of two elements; NaN if one is."),
    NEEDLE_REDUCTION("sum", Sum, "Sums; 0 of nothing."),
    NEEDLE_REDUCTION("max", Max, "Maxima; NaN if an element is."),
    NEEDLE_REDUCTION("min", Min, "Minima; NaN if an element is."),
    {}};

#define NEEDLE_SLOT(slot, function) {slot, reinterpret_cast<void *>(function)}

PyType_Slot needle::python::operatorSlots[] = {
    NEEDLE_SLOT(Py_nb_add, binarySlot<Add>),
    NEEDLE_SLOT(Py_nb_subtract, binarySlot<Sub>),
    NEEDLE_SLOT(Py_nb_multiply, binarySlot<Mul>),
    NEEDLE_SLOT(Py_nb_true_divide, binarySlot<Div>),
    NEEDLE_SLOT(Py_nb_power, powerSlot),
    NEEDLE_SLOT(Py_nb_negative, unarySlot<Negate>),
    NEEDLE_SLOT(Py_nb_absolute, unarySlot<Abs>),
    NEEDLE_SLOT(Py_nb_matrix_multiply, matmulSlot),
    NEEDLE_SLOT(Py_tp_richcompare, compareSlot),
    {0, nullptr}};

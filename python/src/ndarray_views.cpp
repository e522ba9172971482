// Views of arrays: indexing, reshape, permute, broadcast_to.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ndarray.h"

#include <algorithm>
#include <string>

using namespace needle::python;

//===----------------------------------------------------------------------===//
// Indexing
//===----------------------------------------------------------------------===//

static std::string formatShape(const Array *x) {
  return eager::formatShape(x->view.rank, x->view.shape);
}

namespace {
/// A slice of a dimension, clipped to its extent; stop >= start.
struct Range {
  int64_t start, stop, step, length;
};
} // namespace

/// Reads a slice of a dimension with `extent` elements; false with ValueError
/// for a negative step.
static bool readSlice(PyObject *slice, int32_t dimension, int64_t extent,
                      Range &range) {
  Py_ssize_t first, last, distance;
  if (PySlice_Unpack(slice, &first, &last, &distance) < 0)
    return false;
  if (distance < 0) {
    PyErr_Format(PyExc_ValueError,
                 "index %d: a slice with the negative step %zd; use flip()",
                 int(dimension), distance);
    return false;
  }
  range.length = PySlice_AdjustIndices(extent, &first, &last, distance);
  range.start = first;
  range.stop = std::max(first, last);
  range.step = distance;
  return true;
}

/// Reads an integer index and counts it from the front.
static bool readInteger(PyObject *index, int32_t dimension, int64_t extent,
                        int64_t &start) {
  if (PyBool_Check(index) || !PyIndex_Check(index) || PySequence_Check(index)) {
    PyErr_Format(PyExc_TypeError,
                 "index %d is %s: arrays are indexed by integers, slices, ... "
                 "and None; boolean and integer arrays as indices are not "
                 "supported",
                 int(dimension), Py_TYPE(index)->tp_name);
    return false;
  }
  start = PyNumber_AsSsize_t(index, PyExc_IndexError);
  if (start == -1 && PyErr_Occurred())
    return false;
  if (start < -extent || start >= extent) {
    PyErr_Format(PyExc_IndexError, "index %d: %lld is out of range for %lld",
                 int(dimension), static_cast<long long>(start),
                 static_cast<long long>(extent));
    return false;
  }
  start += start < 0 ? extent : 0;
  return true;
}

/// How many indices take a dimension; -1 with IndexError if these do not fit
/// the array.
static int32_t countIndices(const Array *x, PyObject *const *indices,
                            Py_ssize_t count) {
  Py_ssize_t taken = 0, dots = 0;
  for (Py_ssize_t i = 0; i < count; ++i) {
    dots += indices[i] == Py_Ellipsis;
    taken += indices[i] != Py_Ellipsis && indices[i] != Py_None;
  }
  int32_t rank = x->view.rank;
  if (dots > 1) {
    PyErr_SetString(PyExc_IndexError, "an index has at most one ellipsis");
    return -1;
  }
  if (taken > rank || (taken < rank && dots == 0)) {
    PyErr_Format(PyExc_IndexError,
                 "%zd indices for the %d dimensions of shape %s: give one for "
                 "each, or an ellipsis for the others",
                 taken, int(rank), formatShape(x).c_str());
    return -1;
  }
  if (rank + count - taken - dots > eager::maxRank) {
    PyErr_Format(PyExc_IndexError, "an array has at most %d dimensions",
                 int(eager::maxRank));
    return -1;
  }
  return static_cast<int32_t>(taken);
}

namespace {
/// Builds the shape of a view dimension by dimension.
class ViewBuilder {
public:
  ViewBuilder(const eager::View &source, eager::View &result)
      : source(source), result(result) {
    result.storage = source.storage;
    result.dtype = source.dtype;
    result.offset = source.offset;
    result.rank = 0;
  }

  void addNew() { add(1, 0); }

  void keep(int32_t count) {
    for (; count > 0; --count, ++dimension)
      add(source.shape[dimension], source.strides[dimension]);
  }

  bool take(PyObject *index) {
    int64_t extent = source.shape[dimension];
    Range range = {0, 1, 1, 1};
    if (!(PySlice_Check(index)
              ? readSlice(index, dimension, extent, range)
              : readInteger(index, dimension, extent, range.start)))
      return false;
    if (range.length > 0)
      result.offset += range.start * source.strides[dimension];
    // The distance to a second element, if there is one.
    add(range.length,
        source.strides[dimension] * (range.length > 1 ? range.step : 1));
    ++dimension;
    return true;
  }

private:
  void add(int64_t extent, int64_t stride) {
    result.shape[result.rank] = extent;
    result.strides[result.rank++] = stride;
  }

  const eager::View &source;
  eager::View &result;
  int32_t dimension = 0;
};
} // namespace

Array *needle::python::getItem(Array *x, PyObject *index) {
  PyObject *const *indices = &index;
  Py_ssize_t count = 1;
  if (PyTuple_Check(index)) {
    indices = PySequence_Fast_ITEMS(index);
    count = PyTuple_GET_SIZE(index);
  }
  int32_t taken = countIndices(x, indices, count);
  Array *result = taken < 0 ? nullptr : newView(x);
  if (!result)
    return nullptr;
  ViewBuilder builder(x->view, result->view);
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (indices[i] == Py_None)
      builder.addNew();
    else if (indices[i] == Py_Ellipsis)
      builder.keep(x->view.rank - taken);
    else if (!builder.take(indices[i])) {
      Py_DECREF(asObject(result));
      return nullptr;
    }
  }
  // Without elements the indices may lead anywhere: stay inside of the memory.
  if (result->view.size() == 0)
    result->view.offset = x->view.offset;
  return result;
}

static PyObject *subscript(PyObject *object, PyObject *index) {
  return guard([&]() -> PyObject * {
    Array *x = expectArray(object);
    Array *result = x ? getItem(x, index) : nullptr;
    return result ? finish(result, x) : nullptr;
  });
}

static PyObject *makeProcessedSlice(const Array *x, PyObject *const *arguments,
                                    Py_ssize_t count) {
  if (count != 2 || !PySlice_Check(arguments[0])) {
    PyErr_SetString(PyExc_TypeError,
                    "process_slice takes a slice and a dimension");
    return nullptr;
  }
  int64_t dimension = PyNumber_AsSsize_t(arguments[1], PyExc_IndexError);
  if (dimension == -1 && PyErr_Occurred())
    return nullptr;
  if (!normalizeAxis(dimension, x->view.rank))
    return nullptr;
  Range range;
  if (!readSlice(arguments[0], static_cast<int32_t>(dimension),
                 x->view.shape[dimension], range))
    return nullptr;
  PyObject *values[] = {PyLong_FromLongLong(range.start),
                        PyLong_FromLongLong(range.stop),
                        PyLong_FromLongLong(range.step)};
  PyObject *slice = values[0] && values[1] && values[2]
                        ? PySlice_New(values[0], values[1], values[2])
                        : nullptr;
  for (PyObject *value : values)
    Py_XDECREF(value);
  return slice;
}

/// process_slice(sl, dim)
static PyObject *processSlice(PyObject *object, PyObject *const *arguments,
                              Py_ssize_t count) {
  return guard([&]() -> PyObject * {
    Array *x = expectArray(object);
    return x ? makeProcessedSlice(x, arguments, count) : nullptr;
  });
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// Replaces a -1 by the extent that is left.
static void inferExtent(const Array *x, Numbers &shape) {
  int64_t *end = shape.values + shape.count;
  int64_t *unknown = std::find(shape.values, end, -1);
  if (unknown == end || std::find(unknown + 1, end, -1) != end)
    return;
  *unknown = 1;
  int64_t known = shape.product(), size = x->view.size();
  *unknown = known > 0 && size % known == 0 ? size / known : -1;
}

static PyObject *reshape(PyObject *object, PyObject *const *arguments,
                         Py_ssize_t count) {
  return guard([&]() -> PyObject * {
    Array *x = expectArray(object);
    Numbers shape;
    if (!x || !readNumbers(arguments, count, "reshape", shape))
      return nullptr;
    inferExtent(x, shape);
    Array *result = newView(x);
    if (!result)
      return nullptr;
    bool possible = false;
    ndl::Status status = eager::reshapeView(x->view, shape.count, shape.values,
                                            result->view, possible);
    if (possible || !status.ok())
      return finish(result, x, status);
    Py_DECREF(asObject(result));
    Array *copy = copyArray(x);
    if (!copy)
      return nullptr;
    status = eager::reshapeView(copy->view, shape.count, shape.values,
                                copy->view, possible);
    return finish(copy, x, status);
  });
}

static PyObject *permuteBy(Array *x, Numbers &axes) {
  if (axes.count != x->view.rank) {
    PyErr_Format(PyExc_ValueError, "%d axes for the %d dimensions of shape %s",
                 int(axes.count), int(x->view.rank), formatShape(x).c_str());
    return nullptr;
  }
  int32_t order[eager::maxRank];
  for (int32_t i = 0; i < axes.count; ++i) {
    if (!normalizeAxis(axes.values[i], x->view.rank))
      return nullptr;
    order[i] = static_cast<int32_t>(axes.values[i]);
  }
  Array *result = newView(x);
  return result ? finish(result, x, permuteView(x->view, order, result->view))
                : nullptr;
}

static PyObject *permute(PyObject *object, PyObject *const *arguments,
                         Py_ssize_t count) {
  return guard([&]() -> PyObject * {
    Array *x = expectArray(object);
    Numbers axes;
    if (!x || !readNumbers(arguments, count, "permute", axes))
      return nullptr;
    return permuteBy(x, axes);
  });
}

static PyObject *transpose(PyObject *object, PyObject *const *arguments,
                           Py_ssize_t count) {
  return guard([&]() -> PyObject * {
    Array *x = expectArray(object);
    if (!x)
      return nullptr;
    Numbers axes;
    if (count == 0 || (count == 1 && arguments[0] == Py_None)) {
      axes.count = x->view.rank;
      for (int32_t i = 0; i < axes.count; ++i)
        axes.values[i] = axes.count - 1 - i;
    } else if (!readNumbers(arguments, count, "transpose", axes)) {
      return nullptr;
    }
    return permuteBy(x, axes);
  });
}

static PyObject *broadcastTo(PyObject *object, PyObject *const *arguments,
                             Py_ssize_t count) {
  return guard([&]() -> PyObject * {
    Array *x = expectArray(object);
    Numbers shape;
    if (!x || !readNumbers(arguments, count, "broadcast_to", shape))
      return nullptr;
    Array *result = newView(x);
    return result ? finish(result, x,
                           broadcastView(x->view, shape.count, shape.values,
                                         result->view))
                  : nullptr;
  });
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// A method that takes positional arguments.
#define NEEDLE_METHOD(name, function, doc)                                     \
  {name,                                                                       \
   reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)),      \
   METH_FASTCALL, doc}

PyMethodDef needle::python::viewMethods[] = {
    NEEDLE_METHOD("process_slice", processSlice,
                  "process_slice($self, sl, dim)\n--\n\n"
                  "A slice of a dimension with explicit start, stop and step."),
    NEEDLE_METHOD("reshape", reshape,
                  "reshape($self, *new_shape)\n--\n\n"
                  "The elements in row-major order in another shape.\n\n"
                  "A view if strides can express it, otherwise a copy. One "
                  "extent may be -1.\n\n"
                  "Raises\n------\nValueError\n    If the number of elements "
                  "differs."),
    NEEDLE_METHOD("permute", permute,
                  "permute($self, *new_axes)\n--\n\n"
                  "A view whose dimension i is dimension ``new_axes[i]``.\n\n"
                  "Raises\n------\nValueError\n    If not every axis is given "
                  "once."),
    NEEDLE_METHOD("transpose", transpose,
                  "transpose($self, *axes)\n--\n\n"
                  "Permuted axes, by default reversed."),
    NEEDLE_METHOD("broadcast_to", broadcastTo,
                  "broadcast_to($self, *new_shape)\n--\n\n"
                  "A view that repeats extents of 1 (stride 0), as NumPy's.\n\n"
                  "Raises\n------\nValueError\n    If the shape does not "
                  "fit."),
    {}};

extern int assignSubscript(PyObject *object, PyObject *index, PyObject *value);

PyType_Slot needle::python::indexSlots[] = {
    {Py_mp_subscript, reinterpret_cast<void *>(subscript)},
    {Py_mp_ass_subscript, reinterpret_cast<void *>(assignSubscript)},
    {0, nullptr}};

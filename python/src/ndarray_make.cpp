// Making arrays: over handles, of NumPy's values, over memory of others.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ndarray_binding.h"
#include "ndarray_handle.h"

#include <algorithm>
#include <cstring>
#include <nanobind/ndarray.h>

using namespace needle::python;

/// Raises ValueError if an element lies outside of [0, size).
static void checkBounds(const eager::View &view, int64_t size) {
  __int128 least = view.offset, most = view.offset;
  for (int32_t d = 0; d < view.rank; ++d) {
    if (view.shape[d] == 0)
      return;
    __int128 reach = __int128(view.shape[d] - 1) * view.strides[d];
    (reach < 0 ? least : most) += reach;
  }
  if (least >= 0 && most < size)
    return;
  auto text = [](__int128 value) {
    return std::to_string(static_cast<long long>(value));
  };
  raise(PyExc_ValueError, "shape " + eager::formatShape(view.rank, view.shape) +
                              " with strides " +
                              eager::formatShape(view.rank, view.strides) +
                              " and offset " + text(view.offset) +
                              " reaches from element " + text(least) + " to " +
                              text(most) + ", the handle has " + text(size));
}

/// Sets shape and strides; without strides those of a compact array.
static void setShape(eager::View &view, nb::handle shape, nb::handle strides,
                     int64_t offset) {
  Numbers extents = readAll(shape, "shape");
  view.rank = extents.count;
  view.offset = offset;
  int64_t stride = 1;
  for (int32_t d = view.rank - 1; d >= 0; --d) {
    if (extents.values[d] < 0)
      raise(PyExc_ValueError,
            "shape " + eager::formatShape(extents.count, extents.values) +
                " has a negative extent");
    view.shape[d] = extents.values[d];
    view.strides[d] = stride;
    if (__builtin_mul_overflow(stride, extents.values[d], &stride))
      raise(PyExc_ValueError,
            "shape " + eager::formatShape(extents.count, extents.values) +
                " has more elements than memory can hold");
  }
  if (strides.is_none())
    return;
  Numbers steps = readAll(strides, "strides");
  if (steps.count != view.rank)
    raise(PyExc_ValueError, std::to_string(steps.count) + " strides for " +
                                std::to_string(view.rank) + " dimensions");
  std::copy_n(steps.values, steps.count, view.strides);
}

/// An NDArray over the memory of a handle. Its class is NDArray.
static nb::object make(nb::handle shape, nb::handle strides, nb::handle device,
                       nb::handle handle, int64_t offset, bool committed,
                       nb::handle params) {
  nb::object object =
      take(classes.array->tp_new(classes.array, nullptr, nullptr));
  auto *array = reinterpret_cast<Array *>(object.ptr());
  setShape(array->view, shape, strides, offset);
  Handle *native = nullptr;
  if (nb::try_cast(handle, native)) {
    array->view.storage = native->storage;
    array->view.dtype = native->dtype;
    array->foreignSize = native->size();
  } else {
    array->view.dtype = readDType(handle.attr("dtype"));
    array->foreignSize = nb::cast<int64_t>(handle.attr("size"));
    array->foreign = Py_NewRef(handle.ptr());
  }
  checkBounds(array->view, array->foreignSize);
  array->device = Py_NewRef(device.ptr());
  array->committed = committed;
  if (!params.is_none())
    setParams(array, params.ptr(), readParams(params));
  return object;
}

/// A new NDArray, not initialized.
static nb::object makeNew(nb::handle shape, nb::handle device, bool committed,
                          nb::handle params) {
  // Loading the kernels takes a while; the first operation is not to wait.
  library();
  Numbers extents = readAll(shape, "shape");
  nb::object object =
      take(classes.array->tp_new(classes.array, nullptr, nullptr));
  auto *array = reinterpret_cast<Array *>(object.ptr());
  checkStatus(eager::allocate(params.is_none() ? NDL_DTYPE_F32 : NDL_DTYPE_U8,
                              extents.count, extents.values, array->view));
  array->device = Py_NewRef(device.ptr());
  array->committed = committed;
  if (!params.is_none())
    setParams(array, params.ptr(), readParams(params));
  return object;
}

/// A new NDArray with the elements of a NumPy array, which has its type and is
/// contiguous.
static nb::object fromNumPy(nb::handle values, nb::handle device,
                            bool committed, nb::handle params) {
  nb::object object = makeNew(values.attr("shape"), device, committed, params);
  auto *array = reinterpret_cast<Array *>(object.ptr());
  size_t bytes = array->view.size() * eager::elementBytes(array->view.dtype);
  Py_buffer buffer;
  if (PyObject_GetBuffer(values.ptr(), &buffer, PyBUF_C_CONTIGUOUS) != 0)
    throw nb::python_error();
  bool fits = size_t(buffer.len) == bytes;
  if (fits && bytes > 0) {
    LongWork work(array->view.size());
    std::memcpy(array->view.data(), buffer.buf, bytes);
  }
  PyBuffer_Release(&buffer);
  if (!fits)
    raise(PyExc_TypeError, "the NumPy array has another type");
  return object;
}

/// The same memory and shape, committed to its device.
static nb::object commit(nb::handle array) {
  Array *x = get(array);
  Array *result = newView(x);
  if (!result)
    throw nb::python_error();
  result->view = x->view;
  result->committed = true;
  return take(finish(result, x));
}

/// An array as instance of the class of another.
static nb::object castLike(nb::handle array, nb::handle like) {
  Array *x = get(array);
  Py_INCREF(array.ptr());
  return take(finish(x, get(like)));
}

/// An array over the memory of another library's, which it keeps alive.
static nb::object adopt(nb::handle source, nb::handle device) {
  using Imported = nb::ndarray<float, nb::device::cpu>;
  using ReadOnly = nb::ndarray<const float, nb::device::cpu>;
  nb::ndarray<> imported;
  bool writable = true;
  Imported writableSource;
  ReadOnly readOnlySource;
  if (nb::try_cast(source, writableSource, false)) {
    imported = nb::ndarray<>(writableSource);
  } else if (nb::try_cast(source, readOnlySource, false)) {
    writable = false;
    imported = nb::ndarray<>(readOnlySource.handle());
  } else {
    return nb::none();
  }
  if (imported.ndim() > size_t(eager::maxRank))
    raise(PyExc_ValueError, "an array has at most 32 dimensions");
  nb::object object =
      take(classes.array->tp_new(classes.array, nullptr, nullptr));
  auto *array = reinterpret_cast<Array *>(object.ptr());
  eager::View &view = array->view;
  view.dtype = NDL_DTYPE_F32;
  view.rank = static_cast<int32_t>(imported.ndim());
  int64_t least = 0, most = 0;
  for (int32_t d = 0; d < view.rank; ++d) {
    view.shape[d] = static_cast<int64_t>(imported.shape(d));
    view.strides[d] = imported.stride(d);
    int64_t reach = (view.shape[d] - 1) * view.strides[d];
    (reach < 0 ? least : most) += reach;
  }
  bool empty = imported.size() == 0;
  view.offset = empty ? 0 : -least;
  auto *data = static_cast<float *>(
      const_cast<void *>(static_cast<const nb::ndarray<> &>(imported).data()));
  auto *owner = new nb::ndarray<>(imported);
  view.storage = eager::Storage::adopt(
      empty ? data : data + least,
      empty ? 0 : (most - least + 1) * sizeof(float),
      [](void *context) {
        nb::gil_scoped_acquire acquire;
        delete static_cast<nb::ndarray<> *>(context);
      },
      owner, writable);
  if (!view.storage) {
    delete owner;
    throw std::bad_alloc();
  }
  array->device = Py_NewRef(device.ptr());
  return object;
}

void needle::python::bindArrayMaking(nb::module_ &m) {
  m.def("array_make", &make, nb::arg("shape"), nb::arg("strides").none(),
        nb::arg("device"), nb::arg("handle"), nb::arg("offset"),
        nb::arg("committed"), nb::arg("params").none());
  m.def("array_new", &makeNew, nb::arg("shape"), nb::arg("device"),
        nb::arg("committed"), nb::arg("params").none());
  m.def("array_from_numpy", &fromNumPy, nb::arg("values"), nb::arg("device"),
        nb::arg("committed"), nb::arg("params").none());
  m.def("array_commit", &commit, nb::arg("array"));
  m.def("array_cast_like", &castLike, nb::arg("array"), nb::arg("like"));
  m.def("array_adopt", &adopt, nb::arg("source"), nb::arg("device"));
}

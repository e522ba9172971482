// Making arrays: over handles, of NumPy's values, over memory of others.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/device.h"
#include "ndarray_binding.h"
#include "ndarray_handle.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string_view.h>

using namespace needle::python;

/// Sets shape and strides; without strides those of a compact array.
static void setShape(eager::View &view, nb::handle shape, nb::handle strides,
                     int64_t offset) {
  Numbers extents = readAll(shape, "shape");
  view.rank = extents.count;
  view.offset = offset;
  std::copy_n(extents.values, extents.count, view.shape);
  eager::rowMajorStrides(view.rank, view.shape, view.strides);
  if (strides.is_none())
    return;
  Numbers steps = readAll(strides, "strides");
  if (steps.count != view.rank)
    raise(PyExc_ValueError, std::to_string(steps.count) + " strides for " +
                                std::to_string(view.rank) + " dimensions");
  std::copy_n(steps.values, steps.count, view.strides);
}

static bool isCuda(nb::handle device) {
  return nb::cast<std::string_view>(device.attr("name")) == "cuda";
}

/// An NDArray over the memory of a handle. Its class is NDArray.
static nb::object make(nb::handle shape, nb::handle strides, nb::handle device,
                       nb::handle handle, int64_t offset, bool committed,
                       nb::handle params) {
  nb::object object =
      take(classes.array->tp_new(classes.array, nullptr, nullptr));
  auto *array = reinterpret_cast<Array *>(object.ptr());
  eager::View &view = array->view;
  setShape(view, shape, strides, offset);
  Handle *native = nullptr;
  if (nb::try_cast(handle, native)) {
    if ((native->storage->kind() == eager::MemoryKind::Device) !=
        isCuda(device))
      raise(PyExc_TypeError, "the handle belongs to another device than " +
                                 std::string(nb::repr(device).c_str()));
    array->foreignSize = native->size();
    checkStatus(eager::makeView(native->storage, native->dtype, view.rank,
                                view.shape, view.strides, view.offset, view));
  } else {
    view.dtype = readDType(handle.attr("dtype"));
    array->foreignSize = nb::cast<int64_t>(handle.attr("size"));
    array->foreign = Py_NewRef(handle.ptr());
    checkStatus(eager::checkBounds(view, array->foreignSize));
  }
  array->device = Py_NewRef(device.ptr());
  array->committed = committed;
  if (!params.is_none())
    setParams(array, params.ptr(), readParams(params));
  return object;
}

/// A new NDArray, not initialized.
static nb::object makeNew(nb::handle shape, nb::handle device, bool committed,
                          nb::handle params, bool cuda) {
  // Loading the kernels takes a while; the first operation is not to wait.
  const eager::KernelLibrary &kernels =
      orThrow(cuda ? getCudaLibrary() : getLibrary());
  Numbers extents = readAll(shape, "shape");
  nb::object object =
      take(classes.array->tp_new(classes.array, nullptr, nullptr));
  auto *array = reinterpret_cast<Array *>(object.ptr());
  checkStatus(eager::allocate(kernels,
                              params.is_none() ? NDL_DTYPE_F32 : NDL_DTYPE_U8,
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
                            bool committed, nb::handle params, bool cuda) {
  nb::object object =
      makeNew(values.attr("shape"), device, committed, params, cuda);
  auto *array = reinterpret_cast<Array *>(object.ptr());
  nb::object dtype = values.attr("dtype");
  PyObject *wanted = params.is_none() ? classes.float32 : classes.uint8;
  if (dtype.ptr() != wanted && !dtype.equal(nb::handle(wanted)))
    raise(PyExc_TypeError, std::string("a NumPy array of ") +
                               nb::str(nb::handle(wanted)).c_str() +
                               " is needed, not of " + nb::str(dtype).c_str());
  size_t bytes = array->view.size() * eager::elementBytes(array->view.dtype);
  Py_buffer buffer;
  if (PyObject_GetBuffer(values.ptr(), &buffer, PyBUF_C_CONTIGUOUS) != 0)
    throw nb::python_error();
  ndl::Status status;
  if (bytes > 0) {
    LongWork work(array->view.size());
    if (cuda)
      status = getLibrary(array)->device()->write(buffer.buf,
                                                  array->view.data(), bytes);
    else
      std::memcpy(array->view.data(), buffer.buf, bytes);
  }
  PyBuffer_Release(&buffer);
  checkStatus(status);
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
  Array *x = get(array), *model = get(like);
  Py_INCREF(array.ptr()); // finish() takes it over.
  return take(finish(x, model));
}

/// The float32 memory on the CPU of another library's array; false if it has
/// other elements.
static bool import(nb::handle source, nb::ndarray<> &imported, bool &writable) {
  using Imported = nb::ndarray<float, nb::device::cpu>;
  using ReadOnly = nb::ndarray<const float, nb::device::cpu>;
  Imported writableSource;
  ReadOnly readOnlySource;
  writable = nb::try_cast(source, writableSource, false);
  if (writable)
    imported = nb::ndarray<>(writableSource);
  else if (nb::try_cast(source, readOnlySource, false))
    imported = nb::ndarray<>(readOnlySource.handle());
  else
    return false;
  return true;
}

/// Keeps memory with elements [0, size) alive.
static eager::StoragePtr keepAlive(const nb::ndarray<> &imported, float *data,
                                   int64_t size, bool writable) {
  auto owner = std::make_unique<nb::ndarray<>>(imported);
  eager::StoragePtr storage = eager::Storage::adopt(
      data, static_cast<size_t>(size) * sizeof(float),
      [](void *context) {
        nb::gil_scoped_acquire acquire;
        delete static_cast<nb::ndarray<> *>(context);
      },
      owner.get(), writable);
  if (!storage)
    throw std::bad_alloc();
  // The storage's from now on.
  [[maybe_unused]] nb::ndarray<> *adopted = owner.release();
  return storage;
}

/// An array over the memory of another library's, which it keeps alive. None if
/// kernels cannot work on that memory: of another type or not aligned to it.
static nb::object adopt(nb::handle source, nb::handle device) {
  nb::ndarray<> imported;
  bool writable;
  if (!import(source, imported, writable))
    return nb::none();
  auto *data = static_cast<float *>(
      const_cast<void *>(static_cast<const nb::ndarray<> &>(imported).data()));
  if (reinterpret_cast<uintptr_t>(data) % alignof(float) != 0)
    return nb::none();
  if (imported.ndim() > size_t(eager::maxRank))
    raise(PyExc_ValueError, "an array has at most 32 dimensions");
  nb::object object =
      take(classes.array->tp_new(classes.array, nullptr, nullptr));
  auto *array = reinterpret_cast<Array *>(object.ptr());
  eager::View &view = array->view;
  view.dtype = NDL_DTYPE_F32;
  view.rank = static_cast<int32_t>(imported.ndim());
  for (int32_t d = 0; d < view.rank; ++d) {
    view.shape[d] = static_cast<int64_t>(imported.shape(d));
    view.strides[d] = imported.stride(d);
  }
  int64_t size, least = 0, most = -1;
  checkStatus(eager::checkShape(view.dtype, view.rank, view.shape, size));
  if (size > 0 && !eager::reach(view, least, most))
    raise(PyExc_ValueError,
          "the strides of the array lead further than memory reaches");
  view.offset = -least;
  view.storage = keepAlive(imported, size > 0 ? data + least : nullptr,
                           most - least + 1, writable);
  array->device = Py_NewRef(device.ptr());
  return object;
}

void needle::python::bindArrayMaking(nb::module_ &m) {
  m.def("array_make", &make, nb::arg("shape"), nb::arg("strides").none(),
        nb::arg("device"), nb::arg("handle"), nb::arg("offset"),
        nb::arg("committed"), nb::arg("params").none());
  m.def("array_new", &makeNew, nb::arg("shape"), nb::arg("device"),
        nb::arg("committed"), nb::arg("params").none(),
        nb::arg("cuda") = false);
  m.def("array_from_numpy", &fromNumPy, nb::arg("values"), nb::arg("device"),
        nb::arg("committed"), nb::arg("params").none(),
        nb::arg("cuda") = false);
  m.def("array_commit", &commit, nb::arg("array"));
  m.def("array_cast_like", &castLike, nb::arg("array"), nb::arg("like"));
  m.def("array_adopt", &adopt, nb::arg("source"), nb::arg("device"));
}

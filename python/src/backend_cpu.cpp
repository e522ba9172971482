// What the backends in Python need of arrays.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "arrays.h"
#include "bindings.h"
#include "eager/copy.h"
#include "eager/elementwise.h"
#include "ndarray.h"
#include "ndarray_handle.h"

#include <algorithm>
#include <cstring>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

using namespace needle::python;

//===----------------------------------------------------------------------===//
// Between nanobind and CPython
//===----------------------------------------------------------------------===//

/// A new reference as an object; throws if it is null.
static nb::object take(PyObject *object) {
  if (!object)
    throw nb::python_error();
  return nb::steal(object);
}

static nb::object take(Array *array) { return take(asObject(array)); }

static Array *get(nb::handle object) {
  Array *array = expectArray(object.ptr());
  if (!array)
    throw nb::python_error();
  return array;
}

/// An array with native memory.
static Array *getNative(nb::handle object) {
  Array *array = get(object);
  if (!array->isNative())
    raise(PyExc_ValueError, "an array on cpu() is needed");
  return array;
}

static const eager::KernelLibrary &library() {
  const eager::KernelLibrary *loaded = getLibrary();
  if (!loaded)
    throw nb::python_error();
  return *loaded;
}

static void checkStatus(const ndl::Status &status) {
  if (status.ok())
    return;
  setError(status);
  throw nb::python_error();
}

static Numbers readAll(nb::handle numbers, const char *what) {
  Numbers result;
  PyObject *object = numbers.ptr();
  if (!readNumbers(&object, 1, what, result))
    throw nb::python_error();
  return result;
}

static eager::QuantParams readParams(nb::handle params) {
  return {nb::cast<float>(params.attr("scale")),
          nb::cast<int32_t>(params.attr("zero_point"))};
}

//===----------------------------------------------------------------------===//
// Making
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

static nb::object unary(const char *name, nb::handle x) {
  return take(runUnary(name, getNative(x)));
}

static nb::object binary(const char *name, nb::handle left, nb::handle right) {
  return take(runBinary(name, left.ptr(), right.ptr()));
}

static nb::object reduce(const char *name, nb::handle object, nb::handle axis,
                         bool keepDims) {
  Array *x = getNative(object);
  uint32_t axes;
  if (!readAxes(axis.ptr(), x->view.rank, axes))
    throw nb::python_error();
  return take(runReduce(name, x, axes, keepDims));
}

static nb::object matmul(nb::handle a, nb::handle b, nb::handle bias) {
  return take(runMatmul(getNative(a), getNative(b),
                        bias.is_none() ? nullptr : getNative(bias)));
}

static nb::tuple valueRange(nb::handle object) {
  Array *x = getNative(object);
  const eager::KernelLibrary &kernels = library();
  float least = 0, most = 0;
  ndl::Status status;
  {
    LongWork work(x->view.size());
    status = eager::range(kernels, x->view, least, most);
  }
  checkStatus(status);
  return nb::make_tuple(least, most);
}

static nb::object quantize(nb::handle object, nb::handle params) {
  Array *x = getNative(object);
  eager::QuantParams quant = readParams(params);
  const eager::KernelLibrary &kernels = library();
  Array *result = newLike(x, x->committed);
  nb::object owned = take(result);
  ndl::Status status;
  {
    LongWork work(x->view.size());
    status = eager::quantize(kernels, x->view, quant, result->view);
  }
  checkStatus(status);
  setParams(result, params.ptr(), quant);
  return owned;
}

static nb::object dequantize(nb::handle object) {
  Array *x = getNative(object);
  const eager::KernelLibrary &kernels = library();
  Array *result = newLike(x, x->committed);
  nb::object owned = take(result);
  ndl::Status status;
  {
    LongWork work(x->view.size());
    status = eager::dequantize(kernels, x->view, x->quant, result->view);
  }
  checkStatus(status);
  return owned;
}

static nb::object copy(nb::handle array) { return take(copyArray(get(array))); }

/// Writes an array of the same type that broadcasts.
static void assign(nb::handle target, nb::handle source) {
  Array *to = getNative(target), *from = getNative(source);
  const eager::KernelLibrary &kernels = library();
  ndl::Status status;
  {
    LongWork work(to->view.size());
    status = writeArray(kernels, to->view, from->view);
  }
  checkStatus(status);
}

/// A map kernel by its name, into an array that exists.
static void mapInto(const std::string &name, nb::handle target,
                    const std::vector<nb::object> &operands,
                    const std::vector<float> &numbers) {
  Array *result = getNative(target);
  std::vector<const eager::View *> views;
  views.reserve(operands.size());
  for (const nb::object &operand : operands)
    views.push_back(&getNative(operand)->view);
  std::vector<eager::Scalar> scalars;
  scalars.reserve(numbers.size());
  for (float number : numbers)
    scalars.push_back(eager::Scalar::f32(number));
  for (size_t i = 0; i < size_t(eager::MapKernel::Count); ++i) {
    auto kernel = static_cast<eager::MapKernel>(i);
    const eager::MapSignature &signature = eager::signatureOf(kernel);
    if (name != signature.name)
      continue;
    if (size_t(signature.numOperands) != views.size() ||
        size_t(signature.numScalars) != scalars.size())
      raise(PyExc_ValueError,
            name + " takes " + std::to_string(signature.numOperands) +
                " arrays and " + std::to_string(signature.numScalars) +
                " numbers");
    return checkStatus(eager::mapInto(library(), kernel, result->view,
                                      views.data(), scalars.data()));
  }
  raise(PyExc_ValueError, "no kernel is called " + name);
}

//===----------------------------------------------------------------------===//
// What ran
//===----------------------------------------------------------------------===//

/// How often each kernel was launched, by name; those that were.
static nb::dict launches() {
  const eager::KernelLibrary &kernels = library();
  nb::dict counts;
  auto add = [&](const char *name, const eager::KernelSlot &slot) {
    if (int64_t count = slot.launches.load())
      counts[name] = count;
  };
  for (size_t i = 0; i < kernels.maps.size(); ++i)
    add(nameOf(static_cast<eager::MapKernel>(i)), kernels.maps[i]);
  for (size_t i = 0; i < kernels.reductions.size(); ++i)
    add(nameOf(static_cast<eager::ReduceKernel>(i)), kernels.reductions[i]);
  for (size_t i = 0; i < kernels.contractions.size(); ++i)
    add(nameOf(static_cast<eager::ContractionKernel>(i)),
        kernels.contractions[i].run);
  return counts;
}

static nb::tuple memory() {
  eager::StorageStats stats = eager::storageStats();
  return nb::make_tuple(stats.liveBytes, stats.cachedBytes);
}

void needle::python::bindArrayBackend(nb::module_ &m) {
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
  m.def("array_unary", &unary, nb::arg("name"), nb::arg("x"));
  m.def("array_binary", &binary, nb::arg("name"), nb::arg("left"),
        nb::arg("right"));
  m.def("array_reduce", &reduce, nb::arg("name"), nb::arg("x"),
        nb::arg("axis").none(), nb::arg("keepdims"));
  m.def("array_matmul", &matmul, nb::arg("a"), nb::arg("b"),
        nb::arg("bias").none() = nb::none());
  m.def("array_range", &valueRange, nb::arg("x"));
  m.def("array_quantize", &quantize, nb::arg("x"), nb::arg("params"));
  m.def("array_dequantize", &dequantize, nb::arg("x"));
  m.def("array_copy", &copy, nb::arg("x"));
  m.def("array_assign", &assign, nb::arg("target"), nb::arg("source"));
  m.def("array_map_into", &mapInto, nb::arg("name"), nb::arg("target"),
        nb::arg("operands"), nb::arg("numbers"));
  m.def("array_launches", &launches);
  m.def("array_memory", &memory);
  m.def("array_target", [] { return library().target(); });
}

// Handles: the memory of arrays as Python objects.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ndarray_handle.h"

#include "bindings.h"
#include "ndarray_binding.h"

#include <algorithm>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>
#include <unordered_map>

using namespace needle::python;
using ndl::eager::Storage;
using ndl::eager::StoragePtr;
using ndl::eager::View;

/// The objects that are alive, guarded by the interpreter's lock. Never freed:
/// arrays may outlive the module.
static std::unordered_map<Storage *, PyObject *> &objects() {
  static auto *map = new std::unordered_map<Storage *, PyObject *>;
  return *map;
}

Handle::~Handle() {
  if (!storage)
    return;
  auto found = objects().find(storage.get());
  if (found != objects().end() && nb::inst_ptr<Handle>(found->second) == this)
    objects().erase(found);
}

nb::object needle::python::wrapStorage(const StoragePtr &storage,
                                       NdlDType dtype) {
  auto found = objects().find(storage.get());
  // An object without references is about to be freed: callbacks of weak
  // references run before its destructor does.
  if (found != objects().end() && Py_REFCNT(found->second) > 0)
    return nb::borrow(found->second);
  nb::object object = storage->kind() == eager::MemoryKind::Device
                          ? nb::cast(CudaHandle(storage, dtype))
                          : nb::cast(Handle(storage, dtype));
  objects()[storage.get()] = object.ptr();
  return object;
}

NdlDType needle::python::readDType(nb::handle dtype) {
  nb::object wanted = nb::borrow(classes.dtype)(dtype);
  if (wanted.equal(nb::handle(classes.float32)))
    return NDL_DTYPE_F32;
  if (wanted.equal(nb::handle(classes.uint8)))
    return NDL_DTYPE_U8;
  raise(PyExc_TypeError, std::string("arrays are float32 or uint8, not ") +
                             nb::str(wanted).c_str());
}

template <typename HandleType>
static void construct(nb::pointer_and_handle<HandleType> self, int64_t size,
                      nb::handle dtype) {
  NdlDType type = readDType(dtype);
  View view;
  ndl::Status status;
  if constexpr (std::is_same_v<HandleType, CudaHandle>)
    status =
        ndl::eager::allocate(orThrow(getCudaLibrary()), type, 1, &size, view);
  else
    status = ndl::eager::allocate(type, 1, &size, view);
  checkStatus(status);
  objects()[view.storage.get()] = self.h.ptr();
  new (self.p) HandleType(std::move(view.storage), type);
}

/// A view of a handle as a NumPy array, not copied.
static nb::object toNumPy(nb::handle object, const std::vector<int64_t> &shape,
                          const std::vector<int64_t> &strides, int64_t offset) {
  const auto &handle = nb::cast<const Handle &>(object);
  if (handle.storage->kind() == eager::MemoryKind::Device)
    raise(PyExc_ValueError, "NumPy cannot view the memory of a device");
  if (shape.size() != strides.size() || shape.size() > eager::maxRank)
    raise(PyExc_ValueError, "to_numpy takes one stride for each extent");
  View view;
  ndl::Status status =
      makeView(handle.storage, handle.dtype, static_cast<int32_t>(shape.size()),
               shape.data(), strides.data(), offset, view);
  if (!status.ok()) {
    setError(status);
    throw nb::python_error();
  }
  std::vector<size_t> extents(shape.begin(), shape.end());
  nb::dlpack::dtype type =
      handle.dtype == NDL_DTYPE_U8 ? nb::dtype<uint8_t>() : nb::dtype<float>();
  if (handle.storage->writable())
    return nb::cast(nb::ndarray<nb::numpy>(
        view.data(), extents.size(), extents.data(), object, strides.data(),
        type, nb::device::cpu::value));
  return nb::cast(nb::ndarray<nb::numpy, nb::ro>(
      view.data(), extents.size(), extents.data(), object, strides.data(), type,
      nb::device::cpu::value));
}

void needle::python::bindArrayHandle(nb::module_ &m) {
  nb::class_<Handle>(m, "Array",
                     "The memory of arrays on the CPU: a handle.\n\n"
                     "Parameters\n----------\nsize\n    Number of elements; "
                     "they are not initialized.\ndtype\n    ``\"float32\"`` or "
                     "``\"uint8\"``.",
                     nb::is_weak_referenceable())
      .def("__init__", &construct<Handle>, nb::arg("size"),
           nb::arg("dtype") = "float32")
      .def_prop_ro("size", &Handle::size, "Number of elements.")
      .def_prop_ro(
          "dtype",
          [](const Handle &handle) {
            return nb::borrow(handle.dtype == NDL_DTYPE_U8 ? classes.uint8
                                                           : classes.float32);
          },
          "Type of the elements.")
      .def(
          "ptr",
          [](const Handle &handle) {
            return reinterpret_cast<uintptr_t>(handle.storage->data());
          },
          "Address of the first element.");
  nb::class_<CudaHandle, Handle>(
      m, "CudaArray",
      "The memory of arrays on a CUDA device: a handle; as Array.")
      .def("__init__", &construct<CudaHandle>, nb::arg("size"),
           nb::arg("dtype") = "float32");
  m.def("array_to_numpy", &toNumPy, nb::arg("a"), nb::arg("shape"),
        nb::arg("strides"), nb::arg("offset"),
        "A view of a handle as a NumPy array; strides and offset count "
        "elements.");
}

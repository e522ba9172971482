// The operations that the native backends in Python call.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/copy.h"
#include "eager/device.h"
#include "eager/elementwise.h"
#include "ndarray_binding.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

using namespace needle::python;

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
  const eager::KernelLibrary &kernels = libraryOf(x);
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
  const eager::KernelLibrary &kernels = libraryOf(x);
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
  const eager::KernelLibrary &kernels = libraryOf(x);
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
  const eager::KernelLibrary &kernels = libraryOf(to);
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
    return checkStatus(eager::mapInto(libraryOf(result), kernel, result->view,
                                      views.data(), scalars.data()));
  }
  raise(PyExc_ValueError, "no kernel is called " + name);
}

//===----------------------------------------------------------------------===//
// What ran
//===----------------------------------------------------------------------===//

/// How often each kernel was launched, by name; those that were.
static nb::dict launches(bool cuda) {
  const eager::KernelLibrary &kernels =
      orThrow(cuda ? getCudaLibrary() : getLibrary());
  nb::dict counts;
  auto add = [&](const char *name, const eager::KernelSlot &slot) {
    if (int64_t count = slot.launches.load())
      counts[name] = count;
  };
  for (size_t i = 0; i < kernels.maps.size(); ++i)
    add(nameOf(static_cast<eager::MapKernel>(i)), kernels.maps[i]);
  for (size_t i = 0; i < kernels.reductions.size(); ++i)
    add(nameOf(static_cast<eager::ReduceKernel>(i)), kernels.reductions[i]);
  for (size_t i = 0; i < kernels.contractions.size(); ++i) {
    const char *name = nameOf(static_cast<eager::ContractionKernel>(i));
    add(name, kernels.contractions[i].run);
    add((std::string(name) + ".direct").c_str(),
        kernels.contractions[i].direct);
  }
  return counts;
}

static nb::tuple memory(bool cuda) {
  eager::StorageStats stats = cuda
                                  ? orThrow(getCudaLibrary()).device()->memory()
                                  : eager::storageStats();
  return nb::make_tuple(stats.liveBytes, stats.cachedBytes);
}

/// Waits for everything that was launched on the CUDA device.
static void synchronize() {
  const eager::KernelLibrary &kernels = orThrow(getCudaLibrary());
  ndl::Status status;
  {
    nb::gil_scoped_release release;
    status = kernels.device()->synchronize();
  }
  checkStatus(status);
}

/// Gives the device back before the driver goes away. Errors of what is still
/// queued concern nobody any more.
static void shutdown() {
  const eager::Device *device = orThrow(getCudaLibrary()).device();
  nb::gil_scoped_release release;
  (void)device->shutdown();
}

/// The memory of an array on the CUDA device for other libraries, after all
/// that was queued.
static nb::object toDLPack(nb::handle object) {
  Array *x = getNative(object);
  const eager::Device *device = libraryOf(x).device();
  if (!device || device->simulated())
    raise(PyExc_BufferError,
          device ? "other libraries cannot read the memory of a simulated "
                   "device; copy it with .numpy() or .to(ndl.cpu())"
                 : "an array on cuda() is needed");
  synchronize();
  const eager::View &view = x->view;
  std::vector<size_t> extents(view.shape, view.shape + view.rank);
  nb::dlpack::dtype type =
      view.dtype == NDL_DTYPE_U8 ? nb::dtype<uint8_t>() : nb::dtype<float>();
  return nb::cast(nb::ndarray<nb::array_api>(
      view.data(), extents.size(), extents.data(), object, view.strides, type,
      nb::device::cuda::value, device->ordinal()));
}

void needle::python::bindArrayBackend(nb::module_ &m) {
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
  m.def("array_launches", &launches, nb::arg("cuda") = false);
  m.def("array_memory", &memory, nb::arg("cuda") = false);
  m.def(
      "array_target",
      [](bool cuda) {
        return orThrow(cuda ? getCudaLibrary() : getLibrary()).target();
      },
      nb::arg("cuda") = false);
  m.def("cuda_device_name",
        [] { return orThrow(getCudaLibrary()).device()->name(); });
  m.def("cuda_ordinal",
        [] { return orThrow(getCudaLibrary()).device()->ordinal(); });
  m.def("cuda_synchronize", &synchronize);
  m.def("cuda_shutdown", &shutdown);
  m.def("array_dlpack", &toDLPack, nb::arg("array"));
}

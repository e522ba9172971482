// Between NumPy arrays and the tensors of the C APIs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "arrays.h"
#include "errors.h"

#include <cstring>
#include <string>

using namespace needle::python;

namespace {

/// How a type is called by NumPy, and by the buffer protocol.
struct DTypeRow {
  NdlDType dtype;
  const char *name;
  const char *formats; ///< any of these characters
};

constexpr DTypeRow dtypeTable[] = {
    {NDL_DTYPE_F32, "float32", "f"}, {NDL_DTYPE_F64, "float64", "d"},
    {NDL_DTYPE_F16, "float16", "e"}, {NDL_DTYPE_I8, "int8", "b"},
    {NDL_DTYPE_U8, "uint8", "B"},    {NDL_DTYPE_I16, "int16", "h"},
    {NDL_DTYPE_U16, "uint16", "H"},  {NDL_DTYPE_I32, "int32", "il"},
    {NDL_DTYPE_U32, "uint32", "IL"}, {NDL_DTYPE_I64, "int64", "lq"},
    {NDL_DTYPE_U64, "uint64", "LQ"}, {NDL_DTYPE_BOOL, "bool", "?"},
};

/// What calls need of NumPy. Never freed: extensions outlive the interpreter.
struct NumPy {
  PyObject *empty = nullptr;
  PyObject *asarray = nullptr;
  PyObject *ascontiguousarray = nullptr;
  PyObject *fromDLPack = nullptr;
  /// By NdlDType; null for types that NumPy has not.
  PyObject *dtypes[NDL_DTYPE_U4 + 1] = {};
};
NumPy numpy;

const DTypeRow *findRow(NdlDType dtype) {
  for (const DTypeRow &row : dtypeTable)
    if (row.dtype == dtype)
      return &row;
  return nullptr;
}

} // namespace

void needle::python::initializeArrays() {
  nb::module_ module = nb::module_::import_("numpy");
  auto get = [&](const char *name) {
    return nb::object(module.attr(name)).release().ptr();
  };
  numpy.empty = get("empty");
  numpy.asarray = get("asarray");
  numpy.ascontiguousarray = get("ascontiguousarray");
  numpy.fromDLPack = get("from_dlpack");
  for (const DTypeRow &row : dtypeTable)
    numpy.dtypes[row.dtype] =
        nb::object(module.attr("dtype")(row.name)).release().ptr();
}

const char *needle::python::getNumPyName(NdlDType dtype) {
  const DTypeRow *row = findRow(dtype);
  return row ? row->name : ndl_dtype_name(dtype);
}

//===----------------------------------------------------------------------===//
// Borrowing
//===----------------------------------------------------------------------===//

/// "input 'x'", or "input 0" is the caller's business: names are never empty in
/// graphs that needle builds.
static std::string describe(const NdlTensorInfo &info, const char *kind) {
  return std::string(kind) + " '" + info.name + "'";
}

/// Whether the buffer's elements are of this type, in native byte order.
static bool hasDType(const Py_buffer &buffer, NdlDType dtype) {
  const DTypeRow *row = findRow(dtype);
  const char *format = buffer.format ? buffer.format : "B";
  if (*format == '@' || *format == '=' || *format == '<')
    ++format;
  return row && buffer.itemsize * 8 == ndl_dtype_bits(dtype) &&
         std::strlen(format) == 1 && std::strchr(row->formats, *format);
}

[[noreturn]] static void failType(nb::handle object, const NdlTensorInfo &info,
                                  const char *kind) {
  const char *expected = getNumPyName(info.dtype);
  std::string message = describe(info, kind) + ": expected ";
  if (!nb::hasattr(object, "dtype"))
    raise(PyExc_TypeError, message + "a NumPy array of " + expected + ", got " +
                               nb::str(nb::type_name(object.type())).c_str());
  message += expected;
  if (info.quantization != NDL_QUANTIZATION_NONE)
    message += " (quantized)";
  nb::object dtype = object.attr("dtype");
  message += ", got ";
  message += nb::str(dtype).c_str();
  if (info.dtype == NDL_DTYPE_F32)
    message += "; convert it with .astype(\"float32\")";
  raise(PyExc_TypeError, message);
}

bool BorrowedTensor::getBuffer(PyObject *object) {
  if (PyObject_GetBuffer(object, &buffer, PyBUF_FORMAT | PyBUF_STRIDES) == 0)
    return true;
  buffer = {};
  PyErr_Clear();
  return false;
}

void BorrowedTensor::release() {
  if (buffer.obj)
    PyBuffer_Release(&buffer);
}

/// An array for objects that do not export a buffer themselves.
static nb::object convert(nb::handle object) {
  PyObject *converted = nullptr;
  if (nb::hasattr(object, "__array__") ||
      nb::hasattr(object, "__array_interface__"))
    converted = PyObject_CallOneArg(numpy.asarray, object.ptr());
  else if (nb::hasattr(object, "__dlpack__"))
    converted = PyObject_CallOneArg(numpy.fromDLPack, object.ptr());
  if (!converted && PyErr_Occurred())
    throw nb::python_error();
  return nb::steal(converted);
}

/// Whether the runtime can read the buffer where it lies.
static bool isUsable(const Py_buffer &buffer) {
  if (reinterpret_cast<uintptr_t>(buffer.buf) % buffer.itemsize != 0)
    return false;
  for (int i = 0; i < buffer.ndim; ++i)
    if (buffer.strides[i] % buffer.itemsize != 0)
      return false;
  return true;
}

void BorrowedTensor::borrow(nb::handle array, const NdlTensorInfo &info,
                            const char *kind) {
  release();
  if (!getBuffer(array.ptr())) {
    nb::object converted = convert(array);
    if (!converted.is_valid() || !getBuffer(converted.ptr()))
      failType(array, info, kind);
  }
  if (!hasDType(buffer, info.dtype))
    failType(array, info, kind);
  if (!isUsable(buffer)) {
    nb::object copy =
        nb::steal(PyObject_CallOneArg(numpy.ascontiguousarray, buffer.obj));
    if (!copy.is_valid())
      throw nb::python_error();
    release();
    if (!getBuffer(copy.ptr()))
      failType(array, info, kind);
  }
  setTensor(info.dtype);
}

void BorrowedTensor::setTensor(NdlDType dtype) {
  static_assert(sizeof(Py_ssize_t) == sizeof(int64_t));
  view.data = buffer.buf;
  view.dtype = dtype;
  view.rank = buffer.ndim;
  view.shape = reinterpret_cast<const int64_t *>(buffer.shape);
  view.strides = nullptr;
  view.device = {NDL_DEVICE_CPU, 0};
  int64_t contiguous = buffer.itemsize;
  bool isContiguous = true;
  for (int i = buffer.ndim - 1; i >= 0; --i) {
    isContiguous &= buffer.shape[i] == 1 || buffer.strides[i] == contiguous;
    contiguous *= buffer.shape[i];
  }
  if (isContiguous || contiguous == 0)
    return;
  strides.clear();
  for (int i = 0; i < buffer.ndim; ++i)
    strides.push_back(buffer.strides[i] / buffer.itemsize);
  view.strides = strides.data();
}

//===----------------------------------------------------------------------===//
// Making
//===----------------------------------------------------------------------===//

nb::object needle::python::makeArray(NdlDType dtype, const int64_t *dims,
                                     int32_t rank, void *&data) {
  nb::object shape = nb::steal(PyTuple_New(rank));
  for (int32_t i = 0; i < rank; ++i)
    PyTuple_SET_ITEM(shape.ptr(), i, PyLong_FromLongLong(dims[i]));
  PyObject *arguments[] = {shape.ptr(), numpy.dtypes[dtype]};
  nb::object array =
      nb::steal(PyObject_Vectorcall(numpy.empty, arguments, 2, nullptr));
  Py_buffer buffer;
  if (!array.is_valid() ||
      PyObject_GetBuffer(array.ptr(), &buffer, PyBUF_WRITABLE) != 0)
    throw nb::python_error();
  data = buffer.buf;
  // NumPy never moves the memory of an array that someone else has not resized,
  // and nobody else has seen this one.
  PyBuffer_Release(&buffer);
  return array;
}

nb::object needle::python::reuseArray(const nb::object &array, NdlDType dtype,
                                      const int64_t *dims, int32_t rank,
                                      void *&data) {
  // Views, exported buffers and capsules all refer to the array.
  if (!array.is_valid() || Py_REFCNT(array.ptr()) != 1)
    return {};
  Py_buffer buffer;
  constexpr int flags = PyBUF_FORMAT | PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE;
  if (PyObject_GetBuffer(array.ptr(), &buffer, flags) != 0) {
    PyErr_Clear();
    return {};
  }
  // Its owner may have given it another shape or type in place.
  bool fits = buffer.ndim == rank && hasDType(buffer, dtype);
  for (int32_t i = 0; fits && i < rank; ++i)
    fits = buffer.shape[i] == dims[i];
  data = buffer.buf;
  PyBuffer_Release(&buffer);
  return fits ? array : nb::object();
}

nb::object needle::python::copyToArray(const NdlTensor &tensor) {
  void *data = nullptr;
  nb::object array = makeArray(tensor.dtype, tensor.shape, tensor.rank, data);
  size_t size = ndl_dtype_bits(tensor.dtype) / 8;
  for (int32_t i = 0; i < tensor.rank; ++i)
    size *= tensor.shape[i];
  if (size > 0)
    std::memcpy(data, tensor.data, size);
  return array;
}

//===----------------------------------------------------------------------===//
// Describing
//===----------------------------------------------------------------------===//

nb::tuple needle::python::describeTensor(const NdlTensorInfo &info) {
  nb::list shape;
  for (int32_t i = 0; i < info.rank; ++i)
    shape.append(info.dims[i] == NDL_DYNAMIC ? nb::object(nb::none())
                                             : nb::int_(info.dims[i]));
  nb::object quantization = nb::none();
  if (info.quantization != NDL_QUANTIZATION_NONE) {
    nb::list scales, zeroPoints;
    for (size_t i = 0; i < info.numParams; ++i) {
      scales.append(info.scales[i]);
      zeroPoints.append(info.zeroPoints[i]);
    }
    nb::object axis = nb::none();
    if (info.quantization == NDL_QUANTIZATION_PER_AXIS)
      axis = nb::int_(info.axis);
    quantization =
        nb::make_tuple(axis, nb::tuple(scales), nb::tuple(zeroPoints),
                       info.storageMin, info.storageMax);
  }
  return nb::make_tuple(info.name, getNumPyName(info.dtype), nb::tuple(shape),
                        quantization);
}

nb::tuple needle::python::describeEntry(const NdlEntryInfo &info) {
  nb::list inputs, outputs;
  for (size_t i = 0; i < info.numInputs; ++i)
    inputs.append(describeTensor(info.inputs[i]));
  for (size_t i = 0; i < info.numOutputs; ++i)
    outputs.append(describeTensor(info.outputs[i]));
  return nb::make_tuple(info.name, nb::tuple(inputs), nb::tuple(outputs));
}

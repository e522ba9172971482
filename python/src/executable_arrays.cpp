// Executables that are called with NDArrays.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "executable.h"

#include "errors.h"
#include "ndarray.h"

#include <cstring>

using namespace needle::python;

namespace {

/// Whether an array has the type and the shape that an entry point wants.
bool fits(const Array &array, const NdlTensorInfo &info) {
  const eager::View &view = array.view;
  if (!array.isNative() || array.isOnDevice() || view.dtype != info.dtype ||
      view.rank != info.rank)
    return false;
  for (int32_t d = 0; d < info.rank; ++d)
    if (view.shape[d] != info.dims[d])
      return false;
  return true;
}

/// Whether nothing but the list of outputs can see an array's memory, which is
/// our own.
bool isSpare(PyObject *object, const NdlTensorInfo &info) {
  if (Py_REFCNT(object) != 1 || Py_TYPE(object) != classes.array)
    return false;
  Array *array = asArray(object);
  return array && !array->weakReferences && !array->params &&
         fits(*array, info) && array->view.isCompact() &&
         array->view.storage->useCount() == 1 &&
         !array->view.storage->foreign();
}

NdlTensor toTensor(const Array &array) {
  const eager::View &view = array.view;
  return {view.data(), view.dtype,   view.rank,
          view.shape,  view.strides, {NDL_DEVICE_CPU, 0}};
}

/// Reads a number for a tensor of f32 without dimensions; false if it is none.
bool readScalar(PyObject *object, const NdlTensorInfo &info, float &scalar) {
  if (info.rank != 0 || info.dtype != NDL_DTYPE_F32 || !PyFloat_Check(object))
    return false;
  scalar = float(PyFloat_AS_DOUBLE(object));
  return true;
}

} // namespace

/// A list's array for an output: the one that is there if it is spare, else a
/// new one in its place.
static Array *prepareOutput(const nb::list &outputs, size_t index,
                            const NdlTensorInfo &info, const Array *like) {
  PyObject *former = PyList_GET_ITEM(outputs.ptr(), index);
  if (isSpare(former, info))
    return asArray(former);
  Array *array = newLike(like, false);
  if (!array)
    throw nb::python_error();
  ndl::Status status =
      eager::allocate(info.dtype, info.rank, info.dims, array->view);
  if (!status.ok()) {
    // An array without storage must not stay where the next call looks.
    Py_DECREF(asObject(array));
    setError(status);
    throw nb::python_error();
  }
  // Takes over the reference, and drops that to the former one.
  PyList_SetItem(outputs.ptr(), Py_ssize_t(index), asObject(array));
  return array;
}

bool Executable::runArrays(const nb::list &inputs, const nb::list &outputs,
                           nb::handle like) {
  size_t numInputs = info->numInputs, numOutputs = info->numOutputs;
  Array *prototype = expectArray(like.ptr());
  if (!prototype)
    throw nb::python_error();
  if (!hasStaticOutputs || inputs.size() != numInputs ||
      outputs.size() != numOutputs)
    raise(PyExc_ValueError, "expected " + std::to_string(numInputs) +
                                " inputs and " + std::to_string(numOutputs) +
                                " outputs of static shapes");
  std::vector<NdlTensor> tensors(numInputs + numOutputs);
  std::vector<float> scalars(numInputs);
  bool isCommitted = false;
  for (size_t i = 0; i < numInputs; ++i) {
    PyObject *object = PyList_GET_ITEM(inputs.ptr(), i);
    const NdlTensorInfo &expected = info->inputs[i];
    if (Array *array = asArray(object)) {
      if (!fits(*array, expected))
        return false;
      isCommitted |= array->committed;
      tensors[i] = toTensor(*array);
    } else if (readScalar(object, expected, scalars[i])) {
      tensors[i] = {&scalars[i], expected.dtype, 0,
                    nullptr,     nullptr,        {NDL_DEVICE_CPU, 0}};
    } else {
      return false;
    }
  }
  for (size_t i = 0; i < numOutputs; ++i) {
    Array *array = prepareOutput(outputs, i, info->outputs[i], prototype);
    array->committed = isCommitted;
    tensors[numInputs + i] = toTensor(*array);
  }
  NdlStatus status;
  {
    nb::gil_scoped_release release;
    status = ndl_executable_invoke(handle, entry, tensors.data(), numInputs,
                                   tensors.data() + numInputs, numOutputs);
  }
  check(status);
  return true;
}

// Quantizing weights to 4 bits in blocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "arrays.h"
#include "bindings.h"
#include "needle-c/Quantization.h"

using namespace needle::python;

/// `array` is f32, contiguous and of rank 2.
static nb::tuple quantizeBlockwise(nb::handle array, int64_t blockSize,
                                   bool symmetric) {
  // The size of blocks is checked by the C API; none may divide by 0 here.
  if (blockSize <= 0)
    raise(PyExc_ValueError, "the size of blocks must be positive");
  NdlTensorInfo info = {};
  const int64_t any[] = {NDL_DYNAMIC, NDL_DYNAMIC};
  info.name = "weight";
  info.dtype = NDL_DTYPE_F32;
  info.rank = 2;
  info.dims = any;
  BorrowedTensor weight;
  weight.borrow(array, info, "argument");
  const NdlTensor &tensor = weight.tensor();
  int64_t depth = tensor.shape[0], columns = tensor.shape[1];
  const int64_t dims[] = {depth, columns};
  const int64_t parameterDims[] = {(depth + blockSize - 1) / blockSize,
                                   columns};
  void *stored = nullptr, *scales = nullptr, *zeroPoints = nullptr;
  nb::object storedArray =
      makeArray(symmetric ? NDL_DTYPE_I8 : NDL_DTYPE_U8, dims, 2, stored);
  nb::object scalesArray = makeArray(NDL_DTYPE_F32, parameterDims, 2, scales);
  nb::object zeroPointsArray = nb::none();
  if (!symmetric)
    zeroPointsArray = makeArray(NDL_DTYPE_U8, parameterDims, 2, zeroPoints);
  NeedleStatus status;
  {
    nb::gil_scoped_release release;
    status = needle_quantize_blockwise(
        static_cast<const float *>(tensor.data), depth, columns, blockSize,
        static_cast<int8_t *>(stored), static_cast<float *>(scales),
        static_cast<uint8_t *>(zeroPoints));
  }
  check(status);
  return nb::make_tuple(storedArray, scalesArray, zeroPointsArray);
}

void needle::python::bindBlockwise(nb::module_ &m) {
  m.def(
      "quantize_blockwise", &quantizeBlockwise, nb::arg("weight"),
      nb::arg("block_size"), nb::arg("symmetric"),
      "Integers, scales and zero points (or None) of a weight (rules N1, N2).");
}

// Checks of the caller's tensors against a signature.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tensor_check.h"

#include "dtype.h"

namespace ndl {
namespace {

Status mismatch(const NdlTensor &tensor, const NdlTensorInfo &info) {
  return {NDL_SIGNATURE_MISMATCH,
          "expected " + formatType(info.dtype, info.dims, info.rank) +
              ", got " + formatType(tensor.dtype, tensor.shape, tensor.rank)};
}

/// Number of elements; false if it overflows.
bool countElements(const NdlTensor &tensor, int64_t &count) {
  count = 1;
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (tensor.shape[i] == 0) {
      count = 0;
      return true;
    }
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (__builtin_mul_overflow(count, tensor.shape[i], &count))
      return false;
  return true;
}

/// Whether strides describe row-major order without gaps. Dimensions of size 1
/// may have any stride.
bool isRowMajor(const NdlTensor &tensor) {
  if (!tensor.strides)
    return true;
  int64_t expected = 1;
  for (int32_t i = tensor.rank - 1; i >= 0; --i) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected)
      return false;
    expected *= tensor.shape[i];
  }
  return true;
}

/// Byte offsets, from the element with all indices 0, of the first byte of the
/// lowest and of the highest element; false on overflow.
bool findSpan(const NdlTensor &tensor, int64_t elementBytes, int64_t &low,
              int64_t &high) {
  low = high = 0;
  for (int32_t i = 0; i < tensor.rank; ++i) {
    int64_t reach;
    if (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i],
                               &reach) ||
        __builtin_mul_overflow(reach, elementBytes, &reach))
      return false;
    int64_t &side = reach < 0 ? low : high;
    if (__builtin_add_overflow(side, reach, &side))
      return false;
  }
  return true;
}

Status tooLarge() {
  return {NDL_INVALID_ARGUMENT, "its size exceeds the address space"};
}

} // namespace

std::string formatType(uint32_t dtype, const int64_t *dims, int32_t rank) {
  std::string text = dtypeName(dtype);
  text += '[';
  for (int32_t i = 0; i < rank && dims; ++i) {
    text += i ? "x" : "";
    text += dims[i] == NDL_DYNAMIC ? "?" : std::to_string(dims[i]);
  }
  return text + ']';
}

std::string formatArgument(const char *role, size_t index, const char *name) {
  std::string text = role;
  text += ' ' + std::to_string(index);
  if (*name)
    text += std::string(" '") + name + "'";
  return text;
}

Status checkType(const NdlTensor &tensor, const NdlTensorInfo &info) {
  if (tensor.device.type != NDL_DEVICE_CPU)
    return {NDL_INVALID_ARGUMENT,
            "is on another device, but the executable is on the CPU"};
  if (tensor.rank < 0 || tensor.rank > NDL_MAX_RANK)
    return {NDL_INVALID_ARGUMENT, "rank " + std::to_string(tensor.rank) +
                                      " is not 0 … " +
                                      std::to_string(NDL_MAX_RANK)};
  if (tensor.rank > 0 && !tensor.shape)
    return {NDL_INVALID_ARGUMENT, "its shape is a null pointer"};
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (tensor.shape[i] < 0)
      return {NDL_INVALID_ARGUMENT,
              "dimension " + std::to_string(i) +
                  " is negative: " + std::to_string(tensor.shape[i])};
  if (tensor.dtype != info.dtype || tensor.rank != info.rank)
    return mismatch(tensor, info);
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (info.dims[i] != NDL_DYNAMIC && info.dims[i] != tensor.shape[i])
      return mismatch(tensor, info);
  return {};
}

Status checkExtent(const NdlTensor &tensor, TensorExtent &extent) {
  extent = {};
  int64_t count;
  if (!countElements(tensor, count))
    return tooLarge();
  if (count == 0)
    return {};
  if (!tensor.data)
    return {NDL_INVALID_ARGUMENT, "its data is a null pointer"};
  int bits = dtypeBits(tensor.dtype);
  if (__builtin_mul_overflow(count, int64_t(bits), &extent.bytes) ||
      extent.bytes > INT64_MAX - 7)
    return tooLarge();
  extent.bytes = (extent.bytes + 7) / 8;

  int64_t elementBytes = bits < 8 ? 1 : bits / 8;
  bool rowMajor = isRowMajor(tensor);
  if (bits < 8 && !rowMajor)
    return {NDL_INVALID_ARGUMENT,
            "tensors with elements smaller than a byte must be contiguous"};
  auto address = reinterpret_cast<uintptr_t>(tensor.data);
  extent.contiguous =
      rowMajor && address % static_cast<uintptr_t>(elementBytes) == 0;
  int64_t low = 0, high = extent.bytes - elementBytes;
  if (!rowMajor && !findSpan(tensor, elementBytes, low, high))
    return tooLarge();
  extent.begin = address + static_cast<uintptr_t>(low);
  extent.end = address + static_cast<uintptr_t>(high) +
               static_cast<uintptr_t>(elementBytes);
  // Wrapped around the end of the address space.
  if (extent.begin > address || extent.end <= address)
    return tooLarge();
  return {};
}

} // namespace ndl

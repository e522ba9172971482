// Entry points: copies and fills.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CUDA Driver API, "API synchronization behavior", says what a copy waits for:
// asynchronous copies of page-locked memory are made later; those from pageable
// memory take the bytes at once, those to it wait.

#include "driver/simulator.h"

#include <cstring>

namespace ndl::cudasim::driver {
namespace {

/// Where the range lies when queued work runs. What was freed since it was
/// issued is an illegal address, as for a kernel.
uint8_t *reach(Context &context, const char *what, uint64_t address,
               size_t bytes, CUresult &result) {
  uint8_t *data = context.memory.at(address, bytes);
  result = CUDA_SUCCESS;
  if (!data)
    result = loseContext(context, CUDA_ERROR_ILLEGAL_ADDRESS,
                         std::string(what) + ", queued before: " +
                             context.memory.describe(address, bytes));
  return data;
}

/// Synchronous copies use the legacy default stream.
CUresult beginSynchronousCopy(Context &context, const char *what) {
  if (CUresult result = context.forbidInCapture(what); result != CUDA_SUCCESS)
    return result;
  return context.queues.runLegacy();
}

/// Bytes that were taken from pageable memory when the copy was issued.
Work copyOf(Context &context, CUdeviceptr target, const void *source,
            size_t bytes) {
  const auto *begin = static_cast<const uint8_t *>(source);
  auto taken = std::make_shared<std::vector<uint8_t>>(begin, begin + bytes);
  return [&context, target, taken] {
    CUresult result;
    if (uint8_t *to =
            reach(context, "cuMemcpyHtoDAsync", target, taken->size(), result))
      std::memcpy(to, taken->data(), taken->size());
    return result;
  };
}

/// Queues work of `bytes` bytes on a stream where `check` finds memory.
template <typename Check, typename Queue>
CUresult onStream(const char *name, CUstream handle, size_t bytes, Check check,
                  Queue queue) {
  return withContext(name, [&](Context &context) {
    std::shared_ptr<Stream> stream = context.stream(handle);
    if (!stream)
      return CUDA_ERROR_INVALID_HANDLE;
    if (bytes == 0)
      return CUDA_SUCCESS;
    if (!check(context))
      return CUDA_ERROR_INVALID_VALUE;
    return queue(context, stream);
  });
}

CUresult fill(const char *function, CUdeviceptr target, const void *value,
              size_t width, size_t count, CUstream handle) {
  return withContext(function, [&](Context &context) {
    std::shared_ptr<Stream> stream = context.stream(handle);
    if (!stream)
      return CUDA_ERROR_INVALID_HANDLE;
    if (target % width != 0 || count > SIZE_MAX / width)
      return CUDA_ERROR_INVALID_VALUE;
    if (count == 0)
      return CUDA_SUCCESS;
    size_t bytes = count * width;
    if (!context.checkDevice(function, "target", target, bytes))
      return CUDA_ERROR_INVALID_VALUE;
    std::vector<uint8_t> pattern(width);
    std::memcpy(pattern.data(), value, width);
    return context.issue(stream, [=, &context] {
      CUresult result;
      if (uint8_t *to = reach(context, function, target, bytes, result))
        for (size_t i = 0; i < bytes; ++i)
          to[i] = pattern[i % width];
      return result;
    });
  });
}

} // namespace

CUresult memcpyHtoD(CUdeviceptr target, const void *source, size_t bytes) {
  return withContext("cuMemcpyHtoD", [&](Context &context) {
    bool isPinned;
    if (bytes == 0)
      return CUDA_SUCCESS;
    if (!context.checkDevice("cuMemcpyHtoD", "target", target, bytes) ||
        !context.checkHost("cuMemcpyHtoD", "source", source, bytes, isPinned))
      return CUDA_ERROR_INVALID_VALUE;
    CUresult result = beginSynchronousCopy(context, "cuMemcpyHtoD");
    if (result == CUDA_SUCCESS)
      std::memcpy(context.memory.at(target, bytes), source, bytes);
    return result;
  });
}

CUresult memcpyDtoH(void *target, CUdeviceptr source, size_t bytes) {
  return withContext("cuMemcpyDtoH", [&](Context &context) {
    bool isPinned;
    if (bytes == 0)
      return CUDA_SUCCESS;
    if (!context.checkDevice("cuMemcpyDtoH", "source", source, bytes) ||
        !context.checkHost("cuMemcpyDtoH", "target", target, bytes, isPinned))
      return CUDA_ERROR_INVALID_VALUE;
    CUresult result = beginSynchronousCopy(context, "cuMemcpyDtoH");
    if (result == CUDA_SUCCESS)
      std::memcpy(target, context.memory.at(source, bytes), bytes);
    return result;
  });
}

CUresult memcpyHtoDAsync(CUdeviceptr target, const void *source, size_t bytes,
                         CUstream handle) {
  constexpr const char *name = "cuMemcpyHtoDAsync";
  bool isPinned;
  auto check = [&](Context &context) {
    return context.checkDevice(name, "target", target, bytes) &&
           context.checkHost(name, "source", source, bytes, isPinned);
  };
  auto queue = [&](Context &context, const std::shared_ptr<Stream> &stream) {
    // A graph reads the memory whenever it runs.
    if (!isPinned && !stream->capture)
      return context.issue(stream, copyOf(context, target, source, bytes));
    return context.issue(stream, [=, &context] {
      CUresult result;
      if (uint8_t *to = reach(context, name, target, bytes, result))
        std::memcpy(to, source, bytes);
      return result;
    });
  };
  return onStream(name, handle, bytes, check, queue);
}

CUresult memcpyDtoHAsync(void *target, CUdeviceptr source, size_t bytes,
                         CUstream handle) {
  constexpr const char *name = "cuMemcpyDtoHAsync";
  bool isPinned;
  auto check = [&](Context &context) {
    return context.checkDevice(name, "source", source, bytes) &&
           context.checkHost(name, "target", target, bytes, isPinned);
  };
  auto queue = [&](Context &context, const std::shared_ptr<Stream> &stream) {
    CUresult result = context.issue(stream, [=, &context] {
      CUresult result;
      if (uint8_t *from = reach(context, name, source, bytes, result))
        std::memcpy(target, from, bytes);
      return result;
    });
    if (result != CUDA_SUCCESS || isPinned || stream->capture)
      return result;
    return context.queues.run(*stream);
  };
  return onStream(name, handle, bytes, check, queue);
}

CUresult memcpyDtoDAsync(CUdeviceptr target, CUdeviceptr source, size_t bytes,
                         CUstream handle) {
  constexpr const char *name = "cuMemcpyDtoDAsync";
  auto check = [&](Context &context) {
    return context.checkDevice(name, "target", target, bytes) &&
           context.checkDevice(name, "source", source, bytes);
  };
  auto queue = [&](Context &context, const std::shared_ptr<Stream> &stream) {
    return context.issue(stream, [=, &context] {
      CUresult result;
      uint8_t *to = reach(context, name, target, bytes, result);
      if (!to)
        return result;
      if (uint8_t *from = reach(context, name, source, bytes, result))
        std::memmove(to, from, bytes);
      return result;
    });
  };
  return onStream(name, handle, bytes, check, queue);
}

CUresult memsetD8Async(CUdeviceptr target, unsigned char value, size_t count,
                       CUstream stream) {
  return fill("cuMemsetD8Async", target, &value, sizeof value, count, stream);
}

CUresult memsetD32Async(CUdeviceptr target, unsigned value, size_t count,
                        CUstream stream) {
  return fill("cuMemsetD32Async", target, &value, sizeof value, count, stream);
}

} // namespace ndl::cudasim::driver

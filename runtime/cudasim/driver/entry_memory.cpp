// Entry points: device memory and page-locked host memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/simulator.h"

#include <cstdlib>
#include <cstring>
#include <sstream>

namespace ndl::cudasim::driver {
namespace {

std::string hex(uint64_t address) {
  std::ostringstream text;
  text << "0x" << std::hex << address;
  return text.str();
}

/// The value of an attribute of device memory or page-locked host memory.
template <typename Value>
CUresult store(void *target, Value value) {
  std::memcpy(target, &value, sizeof(Value));
  return CUDA_SUCCESS;
}

} // namespace

CUresult memAlloc(CUdeviceptr *address, size_t bytes) {
  return withContext("cuMemAlloc", [&](Context &context) {
    if (!address || bytes == 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = context.forbidInCapture("cuMemAlloc");
        result != CUDA_SUCCESS)
      return result;
    uint64_t start = context.memory.allocate(bytes);
    if (!start) {
      report("cuMemAlloc: " + std::to_string(bytes) +
             " bytes do not fit: " + std::to_string(context.memory.used()) +
             " of " + std::to_string(context.memory.capacity()) +
             " bytes are in use (NEEDLE_CUDASIM_MEMORY sets the size)");
      return CUDA_ERROR_OUT_OF_MEMORY;
    }
    context.allocations[start] = {bytes, ++context.numAllocations};
    *address = start;
    return CUDA_SUCCESS;
  });
}

CUresult memFree(CUdeviceptr address) {
  return withContext("cuMemFree", [&](Context &context) {
    if (CUresult result = context.forbidInCapture("cuMemFree");
        result != CUDA_SUCCESS)
      return result;
    auto found = context.allocations.find(address);
    if (found == context.allocations.end()) {
      report("cuMemFree: " + hex(address) + " is not the start of an " +
             "allocation, but " + context.memory.describe(address, 1));
      return CUDA_ERROR_INVALID_VALUE;
    }
    // Work that uses it may be queued; the driver waits for it.
    CUresult result = context.queues.runAll();
    context.memory.free(address);
    context.allocations.erase(found);
    return result;
  });
}

CUresult memGetInfo(size_t *free, size_t *total) {
  return withContext("cuMemGetInfo", [&](Context &context) {
    if (!free || !total)
      return CUDA_ERROR_INVALID_VALUE;
    *total = context.memory.capacity();
    *free = context.memory.capacity() - context.memory.used();
    return CUDA_SUCCESS;
  });
}

CUresult memHostAlloc(void **memory, size_t bytes, unsigned flags) {
  return withContext("cuMemHostAlloc", [&](Context &context) {
    constexpr unsigned known = kMemHostAllocPortable | kMemHostAllocDeviceMap |
                               kMemHostAllocWriteCombined;
    constexpr size_t page = 4096;
    if (!memory || bytes == 0 || (flags & ~known) || bytes > SIZE_MAX - page)
      return CUDA_ERROR_INVALID_VALUE;
    if (CUresult result = context.forbidInCapture("cuMemHostAlloc");
        result != CUDA_SUCCESS)
      return result;
    size_t size = (bytes + page - 1) / page * page;
    void *block = std::aligned_alloc(page, size);
    if (!block)
      return CUDA_ERROR_OUT_OF_MEMORY;
    // Not zero, lest somebody rely on it.
    std::memset(block, 0xff, size);
    context.pinned[reinterpret_cast<uintptr_t>(block)] = bytes;
    *memory = block;
    return CUDA_SUCCESS;
  });
}

CUresult memFreeHost(void *memory) {
  return withContext("cuMemFreeHost", [&](Context &context) {
    if (CUresult result = context.forbidInCapture("cuMemFreeHost");
        result != CUDA_SUCCESS)
      return result;
    auto address = reinterpret_cast<uintptr_t>(memory);
    auto found = context.pinned.find(address);
    if (found == context.pinned.end()) {
      report("cuMemFreeHost: " + hex(address) +
             " is not the start of page-locked memory");
      return CUDA_ERROR_INVALID_VALUE;
    }
    CUresult result = context.queues.runAll();
    std::free(memory);
    context.pinned.erase(found);
    return result;
  });
}

CUresult pointerGetAttribute(void *value, CUpointerAttribute attribute,
                             CUdeviceptr address) {
  return withContext("cuPointerGetAttribute", [&](Context &context) {
    if (!value)
      return CUDA_ERROR_INVALID_VALUE;
    const DeviceMemory::Allocation *onDevice = context.memory.find(address);
    const auto *onHost = context.findPinned(static_cast<uintptr_t>(address));
    if (!onDevice && !onHost)
      return CUDA_ERROR_INVALID_VALUE;
    switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT:
      return store(value, context.handle);
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      return store(value, onDevice ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST);
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
      // Kernels of the simulator reach no host memory.
      return onDevice ? store(value, address) : CUDA_ERROR_INVALID_VALUE;
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
      return onHost ? store(value, address) : CUDA_ERROR_INVALID_VALUE;
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      return store(value, 0);
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
      return store(value, onDevice ? CUdeviceptr(onDevice->start)
                                   : CUdeviceptr(onHost->first));
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
      return store(value, onDevice ? size_t(onDevice->bytes) : onHost->second);
    }
    return CUDA_ERROR_INVALID_VALUE;
  });
}

} // namespace ndl::cudasim::driver

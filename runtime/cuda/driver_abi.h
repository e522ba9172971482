// What needle uses of the CUDA driver API's types.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declared here so that needle builds without a CUDA toolkit. The types have
// the sizes, and the enumerators of driver_values.def the values, that the CUDA
// Driver API documentation gives.

#ifndef NEEDLE_RUNTIME_CUDA_DRIVER_ABI_H
#define NEEDLE_RUNTIME_CUDA_DRIVER_ABI_H

#include <cstddef>
#include <cstdint>

namespace ndl::cuda {

using CUdevice = int;
/// An address of device memory; also that of host memory where addressing is
/// unified.
using CUdeviceptr = unsigned long long;

using CUcontext = struct CUcontextObject *;
using CUmodule = struct CUmoduleObject *;
using CUfunction = struct CUfunctionObject *;
using CUstream = struct CUstreamObject *;
using CUevent = struct CUeventObject *;
using CUgraph = struct CUgraphObject *;
using CUgraphExec = struct CUgraphExecObject *;

// Enumerations have 32 bits, so that C++ may hold values unknown to it.
enum CUresult : uint32_t {
#define NEEDLE_CUDA_RESULT(name, value, text) name = (value),
#include "cuda/driver_values.def"
};
enum CUdeviceAttribute : uint32_t {
#define NEEDLE_CUDA_DEVICE_ATTRIBUTE(name, value) name = (value),
#include "cuda/driver_values.def"
};
enum CUfunctionAttribute : uint32_t {
#define NEEDLE_CUDA_FUNCTION_ATTRIBUTE(name, value) name = (value),
#include "cuda/driver_values.def"
};
enum CUpointerAttribute : uint32_t {
#define NEEDLE_CUDA_POINTER_ATTRIBUTE(name, value) name = (value),
#include "cuda/driver_values.def"
};
enum CUjitOption : uint32_t {
#define NEEDLE_CUDA_JIT_OPTION(name, value) name = (value),
#include "cuda/driver_values.def"
};

enum CUmemorytype : uint32_t {};
enum CUstreamFlags : uint32_t {};
enum CUeventFlags : uint32_t {};
enum CUstreamCaptureStatus : uint32_t {};
enum CUstreamCaptureMode : uint32_t {};
enum CUgraphInstantiateFlags : uint32_t {};
#define NEEDLE_CUDA_CONSTANT(type, name, value) constexpr type name{value};
#include "cuda/driver_values.def"

// Flags of cuMemHostAlloc, which are macros in the toolkit's header.
constexpr unsigned kMemHostAllocPortable = 1;
constexpr unsigned kMemHostAllocDeviceMap = 2;
constexpr unsigned kMemHostAllocWriteCombined = 4;

// What may stand in the array `extra` of cuLaunchKernel.
constexpr uintptr_t kLaunchParamEnd = 0;
constexpr uintptr_t kLaunchParamBufferPointer = 1;
constexpr uintptr_t kLaunchParamBufferSize = 2;

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_DRIVER_ABI_H

// Entry points: launches and occupancy.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/simulator.h"
#include "exec/launch.h"

#include <algorithm>
#include <cstring>

namespace ndl::cudasim::driver {
namespace {

CUresult refuse(const Kernel &kernel, CUresult result,
                const std::string &message) {
  report("cuLaunchKernel: kernel `" + kernel.name + "`: " + message);
  return result;
}

std::string text(const std::array<uint32_t, 3> &extents) {
  return "(" + std::to_string(extents[0]) + "," + std::to_string(extents[1]) +
         "," + std::to_string(extents[2]) + ")";
}

std::array<uint32_t, 3> extents(const Dim3 &dim) {
  return {dim.x, dim.y, dim.z};
}

/// CUDA C++ Programming Guide, "Technical Specifications per Compute
/// Capability"; PTX ISA, "Performance-Tuning Directives".
CUresult checkShape(const Kernel &kernel, const LaunchConfig &config) {
  std::array<uint32_t, 3> grid = extents(config.grid);
  std::array<uint32_t, 3> block = extents(config.block);
  for (size_t i = 0; i < 3; ++i) {
    if (grid[i] == 0 || grid[i] > kMaxGrid[i])
      return refuse(kernel, CUDA_ERROR_INVALID_VALUE,
                    "the grid " + text(grid) + " is not allowed");
    if (block[i] == 0 || block[i] > kMaxBlock[i])
      return refuse(kernel, CUDA_ERROR_INVALID_VALUE,
                    "the block " + text(block) + " is not allowed");
  }
  if (config.block.count() > kMaxThreadsPerBlock)
    return refuse(kernel, CUDA_ERROR_INVALID_VALUE,
                  "the block " + text(block) + " has " +
                      std::to_string(config.block.count()) +
                      " threads, more than " +
                      std::to_string(kMaxThreadsPerBlock));
  if (kernel.requiredThreads[0] && kernel.requiredThreads != block)
    return refuse(kernel, CUDA_ERROR_INVALID_VALUE,
                  "the block " + text(block) +
                      " is not the kernel's .reqntid " +
                      text(kernel.requiredThreads));
  const std::array<uint32_t, 3> &most = kernel.maximumThreads;
  if (most[0] && config.block.count() > uint64_t(most[0]) * most[1] * most[2])
    return refuse(kernel, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
                  "the block " + text(block) +
                      " has more threads than the kernel's .maxntid " +
                      text(most));
  return CUDA_SUCCESS;
}

CUresult checkShared(const LoadedFunction &function, uint32_t dynamicBytes) {
  if (dynamicBytes <= static_cast<uint32_t>(function.maxDynamicShared))
    return CUDA_SUCCESS;
  return refuse(
      *function.kernel, CUDA_ERROR_INVALID_VALUE,
      std::to_string(dynamicBytes) + " bytes of dynamic shared memory beside " +
          std::to_string(function.kernel->staticSharedBytes) +
          " static ones, but only " +
          std::to_string(function.maxDynamicShared) +
          " are allowed (CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)");
}

/// Takes the values from an array of pointers, one for each parameter.
CUresult packPointers(const Kernel &kernel, void **parameters,
                      std::vector<uint8_t> &buffer) {
  for (size_t i = 0; i < kernel.parameters.size(); ++i) {
    const Parameter &parameter = kernel.parameters[i];
    if (!parameters || !parameters[i])
      return refuse(kernel, CUDA_ERROR_INVALID_VALUE,
                    "no value for parameter " + std::to_string(i) + ", `" +
                        parameter.name + "`");
    std::memcpy(buffer.data() + parameter.offset, parameters[i],
                parameter.size);
  }
  return CUDA_SUCCESS;
}

/// Takes the values from one buffer, see cuLaunchKernel's `extra`.
CUresult packBuffer(const Kernel &kernel, void **extra,
                    std::vector<uint8_t> &buffer) {
  const void *data = nullptr;
  const size_t *size = nullptr;
  for (; reinterpret_cast<uintptr_t>(*extra) != kLaunchParamEnd; extra += 2) {
    auto key = reinterpret_cast<uintptr_t>(extra[0]);
    if (key == kLaunchParamBufferPointer)
      data = extra[1];
    else if (key == kLaunchParamBufferSize)
      size = static_cast<const size_t *>(extra[1]);
    else
      return refuse(kernel, CUDA_ERROR_INVALID_VALUE,
                    "`extra` has an unknown key");
  }
  if (!data || !size || *size != buffer.size())
    return refuse(kernel, CUDA_ERROR_INVALID_VALUE,
                  "`extra` has " + std::to_string(size ? *size : 0) +
                      " bytes of parameters, the kernel " +
                      std::to_string(buffer.size()));
  std::memcpy(buffer.data(), data, buffer.size());
  return CUDA_SUCCESS;
}

CUresult errorOf(FaultKind kind) {
  switch (kind) {
  case FaultKind::IllegalAddress:
    return CUDA_ERROR_ILLEGAL_ADDRESS;
  case FaultKind::MisalignedAddress:
    return CUDA_ERROR_MISALIGNED_ADDRESS;
  case FaultKind::IllegalInstruction:
    return CUDA_ERROR_ILLEGAL_INSTRUCTION;
  case FaultKind::Timeout:
    return CUDA_ERROR_LAUNCH_TIMEOUT;
  case FaultKind::LaunchFailure:
  case FaultKind::InvalidParameter:
    return CUDA_ERROR_LAUNCH_FAILED;
  }
  return CUDA_ERROR_LAUNCH_FAILED;
}

/// The launch itself, when its turn comes.
CUresult run(Context &context, const LoadedFunction &function,
             LaunchConfig config, const std::vector<uint8_t> &parameters) {
  // Each launch has an order of its own; 0 means none.
  ++context.numLaunches;
  if (context.settings.seed)
    config.seed = context.settings.seed + context.numLaunches;
  config.instructionLimit = context.settings.instructionLimit;
  trace("running `" + function.kernel->name + "` with grid " +
        text(extents(config.grid)) + ", block " + text(extents(config.block)));
  Fault fault;
  if (launch(function.module->module, *function.kernel, config,
             parameters.data(), context.memory, fault))
    return CUDA_SUCCESS;
  return loseContext(context, errorOf(fault.kind), fault.text());
}

} // namespace

CUresult launchKernel(CUfunction handle, unsigned gridX, unsigned gridY,
                      unsigned gridZ, unsigned blockX, unsigned blockY,
                      unsigned blockZ, unsigned sharedBytes,
                      CUstream streamHandle, void **parameters, void **extra) {
  return withContext("cuLaunchKernel", [&](Context &context) {
    std::shared_ptr<LoadedFunction> function = context.functions.find(handle);
    std::shared_ptr<Stream> stream = context.stream(streamHandle);
    if (!function || !stream)
      return CUDA_ERROR_INVALID_HANDLE;
    if (parameters && extra)
      return CUDA_ERROR_INVALID_VALUE;
    LaunchConfig config;
    config.grid = {gridX, gridY, gridZ};
    config.block = {blockX, blockY, blockZ};
    config.dynamicSharedBytes = sharedBytes;
    const Kernel &kernel = *function->kernel;
    CUresult result = checkShape(kernel, config);
    if (result == CUDA_SUCCESS)
      result = checkShared(*function, sharedBytes);
    std::vector<uint8_t> values(kernel.totalParameterBytes);
    if (result == CUDA_SUCCESS)
      result = extra ? packBuffer(kernel, extra, values)
                     : packPointers(kernel, parameters, values);
    if (result != CUDA_SUCCESS)
      return result;
    return context.issue(stream, [=, &context, values = std::move(values)] {
      return run(context, *function, config, values);
    });
  });
}

CUresult occupancyMaxActiveBlocksPerMultiprocessor(int *blocks,
                                                   CUfunction handle,
                                                   int blockSize,
                                                   size_t dynamicSharedBytes) {
  constexpr const char *name = "cuOccupancyMaxActiveBlocksPerMultiprocessor";
  return withContext(name, [&](Context &context) {
    std::shared_ptr<LoadedFunction> function = context.functions.find(handle);
    if (!function)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!blocks || blockSize <= 0)
      return CUDA_ERROR_INVALID_VALUE;
    const DeviceLimits &limits = context.limits;
    // Registers are not counted, since PTX has virtual ones only: a real device
    // may run fewer blocks.
    auto threads = (static_cast<uint64_t>(blockSize) + kWarpSize - 1) /
                   kWarpSize * kWarpSize;
    uint64_t shared = function->kernel->staticSharedBytes + dynamicSharedBytes +
                      static_cast<uint64_t>(limits.reservedSharedPerBlock);
    uint64_t most = std::min<uint64_t>(
        static_cast<uint64_t>(limits.maxBlocksPerMultiprocessor),
        static_cast<uint64_t>(limits.maxThreadsPerMultiprocessor) / threads);
    if (shared > 0)
      most = std::min(
          most, static_cast<uint64_t>(limits.sharedPerMultiprocessor) / shared);
    if (blockSize > static_cast<int>(kMaxThreadsPerBlock) ||
        dynamicSharedBytes > static_cast<size_t>(function->maxDynamicShared))
      most = 0;
    *blocks = static_cast<int>(most);
    return CUDA_SUCCESS;
  });
}

} // namespace ndl::cudasim::driver

// A device of the CUDA driver, its primary context and one stream.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/context.h"

#include "cuda/errors.h"

#include <cstdlib>

namespace ndl::cuda {

Status defaultDevice(int &ordinal) {
  ordinal = 0;
  const char *variable = std::getenv("NEEDLE_CUDA_DEVICE");
  if (!variable || !*variable)
    return {};
  std::string text = variable;
  if (text.size() > 4 || text.find_first_not_of("0123456789") != text.npos)
    return {NDL_INVALID_ARGUMENT,
            "NEEDLE_CUDA_DEVICE is '" + text +
                "', but must be the number of a device: 0, 1, …"};
  ordinal = std::atoi(variable);
  return {};
}

Status Context::create(const Driver &driver, int ordinal,
                       std::unique_ptr<Context> &context) {
  if (Status status = driver.checkProcess(); !status.ok())
    return status;
  std::unique_ptr<Context> fresh(new Context(driver, ordinal));
  if (Status status = fresh->open(); !status.ok())
    return status.in("CUDA device " + std::to_string(ordinal));
  context = std::move(fresh);
  return {};
}

Status Context::open() {
  int count = 0;
  if (Status status = check(api->deviceGetCount(&count), "cuDeviceGetCount");
      !status.ok())
    return status;
  if (index < 0 || index >= count)
    return {NDL_NOT_FOUND,
            "there is no such device; the driver has " + std::to_string(count)};
  if (Status status = check(api->deviceGet(&id, index), "cuDeviceGet");
      !status.ok())
    return status;
  if (Status status = readProperties(); !status.ok())
    return status;
  if (Status status = check(api->devicePrimaryCtxRetain(&context, id),
                            "cuDevicePrimaryCtxRetain");
      !status.ok())
    return status;
  Status status;
  {
    CurrentContext current(*this);
    status = current.status();
    // Not ordered with the legacy default stream, on which other libraries of
    // the process may work.
    if (status.ok())
      status = check(api->streamCreate(&queue, CU_STREAM_NON_BLOCKING),
                     "cuStreamCreate");
  }
  if (!status.ok())
    api->devicePrimaryCtxRelease(id);
  return status;
}

Status Context::readProperties() {
  char name[256] = "";
  size_t bytes = 0;
  int major = 0, minor = 0;
  CUresult result = api->deviceGetName(name, sizeof name, id);
  if (result == CUDA_SUCCESS)
    result = api->deviceTotalMem(&bytes, id);
  auto read = [&](int &value, CUdeviceAttribute attribute) {
    if (result == CUDA_SUCCESS)
      result = api->deviceGetAttribute(&value, attribute, id);
  };
  read(major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  read(minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  read(device.multiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  read(device.warpSize, CU_DEVICE_ATTRIBUTE_WARP_SIZE);
  read(device.maxThreadsPerBlock, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  read(device.maxThreadsPerMultiprocessor,
       CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
  read(device.maxBlocksPerMultiprocessor,
       CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR);
  read(device.registersPerMultiprocessor,
       CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR);
  read(device.sharedPerBlock, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
  read(device.sharedPerBlockOptin,
       CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  read(device.sharedPerMultiprocessor,
       CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
  read(device.l2Cache, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
  device.name = name;
  device.capability = 10 * major + minor;
  device.memory = bytes;
  device.simulated = api.simulated();
  return check(result, "reading the device's properties");
}

Status Context::synchronize() {
  CurrentContext current(*this);
  if (!current.status().ok())
    return current.status();
  uint64_t mark = log.mark();
  Status status = check(api->streamSynchronize(queue), "cuStreamSynchronize");
  if (status.ok())
    log.completed(mark);
  return status;
}

Status Context::check(CUresult result, const char *what) {
  if (result == CUDA_SUCCESS)
    return {};
  if (losesContext(result))
    return lose(result, what);
  std::string text = std::string(what) + ": " + api.describe(result);
  if (std::string report = api.report(); !report.empty())
    text += "\n" + report;
  return {statusCode(result), text};
}

Status Context::lose(CUresult result, const char *what) {
  std::lock_guard<std::mutex> lock(lossMutex);
  if (lost)
    return {NDL_INTERNAL_ERROR, loss};
  std::string error = api.describe(result);
  loss = "the CUDA context was lost by an earlier error, " + error +
         "; restart the process";
  lost = true;
  std::string text =
      "the CUDA context was lost by " + error + ", reported by " + what;
  if (std::string kernels = log.describe(); !kernels.empty())
    text += "; " + kernels;
  if (std::string report = api.report(); !report.empty())
    text += "\n" + report;
  return {NDL_INTERNAL_ERROR, text + "\nRestart the process"};
}

Status Context::usable() const {
  if (Status status = api.checkProcess(); !status.ok())
    return status;
  if (closed)
    return {NDL_INVALID_ARGUMENT, "the CUDA device has been shut down"};
  if (!lost)
    return {};
  std::lock_guard<std::mutex> lock(lossMutex);
  return {NDL_INTERNAL_ERROR, loss};
}

Status Context::shutdown() {
  if (closed)
    return {};
  // Not through usable(): a lost context is released too.
  if (Status status = api.checkProcess(); !status.ok())
    return status;
  Status status;
  {
    CurrentContext current(*this);
    status = current.status();
    if (status.ok())
      status = check(api->streamDestroy(queue), "cuStreamDestroy");
  }
  closed = true;
  CUresult released = api->devicePrimaryCtxRelease(id);
  // The loss was reported when it happened.
  if (lost)
    return {};
  return status.ok() ? check(released, "cuDevicePrimaryCtxRelease") : status;
}

CurrentContext::CurrentContext(Context &context)
    : driver(context.driver()), outcome(context.usable()) {
  if (!outcome.ok())
    return;
  CUcontext current = nullptr;
  CUresult result = driver->ctxGetCurrent(&current);
  if (result == CUDA_SUCCESS && current != context.handle()) {
    result = driver->ctxPushCurrent(context.handle());
    pushed = result == CUDA_SUCCESS;
  }
  outcome = context.check(result, "cuCtxPushCurrent");
}

CurrentContext::~CurrentContext() {
  CUcontext popped;
  if (pushed)
    driver->ctxPopCurrent(&popped);
}

} // namespace ndl::cuda

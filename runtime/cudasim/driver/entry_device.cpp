// Entry points: the driver and its one device.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/simulator.h"

#include <cstring>

#include <unistd.h>

namespace ndl::cudasim::driver {

CUresult init(unsigned flags) {
  Call call("cuInit");
  Simulator &state = simulator();
  if (flags != 0)
    return call.done(CUDA_ERROR_INVALID_VALUE);
  if (state.initialized)
    return call.done(call.needInitialized());
  std::string error;
  if (!readSettings(state.settings, error)) {
    report(error);
    return call.done(CUDA_ERROR_INVALID_VALUE);
  }
  state.initialized = true;
  state.process = ::getpid();
  return call.done(CUDA_SUCCESS);
}

CUresult driverGetVersion(int *version) {
  // Allowed before cuInit.
  Call call("cuDriverGetVersion");
  if (!version)
    return call.done(CUDA_ERROR_INVALID_VALUE);
  *version = kDriverVersion;
  return call.done(CUDA_SUCCESS);
}

CUresult getErrorName(CUresult error, const char **name) {
  if (!name)
    return CUDA_ERROR_INVALID_VALUE;
  *name = resultName(error);
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult getErrorString(CUresult error, const char **text) {
  if (!text)
    return CUDA_ERROR_INVALID_VALUE;
  *text = nullptr;
  switch (error) {
#define NEEDLE_CUDA_RESULT(name, value, meaning)                               \
  case name:                                                                   \
    *text = meaning;                                                           \
    return CUDA_SUCCESS;
#include "cuda/driver_values.def"
  }
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult deviceGetCount(int *count) {
  return withDriver("cuDeviceGetCount", [&](Simulator &) {
    if (!count)
      return CUDA_ERROR_INVALID_VALUE;
    *count = 1;
    return CUDA_SUCCESS;
  });
}

CUresult deviceGet(CUdevice *device, int ordinal) {
  return withDriver("cuDeviceGet", [&](Simulator &) {
    if (!device)
      return CUDA_ERROR_INVALID_VALUE;
    if (ordinal != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    *device = 0;
    return CUDA_SUCCESS;
  });
}

CUresult deviceGetName(char *name, int length, CUdevice device) {
  return withDriver("cuDeviceGetName", [&](Simulator &state) {
    if (!name || length <= 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    std::string text = "needle simulated CUDA device (sm_" +
                       std::to_string(state.settings.architecture) + ")";
    // The documentation: at most `length` bytes, with the NUL.
    text.resize(std::min(text.size(), static_cast<size_t>(length) - 1));
    std::memcpy(name, text.c_str(), text.size() + 1);
    return CUDA_SUCCESS;
  });
}

CUresult deviceGetAttribute(int *value, CUdeviceAttribute attribute,
                            CUdevice device) {
  return withDriver("cuDeviceGetAttribute", [&](Simulator &state) {
    if (!value)
      return CUDA_ERROR_INVALID_VALUE;
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    return deviceAttribute(limitsOf(state.settings.architecture), attribute,
                           *value)
               ? CUDA_SUCCESS
               : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult deviceTotalMem(size_t *bytes, CUdevice device) {
  return withDriver("cuDeviceTotalMem", [&](Simulator &state) {
    if (!bytes)
      return CUDA_ERROR_INVALID_VALUE;
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    *bytes = state.settings.memoryBytes;
    return CUDA_SUCCESS;
  });
}

} // namespace ndl::cudasim::driver

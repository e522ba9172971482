// Finds and opens the library of a CUDA driver.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_CUDA_DRIVER_LIBRARY_H
#define NEEDLE_RUNTIME_CUDA_DRIVER_LIBRARY_H

#include "needle-rt/status.h"

#include <string>

namespace ndl::cuda {

struct DriverLibrary {
  void *handle = nullptr; ///< of dlopen
  std::string path;
};

/// Opens what NEEDLE_CUDA_DRIVER = `choice` names, see driver.h. The error
/// lists all that was tried.
Status openDriverLibrary(const std::string &choice, DriverLibrary &library);

/// See Driver::setSimulatorPath.
void setSimulatorLibrary(std::string path);

/// What to do without a driver; ends a message.
std::string driverWaysOut();

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_DRIVER_LIBRARY_H

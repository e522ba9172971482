// The CUDA driver, opened at run time.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The environment variable NEEDLE_CUDA_DRIVER chooses it: unset or empty, the
// system's driver; "sim", needle's simulated device; else the path of a
// library.

#ifndef NEEDLE_RUNTIME_CUDA_DRIVER_H
#define NEEDLE_RUNTIME_CUDA_DRIVER_H

#include "cuda/driver_abi.h"

#include "needle-rt/status.h"

#include <memory>
#include <string>
#include <type_traits>

namespace ndl::cuda {

/// The driver's functions, one member each.
struct DriverFunctions {
#define NEEDLE_CUDA_FUNCTION(name, symbol, parameters)                         \
  std::add_pointer_t<CUresult parameters> name = nullptr;
#include "cuda/driver_functions.def"
};

/// A loaded and initialized driver with at least one device.
///
/// A driver is never unloaded: it has threads and exit handlers of its own. It
/// cannot be used in a child that was forked after it was loaded.
class Driver {
public:
  /// The oldest version, as cuDriverGetVersion counts, that has all functions
  /// of driver_functions.def: cuGraphInstantiateWithFlags came with CUDA 11.4.
  static constexpr int kOldestVersion = 11040;

  /// The process's driver; loaded by the first call that succeeds, so that a
  /// later one may find what an earlier one missed. Errors: NDL_NOT_FOUND (no
  /// driver, no device), NDL_UNSUPPORTED_VERSION (too old),
  /// NDL_INVALID_ARGUMENT (the variable names something else than a driver, or
  /// the process was forked after loading).
  static Status get(const Driver *&driver);

  /// Loads another driver: `choice` as in NEEDLE_CUDA_DRIVER. Same errors.
  static Status load(const std::string &choice,
                     std::unique_ptr<const Driver> &driver);

  /// Where the simulator's library is, should it not be beside the library or
  /// program that contains this code, nor in lib beside its folder. To be
  /// called before the driver is loaded; "" forgets it.
  static void setSimulatorPath(std::string path);

  const DriverFunctions *operator->() const { return &functions; }
  /// As cuDriverGetVersion counts: 12040 is CUDA 12.4.
  int version() const { return number; }
  /// What was opened: the name or path given to the system's loader.
  const std::string &path() const { return file; }
  /// Whether it is needle's simulator.
  bool simulated() const { return simulatorReport != nullptr; }
  /// What the simulator says on the last error; "" from other drivers.
  std::string report() const;
  /// An error in a child that was forked after the driver was loaded.
  Status checkProcess() const;
  /// "CUDA_ERROR_INVALID_VALUE (an argument is not acceptable)", in the
  /// driver's words.
  std::string describe(CUresult result) const;

private:
  Driver() = default;
  Status open(const std::string &choice);
  Status initialize();
  Status resolve();

  DriverFunctions functions;
  const char *(*simulatorReport)() = nullptr;
  void *library = nullptr;
  std::string file;
  int number = 0;
  unsigned forks = 0;
};

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_DRIVER_H

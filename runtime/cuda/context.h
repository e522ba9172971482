// A device of the CUDA driver, its primary context and one stream.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_CUDA_CONTEXT_H
#define NEEDLE_RUNTIME_CUDA_CONTEXT_H

#include "cuda/driver.h"
#include "cuda/launch_log.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

namespace ndl::cuda {

/// What is worth knowing of a device. Sizes are in bytes.
struct DeviceProperties {
  std::string name;
  int capability = 0; ///< 86 for compute capability 8.6
  int multiprocessors = 0;
  int warpSize = 0;
  int maxThreadsPerBlock = 0;
  int maxThreadsPerMultiprocessor = 0;
  int maxBlocksPerMultiprocessor = 0;
  int registersPerMultiprocessor = 0;
  int sharedPerBlock = 0;      ///< without asking
  int sharedPerBlockOptin = 0; ///< at most, see launch.h
  int sharedPerMultiprocessor = 0;
  int l2Cache = 0;
  uint64_t memory = 0;
  bool simulated = false;
};

/// The device that NEEDLE_CUDA_DEVICE names, else 0. Error:
/// NDL_INVALID_ARGUMENT (not a number).
Status defaultDevice(int &ordinal);

/// Holds the device's primary context, which other libraries of the process
/// share, and one stream, on which all work of needle is ordered. Thread-safe.
///
/// Nothing is released by the destructor: it may run when the driver has
/// already torn itself down. shutdown() releases; without it the end of the
/// process does.
class Context {
public:
  /// Errors: NDL_NOT_FOUND (no such device), NDL_OUT_OF_MEMORY,
  /// NDL_INTERNAL_ERROR.
  static Status create(const Driver &driver, int ordinal,
                       std::unique_ptr<Context> &context);

  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;

  const Driver &driver() const { return api; }
  const DeviceProperties &properties() const { return device; }
  int ordinal() const { return index; }
  CUcontext handle() const { return context; }
  CUstream stream() const { return queue; }
  LaunchLog &launches() { return log; }

  /// Waits for all work on the stream. Reports the errors of kernels.
  Status synchronize();

  /// Translates the outcome of the driver's function `what`. An error that
  /// destroys the context marks it as lost: it names the kernels that may have
  /// caused it, and every later call fails. Called with the context current.
  Status check(CUresult result, const char *what);

  /// An error once the context was lost or shut down, or in a forked child.
  Status usable() const;

  /// Releases the stream and the context; what was allocated in it is gone. No
  /// other call may be in progress; later ones fail. Called again, does
  /// nothing.
  Status shutdown();

private:
  Context(const Driver &driver, int ordinal) : api(driver), index(ordinal) {}
  Status open();
  Status readProperties();
  Status lose(CUresult result, const char *what);

  const Driver &api;
  int index;
  CUdevice id = 0;
  DeviceProperties device;
  CUcontext context = nullptr;
  CUstream queue = nullptr;
  LaunchLog log;

  std::atomic<bool> closed{false};
  std::atomic<bool> lost{false};
  mutable std::mutex lossMutex;
  std::string loss; ///< guarded by lossMutex
};

/// Makes a context current for the calling thread while it lives, and restores
/// what was current. Check status() before calling the driver.
class CurrentContext {
public:
  explicit CurrentContext(Context &context);
  ~CurrentContext();
  CurrentContext(const CurrentContext &) = delete;
  CurrentContext &operator=(const CurrentContext &) = delete;

  const Status &status() const { return outcome; }

private:
  const Driver &driver;
  Status outcome;
  bool pushed = false;
};

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_CONTEXT_H

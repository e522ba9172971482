// The state of the simulated driver, and what every entry point does.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_DRIVER_SIMULATOR_H
#define NEEDLE_CUDASIM_DRIVER_SIMULATOR_H

#include "driver/context.h"

#include <mutex>

#include <sys/types.h>

namespace ndl::cudasim::driver {

/// CUDA 13.0 and the PTX version that came with it.
constexpr int kDriverVersion = 13000;
constexpr int kNewestPtx = 90; // 9.0

struct Simulator {
  /// Held by every call from beginning to end.
  std::mutex mutex;
  bool initialized = false;
  pid_t process = 0; ///< which called cuInit
  Settings settings;
  std::shared_ptr<Context> context; ///< the primary one; null while released
  int retained = 0;
  /// The error that lost the context, for good.
  CUresult lost = CUDA_SUCCESS;
  std::string report;
  bool reported = false; ///< by the call in progress
};

/// Never destroyed, so that it can be used at exit.
Simulator &simulator();

/// Says what an error is about; called with the lock held.
void report(std::string text);
/// Writes a line on stderr if NEEDLE_CUDASIM_TRACE is set.
void trace(const std::string &line);
/// Loses the context: all work is dropped, all calls return the error from now
/// on. Returns `error`.
CUresult loseContext(Context &context, CUresult error, std::string text);
/// "CUDA_SUCCESS", …; null for numbers unknown to it.
const char *resultName(CUresult result);

/// The thread's stack of current contexts.
std::vector<CUcontext> &contextStack();

/// Holds the lock during a call, and traces its result.
class Call {
public:
  explicit Call(const char *function);
  Call(const Call &) = delete;
  Call &operator=(const Call &) = delete;

  /// Whether cuInit was called, in this process.
  CUresult needInitialized() const;
  /// Also whether the thread's context is alive, and not lost.
  CUresult needContext(Context *&context) const;
  /// Ends the call.
  CUresult done(CUresult result);

private:
  const char *function;
  std::lock_guard<std::mutex> lock;
};

/// A call that needs no context.
template <typename Body>
CUresult withDriver(const char *function, Body body) {
  Call call(function);
  CUresult result = call.needInitialized();
  return call.done(result == CUDA_SUCCESS ? body(simulator()) : result);
}

/// A call that needs a current context.
template <typename Body>
CUresult withContext(const char *function, Body body) {
  Call call(function);
  Context *context = nullptr;
  CUresult result = call.needContext(context);
  return call.done(result == CUDA_SUCCESS ? body(*context) : result);
}

} // namespace ndl::cudasim::driver

#endif // NEEDLE_CUDASIM_DRIVER_SIMULATOR_H

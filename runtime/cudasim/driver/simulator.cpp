// The state of the simulated driver, and what every entry point does.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/simulator.h"

#include <cstdio>

#include <unistd.h>

namespace ndl::cudasim::driver {

Simulator &simulator() {
  static auto *instance = new Simulator;
  return *instance;
}

std::vector<CUcontext> &contextStack() {
  static thread_local std::vector<CUcontext> stack;
  return stack;
}

void report(std::string text) {
  simulator().report = std::move(text);
  simulator().reported = true;
  trace(simulator().report);
}

void trace(const std::string &line) {
  if (simulator().settings.trace)
    std::fprintf(stderr, "cudasim: %s\n", line.c_str());
}

CUresult loseContext(Context &context, CUresult error, std::string text) {
  context.queues.drop();
  simulator().lost = error;
  report(std::move(text));
  return error;
}

const char *resultName(CUresult result) {
  switch (result) {
#define NEEDLE_CUDA_RESULT(name, value, text)                                  \
  case name:                                                                   \
    return #name;
#include "cuda/driver_values.def"
  }
  return nullptr;
}

Call::Call(const char *function) : function(function), lock(simulator().mutex) {
  simulator().reported = false;
}

CUresult Call::needInitialized() const {
  const Simulator &state = simulator();
  // A forked child inherits memory, but nothing of the device.
  return state.initialized && state.process == ::getpid()
             ? CUDA_SUCCESS
             : CUDA_ERROR_NOT_INITIALIZED;
}

CUresult Call::needContext(Context *&context) const {
  const Simulator &state = simulator();
  if (CUresult result = needInitialized(); result != CUDA_SUCCESS)
    return result;
  if (contextStack().empty())
    return CUDA_ERROR_INVALID_CONTEXT;
  if (!state.context || state.context->handle != contextStack().back())
    return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  context = state.context.get();
  return state.lost;
}

CUresult Call::done(CUresult result) {
  Simulator &state = simulator();
  // The report of an earlier call does not explain this error; that of the
  // fault which lost the context explains all later ones.
  if (result != CUDA_SUCCESS && result != CUDA_ERROR_NOT_READY &&
      !state.reported && state.lost == CUDA_SUCCESS)
    state.report.clear();
  if (state.settings.trace) {
    const char *name = resultName(result);
    trace(std::string(function) + ": " + (name ? name : "?"));
  }
  return result;
}

namespace {

/// Runs when the process ends or the library is unloaded.
__attribute__((destructor)) void reportLeaks() {
  Simulator &state = simulator();
  // A thread that still computes holds the lock; then nothing is at its end.
  std::unique_lock<std::mutex> lock(state.mutex, std::try_to_lock);
  if (!lock.owns_lock() || !state.context || state.process != ::getpid() ||
      state.lost != CUDA_SUCCESS)
    return;
  std::string leaks = state.context->leaks();
  if (leaks.empty())
    return;
  state.report = leaks;
  std::fprintf(stderr, "needle simulated CUDA device: %s\n", leaks.c_str());
}

} // namespace
} // namespace ndl::cudasim::driver

int ndlCudaSim() { return 1; }

const char *ndlCudaSimReport() {
  static thread_local std::string copy;
  ndl::cudasim::driver::Simulator &state = ndl::cudasim::driver::simulator();
  std::lock_guard<std::mutex> lock(state.mutex);
  copy = state.report;
  return copy.c_str();
}

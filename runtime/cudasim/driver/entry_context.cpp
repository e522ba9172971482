// Entry points: the primary context, and what is current for a thread.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/simulator.h"

namespace ndl::cudasim::driver {

/// Whether the handle is that of the living context.
static bool isAlive(const Simulator &state, CUcontext context) {
  return state.context && state.context->handle == context;
}

CUresult devicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
  return withDriver("cuDevicePrimaryCtxRetain", [&](Simulator &state) {
    if (!context)
      return CUDA_ERROR_INVALID_VALUE;
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    if (state.lost != CUDA_SUCCESS)
      return state.lost;
    if (state.retained++ == 0)
      state.context = std::make_shared<Context>(
          state.settings, reinterpret_cast<CUcontext>(newHandle()));
    *context = state.context->handle;
    return CUDA_SUCCESS;
  });
}

CUresult devicePrimaryCtxRelease(CUdevice device) {
  return withDriver("cuDevicePrimaryCtxRelease", [&](Simulator &state) {
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    if (state.retained == 0)
      return CUDA_ERROR_INVALID_CONTEXT;
    if (--state.retained > 0)
      return CUDA_SUCCESS;
    // What is still queued ends before the context does; with it goes all that
    // lives in it.
    if (state.lost == CUDA_SUCCESS)
      state.context->queues.runAll();
    state.context = nullptr;
    return CUDA_SUCCESS;
  });
}

CUresult ctxSetCurrent(CUcontext context) {
  return withDriver("cuCtxSetCurrent", [&](Simulator &state) {
    if (context && !isAlive(state, context))
      return CUDA_ERROR_INVALID_CONTEXT;
    // CUDA Driver API, "Context Management": replaces the top of the stack;
    // null pops it.
    std::vector<CUcontext> &stack = contextStack();
    if (!stack.empty())
      stack.pop_back();
    if (context)
      stack.push_back(context);
    return CUDA_SUCCESS;
  });
}

CUresult ctxGetCurrent(CUcontext *context) {
  return withDriver("cuCtxGetCurrent", [&](Simulator &) {
    if (!context)
      return CUDA_ERROR_INVALID_VALUE;
    *context = contextStack().empty() ? nullptr : contextStack().back();
    return CUDA_SUCCESS;
  });
}

CUresult ctxPushCurrent(CUcontext context) {
  return withDriver("cuCtxPushCurrent", [&](Simulator &state) {
    if (!isAlive(state, context))
      return CUDA_ERROR_INVALID_CONTEXT;
    contextStack().push_back(context);
    return CUDA_SUCCESS;
  });
}

CUresult ctxPopCurrent(CUcontext *context) {
  return withDriver("cuCtxPopCurrent", [&](Simulator &) {
    if (contextStack().empty())
      return CUDA_ERROR_INVALID_CONTEXT;
    if (context)
      *context = contextStack().back();
    contextStack().pop_back();
    return CUDA_SUCCESS;
  });
}

CUresult ctxSynchronize() {
  return withContext("cuCtxSynchronize", [](Context &context) {
    std::vector<std::shared_ptr<Stream>> capturing = context.queues.capturing();
    for (const std::shared_ptr<Stream> &stream : capturing)
      stream->capture->invalidated = true;
    if (!capturing.empty())
      return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    return context.queues.runAll();
  });
}

} // namespace ndl::cudasim::driver

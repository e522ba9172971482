// Entry points: capturing the work of a stream, and graphs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One stream at a time can take part in a capture. CUDA Driver API, "Stream
// Management", says which calls a capture allows.

#include "driver/simulator.h"

namespace ndl::cudasim::driver {

CUresult streamBeginCapture(CUstream handle, CUstreamCaptureMode mode) {
  return withContext("cuStreamBeginCapture", [&](Context &context) {
    std::shared_ptr<Stream> stream = context.stream(handle);
    if (!stream)
      return CUDA_ERROR_INVALID_HANDLE;
    if (mode > CU_STREAM_CAPTURE_MODE_RELAXED)
      return CUDA_ERROR_INVALID_VALUE;
    if (stream == context.queues.legacyStream())
      return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    if (stream->capture)
      return CUDA_ERROR_ILLEGAL_STATE;
    stream->capture = std::make_shared<Capture>();
    stream->capture->mode = mode;
    stream->capture->thread = std::this_thread::get_id();
    return CUDA_SUCCESS;
  });
}

CUresult streamEndCapture(CUstream handle, CUgraph *graph) {
  return withContext("cuStreamEndCapture", [&](Context &context) {
    std::shared_ptr<Stream> stream = context.stream(handle);
    if (!stream)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!graph)
      return CUDA_ERROR_INVALID_VALUE;
    if (!stream->capture)
      return CUDA_ERROR_ILLEGAL_STATE;
    if (stream->capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED &&
        stream->capture->thread != std::this_thread::get_id())
      return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
    std::shared_ptr<Capture> capture = std::move(stream->capture);
    stream->capture = nullptr;
    *graph = nullptr;
    if (capture->invalidated)
      return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    *graph = context.graphs.add(capture->graph);
    return CUDA_SUCCESS;
  });
}

CUresult streamIsCapturing(CUstream handle, CUstreamCaptureStatus *status) {
  return withContext("cuStreamIsCapturing", [&](Context &context) {
    std::shared_ptr<Stream> stream = context.stream(handle);
    if (!stream)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!status)
      return CUDA_ERROR_INVALID_VALUE;
    if (stream == context.queues.legacyStream())
      for (const std::shared_ptr<Stream> &other : context.queues.capturing())
        if (other->blocking)
          return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
    *status = CU_STREAM_CAPTURE_STATUS_NONE;
    if (stream->capture)
      *status = stream->capture->invalidated
                    ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                    : CU_STREAM_CAPTURE_STATUS_ACTIVE;
    return CUDA_SUCCESS;
  });
}

CUresult graphInstantiateWithFlags(CUgraphExec *executable, CUgraph handle,
                                   unsigned long long flags) {
  return withContext("cuGraphInstantiateWithFlags", [&](Context &context) {
    constexpr unsigned long long known =
        CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH |
        CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD |
        CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY;
    std::shared_ptr<Graph> graph = context.graphs.find(handle);
    if (!graph)
      return CUDA_ERROR_INVALID_HANDLE;
    if (flags & CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH)
      return CUDA_ERROR_NOT_SUPPORTED;
    if (!executable || (flags & ~known))
      return CUDA_ERROR_INVALID_VALUE;
    *executable = context.executables.add(std::make_shared<Graph>(*graph));
    return CUDA_SUCCESS;
  });
}

CUresult graphLaunch(CUgraphExec handle, CUstream streamHandle) {
  return withContext("cuGraphLaunch", [&](Context &context) {
    std::shared_ptr<Graph> graph = context.executables.find(handle);
    std::shared_ptr<Stream> stream = context.stream(streamHandle);
    if (!graph || !stream)
      return CUDA_ERROR_INVALID_HANDLE;
    return context.issue(stream, [graph] {
      for (const Work &node : graph->nodes)
        if (CUresult result = node(); result != CUDA_SUCCESS)
          return result;
      return CUDA_SUCCESS;
    });
  });
}

CUresult graphExecDestroy(CUgraphExec handle) {
  return withContext("cuGraphExecDestroy", [&](Context &context) {
    if (!context.executables.find(handle))
      return CUDA_ERROR_INVALID_HANDLE;
    context.executables.remove(handle);
    return CUDA_SUCCESS;
  });
}

CUresult graphDestroy(CUgraph handle) {
  return withContext("cuGraphDestroy", [&](Context &context) {
    if (!context.graphs.find(handle))
      return CUDA_ERROR_INVALID_HANDLE;
    context.graphs.remove(handle);
    return CUDA_SUCCESS;
  });
}

} // namespace ndl::cudasim::driver

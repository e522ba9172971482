// Entry points: streams and events.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/simulator.h"

#include <algorithm>
#include <chrono>

namespace ndl::cudasim::driver {
namespace {

/// A call that a capturing stream does not allow invalidates the capture.
CUresult invalidateCapture(Stream &stream, CUresult result) {
  stream.capture->invalidated = true;
  return result;
}

double milliseconds() {
  std::chrono::duration<double, std::milli> now =
      std::chrono::steady_clock::now().time_since_epoch();
  return now.count();
}

/// Waits inside of a capture: for what the same capture has recorded only.
CUresult waitInCapture(Stream &stream, const Event &event) {
  if (stream.capture->invalidated)
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  // The stream's nodes run in order anyway.
  if (event.capture == stream.capture)
    return CUDA_SUCCESS;
  return invalidateCapture(stream, CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
}

} // namespace

CUresult streamCreate(CUstream *stream, unsigned flags) {
  return withContext("cuStreamCreate", [&](Context &context) {
    if (!stream || (flags & ~unsigned(CU_STREAM_NON_BLOCKING)))
      return CUDA_ERROR_INVALID_VALUE;
    *stream = context.streams.add(
        context.queues.create(!(flags & CU_STREAM_NON_BLOCKING)));
    return CUDA_SUCCESS;
  });
}

CUresult streamDestroy(CUstream handle) {
  return withContext("cuStreamDestroy", [&](Context &context) {
    std::shared_ptr<Stream> stream = context.streams.find(handle);
    if (!stream)
      return CUDA_ERROR_INVALID_HANDLE;
    // Its work is still done; here, before it goes.
    CUresult result = context.queues.run(*stream);
    context.queues.remove(stream);
    context.streams.remove(handle);
    return result;
  });
}

CUresult streamSynchronize(CUstream handle) {
  return withContext("cuStreamSynchronize", [&](Context &context) {
    std::shared_ptr<Stream> stream = context.stream(handle);
    if (!stream)
      return CUDA_ERROR_INVALID_HANDLE;
    if (stream->capture)
      return invalidateCapture(*stream, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    if (stream == context.queues.legacyStream())
      return context.queues.runLegacy();
    return context.queues.run(*stream);
  });
}

CUresult streamQuery(CUstream handle) {
  return withContext("cuStreamQuery", [&](Context &context) {
    std::shared_ptr<Stream> stream = context.stream(handle);
    if (!stream)
      return CUDA_ERROR_INVALID_HANDLE;
    if (stream->capture)
      return invalidateCapture(*stream, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    // One step a query, so that whoever polls both waits and gets there.
    if (CUresult result = context.queues.step(*stream); result != CUDA_SUCCESS)
      return result;
    return stream->items.empty() ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
  });
}

CUresult streamWaitEvent(CUstream streamHandle, CUevent eventHandle,
                         unsigned flags) {
  return withContext("cuStreamWaitEvent", [&](Context &context) {
    std::shared_ptr<Stream> stream = context.stream(streamHandle);
    std::shared_ptr<Event> event = context.events.find(eventHandle);
    if (!stream || !event)
      return CUDA_ERROR_INVALID_HANDLE;
    if (flags != 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (stream->capture)
      return waitInCapture(*stream, *event);
    if (event->capture) {
      report("cuStreamWaitEvent: the simulator captures one stream at a time; "
             "another one cannot join its capture");
      return CUDA_ERROR_NOT_SUPPORTED;
    }
    // An event that was never recorded is complete.
    if (event->recorded == 0)
      return CUDA_SUCCESS;
    return context.queues.issue(stream, {}, {event->place});
  });
}

CUresult eventCreate(CUevent *event, unsigned flags) {
  return withContext("cuEventCreate", [&](Context &context) {
    constexpr unsigned known = CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING;
    if (!event || (flags & ~known))
      return CUDA_ERROR_INVALID_VALUE;
    auto fresh = std::make_shared<Event>();
    fresh->flags = flags;
    *event = context.events.add(std::move(fresh));
    return CUDA_SUCCESS;
  });
}

CUresult eventDestroy(CUevent event) {
  return withContext("cuEventDestroy", [&](Context &context) {
    if (!context.events.find(event))
      return CUDA_ERROR_INVALID_HANDLE;
    context.events.remove(event);
    return CUDA_SUCCESS;
  });
}

CUresult eventRecord(CUevent eventHandle, CUstream streamHandle) {
  return withContext("cuEventRecord", [&](Context &context) {
    std::shared_ptr<Event> event = context.events.find(eventHandle);
    std::shared_ptr<Stream> stream = context.stream(streamHandle);
    if (!event || !stream)
      return CUDA_ERROR_INVALID_HANDLE;
    event->capture = stream->capture;
    if (stream->capture)
      return stream->capture->invalidated
                 ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED
                 : CUDA_SUCCESS;
    uint64_t number = ++event->recorded;
    CUresult result = context.issue(stream, [event, number] {
      event->reached = std::max(event->reached, number);
      event->time = milliseconds();
      return CUDA_SUCCESS;
    });
    event->place = {stream, stream->last};
    return result;
  });
}

CUresult eventQuery(CUevent handle) {
  return withContext("cuEventQuery", [&](Context &context) {
    std::shared_ptr<Event> event = context.events.find(handle);
    if (!event)
      return CUDA_ERROR_INVALID_HANDLE;
    if (event->capture)
      return CUDA_ERROR_CAPTURED_EVENT;
    if (event->reached < event->recorded)
      if (CUresult result = context.queues.step(*event->place.stream);
          result != CUDA_SUCCESS)
        return result;
    return event->reached < event->recorded ? CUDA_ERROR_NOT_READY
                                            : CUDA_SUCCESS;
  });
}

CUresult eventSynchronize(CUevent handle) {
  return withContext("cuEventSynchronize", [&](Context &context) {
    std::shared_ptr<Event> event = context.events.find(handle);
    if (!event)
      return CUDA_ERROR_INVALID_HANDLE;
    if (event->capture)
      return CUDA_ERROR_CAPTURED_EVENT;
    return event->recorded == 0 ? CUDA_SUCCESS
                                : context.queues.runTo(event->place);
  });
}

CUresult eventElapsedTime(float *elapsed, CUevent start, CUevent end) {
  return withContext("cuEventElapsedTime", [&](Context &context) {
    if (!elapsed)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Event> events[] = {context.events.find(start),
                                       context.events.find(end)};
    for (const std::shared_ptr<Event> &event : events)
      if (!event || event->recorded == 0 || event->capture ||
          (event->flags & CU_EVENT_DISABLE_TIMING))
        return CUDA_ERROR_INVALID_HANDLE;
    for (const std::shared_ptr<Event> &event : events)
      if (event->reached < event->recorded)
        return CUDA_ERROR_NOT_READY;
    *elapsed = static_cast<float>(events[1]->time - events[0]->time);
    return CUDA_SUCCESS;
  });
}

} // namespace ndl::cudasim::driver

// Copies between host and device memory, through page-locked buffers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/staging.h"

#include <algorithm>
#include <cstring>

namespace ndl::cuda {

/// Pieces start at multiples of this within a buffer.
static constexpr size_t kPieceAlignment = 256;

Status Staging::prepare(StagingBuffer &buffer) {
  if (!buffer.done) {
    Status status = context.check(
        context.driver()->eventCreate(&buffer.done, CU_EVENT_DISABLE_TIMING),
        "cuEventCreate");
    if (!status.ok()) {
      buffer.done = nullptr;
      return status;
    }
  }
  if (buffer.memory)
    return {};
  void *memory = nullptr;
  Status status =
      context.check(context.driver()->memHostAlloc(&memory, bufferBytes, 0),
                    "cuMemHostAlloc");
  if (status.ok())
    buffer.memory = static_cast<uint8_t *>(memory);
  return status;
}

Status Staging::record(StagingBuffer &buffer) {
  Status status = context.check(
      context.driver()->eventRecord(buffer.done, context.stream()),
      "cuEventRecord");
  buffer.pending = status.ok();
  return status;
}

Status Staging::wait(StagingBuffer &buffer) {
  buffer.used = 0;
  if (!buffer.pending)
    return {};
  buffer.pending = false;
  return context.check(context.driver()->eventSynchronize(buffer.done),
                       "cuEventSynchronize");
}

Status Staging::upload(CUdeviceptr target, const void *source, size_t bytes) {
  if (bytes == 0)
    return {};
  CurrentContext current(context);
  if (!current.status().ok())
    return current.status();
  std::lock_guard<std::mutex> lock(uploadMutex);
  const auto *from = static_cast<const uint8_t *>(source);
  while (bytes > 0) {
    if (uploads[filling].used >= bufferBytes) {
      // Full: let the device finish with it while the other one is filled.
      if (Status status = record(uploads[filling]); !status.ok())
        return status;
      filling ^= 1;
      if (Status status = wait(uploads[filling]); !status.ok())
        return status;
    }
    if (Status status = prepare(uploads[filling]); !status.ok())
      return status;
    size_t piece = std::min(bytes, bufferBytes - uploads[filling].used);
    if (Status status = uploadPiece(target, from, piece); !status.ok())
      return status;
    target += piece;
    from += piece;
    bytes -= piece;
  }
  return {};
}

Status Staging::uploadPiece(CUdeviceptr target, const uint8_t *source,
                            size_t bytes) {
  StagingBuffer &buffer = uploads[filling];
  uint8_t *place = buffer.memory + buffer.used;
  std::memcpy(place, source, bytes);
  buffer.used +=
      (bytes + kPieceAlignment - 1) / kPieceAlignment * kPieceAlignment;
  return context.check(
      context.driver()->memcpyHtoDAsync(target, place, bytes, context.stream()),
      "cuMemcpyHtoDAsync");
}

Status Staging::download(void *target, CUdeviceptr source, size_t bytes) {
  if (bytes == 0)
    return {};
  CurrentContext current(context);
  if (!current.status().ok())
    return current.status();
  std::lock_guard<std::mutex> lock(downloadMutex);
  auto *to = static_cast<uint8_t *>(target);
  // Piece i is on its way while piece i - 1 is copied out of the other buffer.
  size_t pieces = (bytes - 1) / bufferBytes + 1;
  auto size = [&](size_t i) {
    return std::min(bufferBytes, bytes - i * bufferBytes);
  };
  uint64_t mark = 0;
  for (size_t i = 0; i <= pieces; ++i) {
    if (i < pieces) {
      StagingBuffer &buffer = downloads[i % 2];
      if (Status status = prepare(buffer); !status.ok())
        return status;
      mark = context.launches().mark();
      Status status = context.check(context.driver()->memcpyDtoHAsync(
                                        buffer.memory, source + i * bufferBytes,
                                        size(i), context.stream()),
                                    "cuMemcpyDtoHAsync");
      if (status.ok())
        status = record(buffer);
      if (!status.ok())
        return status;
    }
    if (i == 0)
      continue;
    StagingBuffer &buffer = downloads[(i - 1) % 2];
    if (Status status = wait(buffer); !status.ok())
      return status;
    std::memcpy(to + (i - 1) * bufferBytes, buffer.memory, size(i - 1));
  }
  context.launches().completed(mark);
  return {};
}

Status Staging::copy(CUdeviceptr target, CUdeviceptr source, size_t bytes) {
  if (bytes == 0)
    return {};
  CurrentContext current(context);
  if (!current.status().ok())
    return current.status();
  return context.check(context.driver()->memcpyDtoDAsync(target, source, bytes,
                                                         context.stream()),
                       "cuMemcpyDtoDAsync");
}

Status Staging::releaseBuffer(StagingBuffer &buffer) {
  const Driver &driver = context.driver();
  Status status;
  if (buffer.memory)
    status = context.check(driver->memFreeHost(buffer.memory), "cuMemFreeHost");
  if (buffer.done && status.ok())
    status = context.check(driver->eventDestroy(buffer.done), "cuEventDestroy");
  buffer = {};
  return status;
}

Status Staging::release() {
  if (Status status = context.synchronize(); !status.ok())
    return status;
  CurrentContext current(context);
  if (!current.status().ok())
    return current.status();
  Status first;
  {
    std::lock_guard<std::mutex> lock(uploadMutex);
    for (StagingBuffer &buffer : uploads)
      if (Status status = releaseBuffer(buffer); first.ok())
        first = status;
    filling = 0;
  }
  std::lock_guard<std::mutex> lock(downloadMutex);
  for (StagingBuffer &buffer : downloads)
    if (Status status = releaseBuffer(buffer); first.ok())
      first = status;
  return first;
}

} // namespace ndl::cuda

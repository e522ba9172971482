// Copies between host and device memory, through page-locked buffers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_CUDA_STAGING_H
#define NEEDLE_RUNTIME_CUDA_STAGING_H

#include "cuda/context.h"

namespace ndl::cuda {

/// One page-locked buffer, and the event after which the device no longer uses
/// it.
struct StagingBuffer {
  uint8_t *memory = nullptr;
  CUevent done = nullptr;
  size_t used = 0;      ///< bytes filled since the buffer was last waited for
  bool pending = false; ///< whether `done` was recorded and not waited for
};

/// Copies contiguous bytes. The order is that of the context's stream.
/// Thread-safe; copies of one direction are made one after the other.
class Staging {
public:
  static constexpr size_t kDefaultBytes = size_t(4) << 20;

  /// `bufferBytes` > 0 is the size of each of the two buffers a direction.
  explicit Staging(Context &context, size_t bufferBytes = kDefaultBytes)
      : context(context), bufferBytes(bufferBytes) {}
  Staging(const Staging &) = delete;
  Staging &operator=(const Staging &) = delete;

  /// Host to device. On return `source` may be changed, though the copy may not
  /// have been made: pieces are put into one buffer while the device reads the
  /// other, and small copies share a buffer without waiting for anything.
  Status upload(CUdeviceptr target, const void *source, size_t bytes);
  /// Device to host, when all earlier work on the stream is done. On return the
  /// bytes are there.
  Status download(void *target, CUdeviceptr source, size_t bytes);
  /// Within the device; on return, queued.
  Status copy(CUdeviceptr target, CUdeviceptr source, size_t bytes);

  /// Waits for the copies and frees the buffers; later copies make new ones.
  Status release();

private:
  Status prepare(StagingBuffer &buffer);
  Status record(StagingBuffer &buffer);
  Status wait(StagingBuffer &buffer);
  Status releaseBuffer(StagingBuffer &buffer);
  Status uploadPiece(CUdeviceptr target, const uint8_t *source, size_t bytes);

  Context &context;
  const size_t bufferBytes;
  std::mutex uploadMutex;
  StagingBuffer uploads[2];
  int filling = 0; ///< which of `uploads` takes the next piece
  std::mutex downloadMutex;
  StagingBuffer downloads[2];
};

} // namespace ndl::cuda

#endif // NEEDLE_RUNTIME_CUDA_STAGING_H

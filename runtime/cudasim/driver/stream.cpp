// Streams: queues of work that run when somebody waits for them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/stream.h"

#include <algorithm>

namespace ndl::cudasim::driver {

std::shared_ptr<Stream> Queues::create(bool blocking) {
  auto stream = std::make_shared<Stream>();
  stream->blocking = blocking;
  streams.push_back(stream);
  return stream;
}

void Queues::remove(const std::shared_ptr<Stream> &stream) {
  streams.erase(std::find(streams.begin(), streams.end(), stream));
}

CUresult Queues::issue(const std::shared_ptr<Stream> &stream, Work work,
                       std::vector<Place> after) {
  // CUDA Driver API, "Stream synchronization behavior", legacy default stream:
  // it waits for all blocking streams, and they wait for it.
  if (stream == legacy) {
    for (const std::shared_ptr<Stream> &other : streams)
      if (other->blocking && !other->items.empty())
        after.push_back({other, other->last});
  } else if (stream->blocking && !legacy->items.empty()) {
    after.push_back({legacy, legacy->last});
  }
  stream->last = ++issued;
  stream->items.push_back({issued, std::move(after), std::move(work)});
  return stream->items.size() > capacity ? step(*stream) : CUDA_SUCCESS;
}

CUresult Queues::step(Stream &stream) {
  if (stream.items.empty())
    return CUDA_SUCCESS;
  // Taken out before it runs: an error drops what is left.
  Stream::Item item = std::move(stream.items.front());
  stream.items.pop_front();
  for (const Place &place : item.after)
    if (CUresult result = runTo(place); result != CUDA_SUCCESS)
      return result;
  return item.work ? item.work() : CUDA_SUCCESS;
}

CUresult Queues::runTo(const Place &place) {
  Stream &stream = *place.stream;
  while (!stream.items.empty() &&
         stream.items.front().sequence <= place.sequence)
    if (CUresult result = step(stream); result != CUDA_SUCCESS)
      return result;
  return CUDA_SUCCESS;
}

CUresult Queues::run(Stream &stream) {
  while (!stream.items.empty())
    if (CUresult result = step(stream); result != CUDA_SUCCESS)
      return result;
  return CUDA_SUCCESS;
}

CUresult Queues::runLegacy() {
  for (const std::shared_ptr<Stream> &stream : streams)
    if (stream->blocking)
      if (CUresult result = run(*stream); result != CUDA_SUCCESS)
        return result;
  return run(*legacy);
}

CUresult Queues::runAll() {
  for (const std::shared_ptr<Stream> &stream : streams)
    if (CUresult result = run(*stream); result != CUDA_SUCCESS)
      return result;
  return run(*legacy);
}

void Queues::drop() {
  legacy->items.clear();
  for (const std::shared_ptr<Stream> &stream : streams)
    stream->items.clear();
}

std::vector<std::shared_ptr<Stream>> Queues::capturing() const {
  std::vector<std::shared_ptr<Stream>> result;
  for (const std::shared_ptr<Stream> &stream : streams)
    if (stream->capture)
      result.push_back(stream);
  return result;
}

} // namespace ndl::cudasim::driver

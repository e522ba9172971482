// The primary context of the simulated device, and all that lives in it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/context.h"

#include "driver/simulator.h"

#include <cstdlib>
#include <sstream>

namespace ndl::cudasim::driver {

Context::~Context() {
  for (const auto &entry : pinned)
    std::free(reinterpret_cast<void *>(entry.first));
}

std::shared_ptr<Stream> Context::stream(CUstream stream) const {
  auto number = reinterpret_cast<uintptr_t>(stream);
  if (number == 0 || number == kStreamLegacy)
    return queues.legacyStream();
  return streams.find(stream);
}

CUresult Context::issue(const std::shared_ptr<Stream> &stream, Work work) {
  if (!stream->capture) {
    // An ordinary use of the legacy stream would be ordered with the capture.
    if (stream == queues.legacyStream())
      for (const std::shared_ptr<Stream> &other : queues.capturing())
        if (other->blocking) {
          other->capture->invalidated = true;
          return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
        }
    return queues.issue(stream, std::move(work));
  }
  if (stream->capture->invalidated)
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  stream->capture->graph->nodes.push_back(std::move(work));
  return CUDA_SUCCESS;
}

const std::pair<const uintptr_t, size_t> *
Context::findPinned(uintptr_t address) const {
  auto after = pinned.upper_bound(address);
  if (after == pinned.begin())
    return nullptr;
  const auto &before = *std::prev(after);
  return address - before.first < before.second ? &before : nullptr;
}

bool Context::checkDevice(std::string_view what, std::string_view role,
                          uint64_t address, size_t bytes) const {
  const DeviceMemory::Allocation *found = memory.find(address);
  if (found && bytes <= found->bytes - (address - found->start))
    return true;
  std::ostringstream text;
  text << what << ": the " << role << ", " << bytes << " bytes at 0x"
       << std::hex << address << ", is ";
  if (findPinned(address))
    text << "page-locked host memory, not device memory";
  else
    text << memory.describe(address, bytes);
  report(text.str());
  return false;
}

bool Context::checkHost(std::string_view what, std::string_view role,
                        const void *address, size_t bytes,
                        bool &isPinned) const {
  auto start = reinterpret_cast<uintptr_t>(address);
  std::ostringstream text;
  text << what << ": the " << role << ", " << bytes << " bytes at 0x"
       << std::hex << start << std::dec << ", is ";
  if (!address) {
    report(text.str() + "a null pointer");
    return false;
  }
  if (memory.find(start)) {
    report(text.str() + "device memory, not host memory");
    return false;
  }
  const auto *block = findPinned(start);
  isPinned = block != nullptr;
  if (!block || bytes <= block->second - (start - block->first))
    return true;
  text << "reaching " << bytes - (block->second - (start - block->first))
       << " bytes past the end of a page-locked allocation of " << block->second
       << " bytes";
  report(text.str());
  return false;
}

CUresult Context::forbidInCapture(std::string_view what) {
  for (const std::shared_ptr<Stream> &stream : queues.capturing()) {
    Capture &capture = *stream->capture;
    bool own = capture.thread == std::this_thread::get_id();
    bool forbidden =
        capture.mode == CU_STREAM_CAPTURE_MODE_GLOBAL ||
        (capture.mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL && own);
    if (!forbidden)
      continue;
    capture.invalidated = true;
    report(std::string(what) +
           " is not allowed while a stream captures; the capture is invalid");
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  return CUDA_SUCCESS;
}

std::string Context::leaks() const {
  if (allocations.empty())
    return "";
  constexpr size_t most = 20;
  uint64_t bytes = 0;
  size_t listed = 0;
  std::ostringstream list;
  for (const auto &entry : allocations) {
    bytes += entry.second.bytes;
    if (++listed > most)
      continue;
    list << "\n  allocation " << entry.second.ordinal << ": "
         << entry.second.bytes << " bytes at 0x" << std::hex << entry.first
         << std::dec;
  }
  std::ostringstream text;
  text << "device memory leaked at exit: " << allocations.size()
       << (allocations.size() == 1 ? " allocation, " : " allocations, ")
       << bytes << " bytes" << list.str();
  if (listed > most)
    text << "\n  and " << listed - most << " more";
  return text.str();
}

} // namespace ndl::cudasim::driver

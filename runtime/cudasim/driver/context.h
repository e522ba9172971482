// The primary context of the simulated device, and all that lives in it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_DRIVER_CONTEXT_H
#define NEEDLE_CUDASIM_DRIVER_CONTEXT_H

#include "driver/device_limits.h"
#include "driver/handle_table.h"
#include "driver/settings.h"
#include "driver/stream.h"
#include "exec/device_memory.h"
#include "ptx/module.h"

#include <map>
#include <string>
#include <string_view>

namespace ndl::cudasim::driver {

struct LoadedModule {
  Module module;
};

struct LoadedFunction {
  std::shared_ptr<LoadedModule> module;
  const Kernel *kernel = nullptr;
  /// The attribute that cuFuncSetAttribute raises.
  int maxDynamicShared = 0;
};

/// Device memory of the user.
struct UserAllocation {
  uint64_t bytes = 0;
  uint64_t ordinal = 0; ///< 1 for the first
};

class Context {
public:
  Context(const Settings &settings, CUcontext handle)
      : settings(settings), limits(limitsOf(settings.architecture)),
        handle(handle), memory(settings.memoryBytes) {}
  ~Context();
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;

  const Settings settings;
  const DeviceLimits &limits;
  CUcontext handle;

  DeviceMemory memory;
  std::map<uint64_t, UserAllocation> allocations;
  uint64_t numAllocations = 0;
  uint64_t numLaunches = 0;
  /// Page-locked host memory: address and size.
  std::map<uintptr_t, size_t> pinned;

  Queues queues;
  HandleTable<CUstream, Stream> streams;
  HandleTable<CUevent, Event> events;
  HandleTable<CUmodule, LoadedModule> modules;
  HandleTable<CUfunction, LoadedFunction> functions;
  HandleTable<CUgraph, Graph> graphs;
  HandleTable<CUgraphExec, Graph> executables;

  /// Null if there is none, or for the per-thread default stream.
  std::shared_ptr<Stream> stream(CUstream stream) const;
  /// Issues work, or records it where the stream captures.
  CUresult issue(const std::shared_ptr<Stream> &stream, Work work);

  /// Whether [address, address + bytes) lies in one live allocation; if not,
  /// reports that the `role` ("target", "source") of `what` is wrong.
  bool checkDevice(std::string_view what, std::string_view role,
                   uint64_t address, size_t bytes) const;
  /// Whether a host range can be used; says whether it is page-locked.
  bool checkHost(std::string_view what, std::string_view role,
                 const void *address, size_t bytes, bool &isPinned) const;
  /// Where the range is page-locked host memory, its start; else null.
  const std::pair<const uintptr_t, size_t> *findPinned(uintptr_t address) const;

  /// CUDA_SUCCESS, unless an ongoing capture forbids this call on this thread;
  /// then the capture is invalidated.
  CUresult forbidInCapture(std::string_view what);

  /// The leak report; "" if there is nothing to tell.
  std::string leaks() const;
};

} // namespace ndl::cudasim::driver

#endif // NEEDLE_CUDASIM_DRIVER_CONTEXT_H

// The eager kernels of one artifact, ready to call.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_KERNEL_LIBRARY_H
#define NEEDLE_RUNTIME_EAGER_KERNEL_LIBRARY_H

#include "eager/view.h"

#include "needle-rt/abi.h"
#include "needle-rt/runtime.h"
#include "needle-rt/status.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace ndl::eager {

enum class MapKernel : uint8_t {
#define NEEDLE_MAP_KERNEL(identifier, ...) identifier,
#include "eager/kernels.def"
  Count
};

enum class ReduceKernel : uint8_t {
#define NEEDLE_REDUCE_KERNEL(identifier, ...) identifier,
#include "eager/kernels.def"
  Count
};

enum class ContractionKernel : uint8_t {
#define NEEDLE_CONTRACTION_KERNEL(identifier, ...) identifier,
#include "eager/kernels.def"
  Count
};

/// What a map kernel takes.
struct MapSignature {
  const char *name;
  NdlDType result;
  NdlDType operand;
  int32_t numOperands;
  int32_t numScalars;
};
const MapSignature &signatureOf(MapKernel kernel);

/// "ewise_add", …
const char *nameOf(MapKernel kernel);
const char *nameOf(ReduceKernel kernel);
const char *nameOf(ContractionKernel kernel);

/// A function and how often it was launched since the library was made.
struct KernelSlot {
  NdlTask task = nullptr;
  mutable std::atomic<int64_t> launches{0};
};

/// The functions of a contraction.
struct ContractionSlot {
  KernelSlot run, plan, pack, direct;
};

class Device;

/// Resolved kernels and the threads they run on; usable by several threads at
/// once.
class KernelLibrary {
public:
  /// Loads the artifact in [data, data + size), aligned to 64 bytes, which must
  /// outlive the library unchanged. The body is the best that the CPU can run,
  /// or the best within the target that NEEDLE_ISA names; the number of threads
  /// is NEEDLE_NUM_THREADS or else the CPUs this process may use. `runtime`
  /// null: the runtime shared by the process. Errors: those of
  /// ndl_executable_load_memory.
  static Status load(const void *data, size_t size, NdlRuntime *runtime,
                     std::unique_ptr<KernelLibrary> &library);

  /// A library without kernels, to be filled: for tests.
  explicit KernelLibrary(NdlRuntime *runtime);
  /// The kernels of a device; they are not in the slots below, which only
  /// count.
  explicit KernelLibrary(std::unique_ptr<Device> device);
  ~KernelLibrary();
  KernelLibrary(const KernelLibrary &) = delete;
  KernelLibrary &operator=(const KernelLibrary &) = delete;

  /// Target of the body in use, e.g. "avx2"; "none" without an artifact.
  const char *target() const;
  /// Threads that work on a large operation, >= 1.
  int64_t threads() const { return numThreads; }
  /// What runs the kernels and holds arrays; null for the CPU.
  const Device *device() const { return ownDevice.get(); }
  /// The loaded artifact, or null.
  const NdlExecutable *executable() const { return artifact; }

  /// Calls `task` on disjoint ranges that cover [0, count), by several threads,
  /// in the floating-point environment kernels expect; each call has another
  /// worker in [0, threads()). Errors, before anything has run: those of
  /// ndl_runtime_parallel_for.
  Status parallelFor(NdlTask task, void *context, int64_t count) const;

  std::array<KernelSlot, size_t(MapKernel::Count)> maps;
  std::array<KernelSlot, size_t(ReduceKernel::Count)> reductions;
  std::array<ContractionSlot, size_t(ContractionKernel::Count)> contractions;

  const KernelSlot &operator[](MapKernel kernel) const {
    return maps[size_t(kernel)];
  }
  const KernelSlot &operator[](ReduceKernel kernel) const {
    return reductions[size_t(kernel)];
  }
  const ContractionSlot &operator[](ContractionKernel kernel) const {
    return contractions[size_t(kernel)];
  }

private:
  NdlRuntime *runtime = nullptr;
  std::unique_ptr<Device> ownDevice;
  NdlExecutable *artifact = nullptr;
  int64_t numThreads = 1;
};

/// A new, uninitialized, contiguous array in the memory that the library's
/// kernels work on. Errors: those of allocate of view.h, and of the device.
Status allocate(const KernelLibrary &library, NdlDType dtype, int32_t rank,
                const int64_t *shape, View &view);

/// The error for a kernel that the library lacks.
Status missingKernel(const char *name);

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_KERNEL_LIBRARY_H

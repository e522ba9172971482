// An artifact loaded for one CPU.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EXECUTABLE_H
#define NEEDLE_RUNTIME_EXECUTABLE_H

#include "aligned_memory.h"
#include "code_image.h"
#include "executable_info.h"
#include "scratch.h"
#include "step_counters.h"
#include "thread_pool.h"

#include "needle-rt/abi.h"

#include <atomic>
#include <memory>
#include <optional>

namespace ndl {

/// The bytes of an artifact, owned or borrowed.
struct ArtifactBytes {
  AlignedMemory owned;
  const uint8_t *data = nullptr;
  size_t size = 0;

  /// Reads a whole file. Errors: NDL_NOT_FOUND, NDL_IO_ERROR,
  /// NDL_OUT_OF_MEMORY.
  static Status readFile(const std::string &path, ArtifactBytes &bytes);
  /// Errors: NDL_OUT_OF_MEMORY.
  static Status copy(const void *data, size_t size, ArtifactBytes &bytes);
  /// Errors: NDL_INVALID_ARGUMENT (alignment).
  static Status borrow(const void *data, size_t size, ArtifactBytes &bytes);
};

/// A loaded artifact: its contents, the code of one body, the state that
/// invocations share.
class Executable {
public:
  /// Which body to use, see selectBody.
  struct Target {
    std::string request;
    std::string requestedBy;
  };

  static Status load(ArtifactBytes bytes, const Target &target, const Cpu &cpu,
                     std::shared_ptr<ThreadPool> pool,
                     std::unique_ptr<Executable> &executable);

  /// Reads an artifact to describe it: no body is in use.
  static Status inspect(ArtifactBytes bytes, const Cpu &cpu,
                        std::unique_ptr<Executable> &executable);

  Executable(const Executable &) = delete;
  Executable &operator=(const Executable &) = delete;

  /// See ndl_executable_output_shapes.
  Status outputShapes(size_t entry, ArrayView<NdlTensor> inputs, int64_t *dims,
                      size_t capacity);
  /// See ndl_executable_invoke.
  Status invoke(size_t entry, ArrayView<NdlTensor> inputs,
                ArrayView<NdlTensor> outputs);
  /// The kernel of this name in the body in use, or null.
  NdlTask findKernel(std::string_view name) const;
  /// Whether a body is in use.
  bool canRun() const { return body < view.bodies.size; }
  /// Error unless a body is in use.
  Status checkBody() const;
  /// Error unless a body is in use and there is an entry `index`.
  Status checkEntry(size_t index) const;

  ArtifactBytes bytes;
  ArtifactView view;
  /// The number of bodies if none is in use.
  size_t body = 0;
  /// Null if no body is in use.
  std::shared_ptr<ThreadPool> pool;
  /// Set by load.
  std::optional<ExecutableInfo> info;
  CodeImage code;
  /// For each entry.
  std::vector<std::unique_ptr<StepCounters>> counters;
  ScratchCache scratch;
  std::atomic<bool> profiling{false};

private:
  Executable() = default;
};

} // namespace ndl

#endif // NEEDLE_RUNTIME_EXECUTABLE_H

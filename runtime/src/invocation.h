// One invocation of an entry point.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_INVOCATION_H
#define NEEDLE_RUNTIME_INVOCATION_H

#include "executable.h"
#include "tensor_check.h"

namespace ndl {

/// Goes through the stages of an invocation in order; each fails with nothing
/// written to the caller's memory.
class Invocation {
public:
  Invocation(Executable &executable, size_t entry)
      : executable(executable), entryIndex(entry),
        entry(executable.info->entries[entry]),
        scratch(executable.scratch.acquire()) {}
  ~Invocation() { executable.scratch.release(std::move(scratch)); }
  Invocation(const Invocation &) = delete;
  Invocation &operator=(const Invocation &) = delete;

  /// 1. Types and shapes of the inputs.
  Status checkInputs(ArrayView<NdlTensor> inputs);
  /// 2. Shapes of the outputs and the size of the arena.
  Status plan();
  /// Dimensions of all outputs, flattened, after `plan`.
  ArrayView<int64_t> outputDims() const {
    return {scratch->plan.data() + 1, scratch->plan.size() - 1};
  }
  /// 3. Memory of inputs and outputs.
  Status checkMemory(ArrayView<NdlTensor> inputs, ArrayView<NdlTensor> outputs);
  /// 4. Copies of strided inputs, and the arena.
  Status prepare(ArrayView<NdlTensor> inputs);
  /// 5. Cannot fail.
  void run();

private:
  Status checkCount(const char *role, size_t expected, size_t got) const;
  Status checkPlan() const;
  Status shapeError(int64_t message) const;
  Status checkOutputs(ArrayView<NdlTensor> outputs);
  Status checkOverlap() const;
  std::string argument(size_t index) const;
  const NdlFunctionRecord &function() const {
    return executable.view.function(executable.body, entryIndex);
  }

  Executable &executable;
  size_t entryIndex;
  const NdlEntryInfo &entry;
  std::unique_ptr<Scratch> scratch;
};

} // namespace ndl

#endif // NEEDLE_RUNTIME_INVOCATION_H

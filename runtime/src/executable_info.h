// The contents of an artifact as the C ABI presents them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EXECUTABLE_INFO_H
#define NEEDLE_RUNTIME_EXECUTABLE_INFO_H

#include "needle-rt/artifact_reader.h"
#include "needle-rt/cpu_features.h"
#include "needle-rt/runtime.h"

#include <string>
#include <vector>

namespace ndl {

/// Entries, bodies and steps; points into the artifact and into itself.
class ExecutableInfo {
public:
  /// `chosenBody` is the number of bodies if none is in use.
  ExecutableInfo(const ArtifactView &view, const Cpu &cpu, size_t chosenBody);
  ExecutableInfo(const ExecutableInfo &) = delete;
  ExecutableInfo &operator=(const ExecutableInfo &) = delete;

  std::vector<NdlEntryInfo> entries;
  std::vector<NdlBodyInfo> bodies;
  /// Of the chosen body, for each entry; empty without one.
  std::vector<std::vector<NdlStepInfo>> steps;

private:
  void addTensor(const ArtifactView &view, const NdlTensorRecord &record);
  void addBody(const ArtifactView &view, const NdlBodyRecord &record,
               const Cpu &cpu);
  void addSteps(const ArtifactView &view, size_t body, size_t entry);

  std::vector<NdlTensorInfo> tensors;
  std::vector<float> scales;
  std::vector<int32_t> zeroPoints;
  /// Backs the strings of `bodies`.
  std::vector<std::string> texts;
};

} // namespace ndl

#endif // NEEDLE_RUNTIME_EXECUTABLE_INFO_H

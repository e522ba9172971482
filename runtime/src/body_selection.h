// Choice of the body to run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_BODY_SELECTION_H
#define NEEDLE_RUNTIME_BODY_SELECTION_H

#include "needle-rt/artifact_reader.h"
#include "needle-rt/cpu_features.h"

#include <string>

namespace ndl {

/// What the CPU lacks to run a body, e.g. "avx2, fma" or "an aarch64 CPU";
/// empty if it can run it.
std::string missingFeatures(const NdlBodyRecord &body, const Cpu &cpu);

/// Sets `chosen` to the body of target `request`, or, if that is empty, to the
/// body of highest rank that `cpu` can run (the first of equals).
/// `requestedBy` says in messages where the request comes from, e.g. "set by
/// NEEDLE_ISA".
/// Errors: NDL_INVALID_ARGUMENT (no such target), NDL_UNSUPPORTED_CPU.
Status selectBody(const ArtifactView &view, const Cpu &cpu,
                  const std::string &request, const std::string &requestedBy,
                  size_t &chosen);

/// The same, but `request` limits what may be used: where there is no body of
/// that target, but the compiler knows it and `cpu` can run it, `chosen` is the
/// body of highest rank that needs nothing beyond it.
Status selectBodyWithin(const ArtifactView &view, const Cpu &cpu,
                        const std::string &request,
                        const std::string &requestedBy, size_t &chosen);

} // namespace ndl

#endif // NEEDLE_RUNTIME_BODY_SELECTION_H

// Choice of the body to run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "body_selection.h"

namespace ndl {
namespace {

std::string quoted(const std::string &text) { return "'" + text + "'"; }

std::string describe(const Cpu &cpu) {
  return std::string(architectureName(cpu.architecture)) + " with " +
         formatFeatures(cpu.architecture, cpu.features);
}

std::string listTargets(const ArtifactView &view) {
  std::string list;
  for (const NdlBodyRecord &body : view.bodies)
    list += (list.empty() ? "" : ", ") + quoted(view.string(body.target));
  return list.empty() ? "none" : list;
}

bool hasTarget(const ArtifactView &view, const std::string &target) {
  for (const NdlBodyRecord &body : view.bodies)
    if (target == view.string(body.target))
      return true;
  return false;
}

/// "target 'avx2' (set by NEEDLE_ISA)".
std::string describeRequest(const std::string &request,
                            const std::string &requestedBy) {
  return "target " + quoted(request) + " (" + requestedBy + ")";
}

Status unsupported(const std::string &target, const std::string &missing,
                   const Cpu &cpu) {
  return {NDL_UNSUPPORTED_CPU,
          target + " needs " + missing + ", but this CPU is " + describe(cpu)};
}

Status selectRequested(const ArtifactView &view, const Cpu &cpu,
                       const std::string &request,
                       const std::string &requestedBy, size_t &chosen) {
  std::string target = describeRequest(request, requestedBy);
  for (size_t i = 0; i < view.bodies.size; ++i) {
    const NdlBodyRecord &body = view.bodies[i];
    if (request != view.string(body.target))
      continue;
    std::string missing = missingFeatures(body, cpu);
    if (!missing.empty())
      return unsupported(target, missing, cpu);
    chosen = i;
    return {};
  }
  return {NDL_INVALID_ARGUMENT, "the artifact has no body for " + target +
                                    "; it has: " + listTargets(view)};
}

/// What `cpu` lacks of a CPU that has `features`; empty if nothing.
std::string missingFeatures(NdlArchitecture architecture, uint64_t features,
                            const Cpu &cpu) {
  if (architecture != cpu.architecture)
    return "an " + std::string(architectureName(architecture)) + " CPU";
  return formatFeatures(architecture, features & ~cpu.features);
}

} // namespace

std::string missingFeatures(const NdlBodyRecord &body, const Cpu &cpu) {
  return missingFeatures(static_cast<NdlArchitecture>(body.architecture),
                         body.features, cpu);
}

Status selectBody(const ArtifactView &view, const Cpu &cpu,
                  const std::string &request, const std::string &requestedBy,
                  size_t &chosen) {
  if (!request.empty())
    return selectRequested(view, cpu, request, requestedBy, chosen);
  const NdlBodyRecord *best = nullptr;
  std::string reasons;
  for (size_t i = 0; i < view.bodies.size; ++i) {
    const NdlBodyRecord &body = view.bodies[i];
    std::string missing = missingFeatures(body, cpu);
    if (!missing.empty()) {
      reasons += "; " + quoted(view.string(body.target)) + " needs " + missing;
    } else if (!best || body.rank > best->rank) {
      best = &body;
      chosen = i;
    }
  }
  if (!best)
    return {NDL_UNSUPPORTED_CPU,
            "the artifact has no body for this CPU (" + describe(cpu) + ")" +
                (reasons.empty() ? "; it has none at all" : reasons) +
                "; compile the model for this CPU too"};
  return {};
}

Status selectBodyWithin(const ArtifactView &view, const Cpu &cpu,
                        const std::string &request,
                        const std::string &requestedBy, size_t &chosen) {
  std::optional<Cpu> limit = targetCpu(request);
  if (!limit || hasTarget(view, request))
    return selectBody(view, cpu, request, requestedBy, chosen);
  std::string target = describeRequest(request, requestedBy);
  std::string missing =
      missingFeatures(limit->architecture, limit->features, cpu);
  if (!missing.empty())
    return unsupported(target, missing, cpu);
  Status status = selectBody(view, *limit, "", "", chosen);
  if (status.code() != NDL_UNSUPPORTED_CPU)
    return status;
  return {NDL_UNSUPPORTED_CPU, "every body needs more than " + target +
                                   " has; there are: " + listTargets(view)};
}

} // namespace ndl

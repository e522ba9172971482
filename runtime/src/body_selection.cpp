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

Status selectRequested(const ArtifactView &view, const Cpu &cpu,
                       const std::string &request,
                       const std::string &requestedBy, size_t &chosen) {
  std::string target = "target " + quoted(request) + " (" + requestedBy + ")";
  for (size_t i = 0; i < view.bodies.size; ++i) {
    const NdlBodyRecord &body = view.bodies[i];
    if (request != view.string(body.target))
      continue;
    std::string missing = missingFeatures(body, cpu);
    if (!missing.empty())
      return {NDL_UNSUPPORTED_CPU, target + " needs " + missing +
                                       ", but this CPU is " + describe(cpu)};
    chosen = i;
    return {};
  }
  return {NDL_INVALID_ARGUMENT, "the artifact has no body for " + target +
                                    "; it has: " + listTargets(view)};
}

} // namespace

std::string missingFeatures(const NdlBodyRecord &body, const Cpu &cpu) {
  if (body.architecture != cpu.architecture)
    return "an " + std::string(architectureName(body.architecture)) + " CPU";
  return formatFeatures(body.architecture, body.features & ~cpu.features);
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

} // namespace ndl

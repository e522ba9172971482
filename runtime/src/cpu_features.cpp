// CPU features by name, and their detection.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-rt/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace ndl {
namespace {

struct FeatureRow {
  NdlArchitecture architecture;
  uint64_t bit;
  std::string_view name;
};

constexpr FeatureRow featureTable[] = {
#define NDL_X86_FEATURE(bit, identifier, name, ...)                            \
  {NDL_ARCH_X86_64, x86::identifier, name},
#define NDL_AARCH64_FEATURE(bit, identifier, name, ...)                        \
  {NDL_ARCH_AARCH64, aarch64::identifier, name},
#include "needle-rt/cpu_features.def"
};

struct TargetRow {
  NdlArchitecture architecture;
  std::string_view name;
  std::string_view features;
};

constexpr TargetRow targetTable[] = {
#define NDL_CPU_TARGET(name, architecture, features)                           \
  {NDL_ARCH_##architecture, name, features},
#include "needle-rt/cpu_targets.def"
};

/// What every CPU of an architecture has, though not every target names it.
uint64_t baselineFeatures(NdlArchitecture architecture) {
  switch (architecture) {
  case NDL_ARCH_X86_64:
    return x86::SSE2;
  case NDL_ARCH_AARCH64:
    return aarch64::NEON;
  default:
    return 0;
  }
}

#if defined(__x86_64__)

/// The order in which cpuid() returns the registers.
enum Register { EAX, EBX, ECX, EDX };

struct CpuidRow {
  uint64_t feature;
  uint32_t leaf;
  uint32_t subleaf;
  Register reg;
  uint32_t position;
  uint64_t state;
};

constexpr CpuidRow cpuidTable[] = {
#define NDL_X86_FEATURE(bit, identifier, name, leaf, subleaf, reg, position,   \
                        state)                                                 \
  {x86::identifier, leaf, subleaf, reg, position, state},
#include "needle-rt/cpu_features.def"
};

/// The register states that the operating system saves (XCR0), 0 if it does not
/// say.
uint64_t savedStates() {
  uint32_t regs[4] = {};
  constexpr uint32_t osxsave = 1u << 27;
  if (!__get_cpuid(1, &regs[EAX], &regs[EBX], &regs[ECX], &regs[EDX]) ||
      !(regs[ECX] & osxsave))
    return 0;
  uint32_t low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

uint64_t detectFeatures() {
  uint64_t states = savedStates();
  uint64_t features = 0;
  for (const CpuidRow &row : cpuidTable) {
    uint32_t regs[4] = {};
    if (!__get_cpuid_count(row.leaf, row.subleaf, &regs[EAX], &regs[EBX],
                           &regs[ECX], &regs[EDX]))
      continue;
    if ((regs[row.reg] >> row.position & 1) &&
        (states & row.state) == row.state)
      features |= row.feature;
  }
  return features;
}

constexpr NdlArchitecture hostArchitecture = NDL_ARCH_X86_64;

#elif defined(__aarch64__)

uint64_t detectFeatures() {
  uint64_t features = 0;
#define NDL_AARCH64_FEATURE(bit, identifier, name, auxv, mask)                 \
  if (getauxval(auxv) & (mask))                                                \
    features |= aarch64::identifier;
#include "needle-rt/cpu_features.def"
  return features;
}

constexpr NdlArchitecture hostArchitecture = NDL_ARCH_AARCH64;

#elif defined(__riscv) && __riscv_xlen == 64

uint64_t detectFeatures() { return 0; }
constexpr NdlArchitecture hostArchitecture = NDL_ARCH_RISCV64;

#else
#error "needle's runtime does not know this architecture"
#endif

} // namespace

Cpu hostCpu() {
  static const Cpu cpu{hostArchitecture, detectFeatures()};
  return cpu;
}

std::string_view architectureName(uint32_t architecture) {
  switch (architecture) {
  case NDL_ARCH_X86_64:
    return "x86-64";
  case NDL_ARCH_AARCH64:
    return "aarch64";
  case NDL_ARCH_RISCV64:
    return "riscv64";
  default:
    return "unknown";
  }
}

std::optional<uint64_t> featureBit(NdlArchitecture architecture,
                                   std::string_view name) {
  for (const FeatureRow &row : featureTable)
    if (row.architecture == architecture && row.name == name)
      return row.bit;
  return std::nullopt;
}

std::optional<Cpu> targetCpu(std::string_view target) {
  for (const TargetRow &row : targetTable) {
    if (row.name != target)
      continue;
    Cpu cpu{row.architecture, baselineFeatures(row.architecture)};
    std::string_view rest = row.features;
    while (!rest.empty()) {
      size_t comma = rest.find(',');
      cpu.features |=
          featureBit(row.architecture, rest.substr(0, comma)).value_or(0);
      rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    }
    return cpu;
  }
  return std::nullopt;
}

std::vector<std::string> featureNames(uint32_t architecture,
                                      uint64_t features) {
  std::vector<std::string> names;
  for (unsigned position = 0; position < 64; ++position) {
    uint64_t bit = uint64_t(1) << position;
    if (!(features & bit))
      continue;
    std::string name = "bit " + std::to_string(position);
    for (const FeatureRow &row : featureTable)
      if (row.architecture == architecture && row.bit == bit)
        name = row.name;
    names.push_back(std::move(name));
  }
  return names;
}

std::string formatFeatures(uint32_t architecture, uint64_t features) {
  std::string text;
  for (const std::string &name : featureNames(architecture, features))
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

} // namespace ndl

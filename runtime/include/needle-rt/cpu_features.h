// The features of a CPU as a bit set, by name, and of the host.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RT_CPU_FEATURES_H
#define NEEDLE_RT_CPU_FEATURES_H

#include "needle-rt/artifact_format.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ndl {

/// Bits of NdlBodyRecord.features for x86-64, e.g. `x86::AVX2 | x86::FMA`.
namespace x86 {
#define NDL_X86_FEATURE(bit, identifier, name, ...)                            \
  inline constexpr uint64_t identifier = uint64_t(1) << bit;
#include "needle-rt/cpu_features.def"
} // namespace x86

/// Bits of NdlBodyRecord.features for AArch64.
namespace aarch64 {
#define NDL_AARCH64_FEATURE(bit, identifier, name, ...)                        \
  inline constexpr uint64_t identifier = uint64_t(1) << bit;
#include "needle-rt/cpu_features.def"
} // namespace aarch64

/// A CPU: its architecture and the features it has.
struct Cpu {
  NdlArchitecture architecture = NDL_ARCH_INVALID;
  uint64_t features = 0;
};

/// The CPU this process runs on. A feature counts only if the operating system
/// saves its registers.
Cpu hostCpu();

/// The least CPU that runs a target of the compiler, e.g. "avx-vnni"; nothing
/// if there is no such target.
std::optional<Cpu> targetCpu(std::string_view target);

/// "x86-64", "aarch64", …; "unknown" for a value outside the enumeration.
std::string_view architectureName(uint32_t architecture);

/// The bit of a feature by its name, e.g. "avx2"; nothing if unknown.
std::optional<uint64_t> featureBit(NdlArchitecture architecture,
                                   std::string_view name);

/// The names of the set bits, in order of the bits; an unnamed bit n as "bit
/// n".
std::vector<std::string> featureNames(uint32_t architecture, uint64_t features);

/// Comma-separated featureNames.
std::string formatFeatures(uint32_t architecture, uint64_t features);

} // namespace ndl

#endif // NEEDLE_RT_CPU_FEATURES_H

// How many threads to use.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_THREAD_COUNT_H
#define NEEDLE_RUNTIME_THREAD_COUNT_H

#include "needle-rt/status.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ndl {

/// The smallest CPU quota of the cgroup of a process and its ancestors, in CPUs
/// rounded up; nothing if there is none. `membership` is the text of
/// /proc/<pid>/cgroup, `mount` the directory of the cgroup file systems. Knows
/// v1 (cpu.cfs_quota_us) and v2 (cpu.max).
std::optional<int32_t> cgroupCpuLimit(const std::string &membership,
                                      const std::string &mount);

/// CPUs that this process may use: by its affinity mask and its cgroup, >= 1.
int32_t availableCpus();

/// `requested` if positive, else the environment variable NEEDLE_NUM_THREADS,
/// else availableCpus(). Errors: NDL_INVALID_ARGUMENT outside
/// 0 … NDL_MAX_THREADS, or if the variable is no such number.
Status resolveThreadCount(int32_t requested, int32_t &threads);

} // namespace ndl

#endif // NEEDLE_RUNTIME_THREAD_COUNT_H

// How many threads to use.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "thread_count.h"

#include "needle-rt/runtime.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <sched.h>
#include <unistd.h>

namespace ndl {
namespace {

/// The first line of a file; empty if it cannot be read.
std::string readLine(const std::string &path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// A whole decimal number.
std::optional<int64_t> parseNumber(const std::string &text) {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos)
    return std::nullopt;
  errno = 0;
  int64_t value = std::strtoll(text.c_str(), nullptr, 10);
  if (errno != 0)
    return std::nullopt;
  return value;
}

/// quota / period, rounded up.
std::optional<int32_t> cpusOf(const std::string &quota,
                              const std::string &period) {
  std::optional<int64_t> numerator = parseNumber(quota);
  std::optional<int64_t> denominator = parseNumber(period);
  // Without a limit the quota reads "max" (v2) or -1 (v1).
  if (!numerator || !denominator || *numerator <= 0 || *denominator <= 0)
    return std::nullopt;
  int64_t cpus = (*numerator - 1) / *denominator + 1;
  return static_cast<int32_t>(std::min<int64_t>(cpus, INT32_MAX));
}

std::optional<int32_t> quotaV2(const std::string &directory) {
  std::istringstream line(readLine(directory + "/cpu.max"));
  std::string quota, period;
  line >> quota >> period;
  return cpusOf(quota, period);
}

std::optional<int32_t> quotaV1(const std::string &directory) {
  return cpusOf(readLine(directory + "/cpu.cfs_quota_us"),
                readLine(directory + "/cpu.cfs_period_us"));
}

/// The smallest quota in mount + group and its parents. A group outside the
/// process's cgroup namespace has no directory here; its visible ancestors do.
template <typename Quota>
void limitByGroup(const std::string &mount, std::string group, Quota quota,
                  std::optional<int32_t> &limit) {
  for (;;) {
    std::optional<int32_t> cpus = quota(mount + group);
    if (cpus)
      limit = std::min(limit.value_or(*cpus), *cpus);
    size_t slash = group.rfind('/');
    if (slash == std::string::npos)
      return;
    group.resize(slash);
  }
}

bool listsCpu(const std::string &controllers) {
  return ("," + controllers + ",").find(",cpu,") != std::string::npos;
}

int32_t affinityCpus() {
  // The mask must hold as many CPUs as the kernel knows; find out by trying.
  for (int32_t room = 1024; room <= 1 << 20; room *= 2) {
    cpu_set_t *mask = CPU_ALLOC(room);
    if (!mask)
      break;
    size_t size = CPU_ALLOC_SIZE(room);
    int32_t count = -1;
    if (::sched_getaffinity(0, size, mask) == 0)
      count = CPU_COUNT_S(size, mask);
    bool tooSmall = count < 0 && errno == EINVAL;
    CPU_FREE(mask);
    if (count > 0)
      return count;
    if (!tooSmall)
      break;
  }
  return static_cast<int32_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

} // namespace

std::optional<int32_t> cgroupCpuLimit(const std::string &membership,
                                      const std::string &mount) {
  std::optional<int32_t> limit;
  std::istringstream lines(membership);
  // Each line is hierarchy:controllers:group; v2 has hierarchy 0 and no
  // controllers, and is mounted at "unified" beside v1.
  for (std::string line; std::getline(lines, line);) {
    size_t first = line.find(':');
    size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos)
      continue;
    std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      limitByGroup(mount, group, quotaV2, limit);
      limitByGroup(mount + "/unified", group, quotaV2, limit);
    } else if (listsCpu(controllers)) {
      limitByGroup(mount + "/" + controllers, group, quotaV1, limit);
      if (controllers != "cpu")
        limitByGroup(mount + "/cpu", group, quotaV1, limit);
    }
  }
  return limit;
}

int32_t availableCpus() {
  std::ifstream file("/proc/self/cgroup");
  std::stringstream membership;
  membership << file.rdbuf();
  int32_t cpus = affinityCpus();
  std::optional<int32_t> limit =
      cgroupCpuLimit(membership.str(), "/sys/fs/cgroup");
  return limit ? std::min(cpus, *limit) : cpus;
}

Status resolveThreadCount(int32_t requested, int32_t &threads) {
  std::string range = "1 … " + std::to_string(NDL_MAX_THREADS);
  if (requested < 0 || requested > NDL_MAX_THREADS)
    return {NDL_INVALID_ARGUMENT, "number of threads " +
                                      std::to_string(requested) +
                                      " is not 0 (automatic) or " + range};
  threads = requested;
  if (requested > 0)
    return {};
  const char *variable = std::getenv("NEEDLE_NUM_THREADS");
  if (variable && *variable) {
    std::optional<int64_t> value = parseNumber(variable);
    if (!value || *value < 1 || *value > NDL_MAX_THREADS)
      return {NDL_INVALID_ARGUMENT, "NEEDLE_NUM_THREADS is '" +
                                        std::string(variable) +
                                        "', but must be a number in " + range};
    threads = static_cast<int32_t>(*value);
    return {};
  }
  threads = std::min(availableCpus(), NDL_MAX_THREADS);
  return {};
}

} // namespace ndl

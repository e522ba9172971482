// What the environment says of the simulated device.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "driver/settings.h"

#include "driver/device_limits.h"

#include <cerrno>
#include <cstdlib>

namespace ndl::cudasim::driver {
namespace {

/// Reads a whole number; with `sizes`, it may end in K, M or G.
bool parseNumber(std::string text, bool sizes, uint64_t &value) {
  unsigned shift = 0;
  if (sizes && !text.empty()) {
    size_t suffix = std::string("KMG").find(text.back());
    if (suffix != std::string::npos) {
      shift = 10 * (static_cast<unsigned>(suffix) + 1);
      text.pop_back();
    }
  }
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos)
    return false;
  errno = 0;
  value = std::strtoull(text.c_str(), nullptr, 10);
  if (errno != 0 || value > UINT64_MAX >> shift)
    return false;
  value <<= shift;
  return true;
}

/// Reads a variable, where it is set. False with a text if it is no number.
bool read(const char *name, bool sizes, uint64_t &value, std::string &error) {
  const char *text = std::getenv(name);
  if (!text || !*text || parseNumber(text, sizes, value))
    return true;
  error = std::string(name) + " is '" + text + "', but must be a number" +
          (sizes ? " of bytes, or one with suffix K, M or G" : "");
  return false;
}

} // namespace

bool readSettings(Settings &settings, std::string &error) {
  uint64_t architecture = 80, trace = 0;
  if (!read("NEEDLE_CUDASIM_ARCH", false, architecture, error) ||
      !read("NEEDLE_CUDASIM_MEMORY", true, settings.memoryBytes, error) ||
      !read("NEEDLE_CUDASIM_SEED", false, settings.seed, error) ||
      !read("NEEDLE_CUDASIM_LIMIT", false, settings.instructionLimit, error) ||
      !read("NEEDLE_CUDASIM_TRACE", false, trace, error))
    return false;
  settings.trace = trace != 0;
  for (const DeviceLimits &limits : knownDevices()) {
    if (static_cast<uint64_t>(limits.architecture) == architecture) {
      settings.architecture = limits.architecture;
      return true;
    }
    error += (error.empty() ? "" : ", ") + std::to_string(limits.architecture);
  }
  error = "NEEDLE_CUDASIM_ARCH is " + std::to_string(architecture) +
          ", but must be one of " + error;
  return false;
}

} // namespace ndl::cudasim::driver

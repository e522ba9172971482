// Finds and opens the library of a CUDA driver.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/driver_library.h"

#include <cstdlib>
#include <mutex>
#include <vector>

#include <dlfcn.h>

namespace ndl::cuda {
namespace {

constexpr const char *kSimulatorName = "libneedle_cudasim.so";

std::mutex pathMutex;

/// Guarded by pathMutex; not destroyed, for calls at exit.
std::string &givenSimulatorPath() {
  static auto *path = new std::string;
  return *path;
}

/// The folder of the library or program that contains this code; "" if the
/// system does not say.
std::string ownFolder() {
  Dl_info info;
  if (!::dladdr(reinterpret_cast<void *>(&ownFolder), &info) || !info.dli_fname)
    return "";
  std::string file = info.dli_fname;
  // A program that was found in PATH is known by its bare name.
  if (file.find('/') == std::string::npos)
    file = "/proc/self/exe";
  char *resolved = ::realpath(file.c_str(), nullptr);
  if (!resolved)
    return "";
  file = resolved;
  std::free(resolved);
  return file.substr(0, file.rfind('/'));
}

std::vector<std::string> simulatorCandidates() {
  {
    std::lock_guard<std::mutex> lock(pathMutex);
    if (!givenSimulatorPath().empty())
      return {givenSimulatorPath()};
  }
  std::string folder = ownFolder();
  if (folder.empty())
    return {kSimulatorName};
  return {folder + "/" + kSimulatorName, folder + "/../lib/" + kSimulatorName};
}

} // namespace

void setSimulatorLibrary(std::string path) {
  std::lock_guard<std::mutex> lock(pathMutex);
  givenSimulatorPath() = std::move(path);
}

std::string driverWaysOut() {
  return ". Ways out: install or repair NVIDIA's driver, set "
         "NEEDLE_CUDA_DRIVER=sim to simulate a device, or use the CPU";
}

Status openDriverLibrary(const std::string &choice, DriverLibrary &library) {
  std::vector<std::string> candidates{choice};
  if (choice.empty())
    candidates = {"libcuda.so.1", "libcuda.so"};
  else if (choice == "sim")
    candidates = simulatorCandidates();
  std::string tried;
  for (const std::string &path : candidates) {
    library.handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library.handle) {
      library.path = path;
      return {};
    }
    const char *error = ::dlerror();
    tried += "\n  " + (error ? std::string(error) : path);
  }
  std::string what = "no CUDA driver was found";
  if (choice == "sim")
    what = "the simulated CUDA driver (NEEDLE_CUDA_DRIVER=sim) was not found";
  else if (!choice.empty())
    what = "the CUDA driver named by NEEDLE_CUDA_DRIVER was not found";
  return {NDL_NOT_FOUND, what + driverWaysOut() + ". Tried:" + tried};
}

} // namespace ndl::cuda

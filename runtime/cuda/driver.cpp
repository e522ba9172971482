// The CUDA driver: functions of a loaded one, and the process's.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/driver.h"

#include "cuda/driver_library.h"

#include <atomic>
#include <cstdlib>
#include <mutex>

#include <dlfcn.h>
#include <pthread.h>

namespace ndl::cuda {
namespace {

/// Number of forks between the first process and this one.
std::atomic<unsigned> numForks{0};

void countForks() {
  [[maybe_unused]] static int registered =
      ::pthread_atfork(nullptr, nullptr, [] {
        numForks.fetch_add(1, std::memory_order_relaxed);
      });
}

std::atomic<const Driver *> processDriver{nullptr};
std::mutex loadMutex;

std::string versionName(int number) {
  return std::to_string(number / 1000) + "." +
         std::to_string(number % 1000 / 10);
}

} // namespace

Status Driver::get(const Driver *&driver) {
  const Driver *loaded = processDriver.load(std::memory_order_acquire);
  if (!loaded) {
    std::lock_guard<std::mutex> lock(loadMutex);
    loaded = processDriver.load(std::memory_order_acquire);
    if (!loaded) {
      const char *choice = std::getenv("NEEDLE_CUDA_DRIVER");
      std::unique_ptr<const Driver> fresh;
      if (Status status = load(choice ? choice : "", fresh); !status.ok())
        return status;
      // Never destroyed: whoever runs at exit may still hold it.
      loaded = fresh.release();
      processDriver.store(loaded, std::memory_order_release);
    }
  }
  if (Status status = loaded->checkProcess(); !status.ok())
    return status;
  driver = loaded;
  return {};
}

Status Driver::load(const std::string &choice,
                    std::unique_ptr<const Driver> &driver) {
  countForks();
  std::unique_ptr<Driver> fresh(new Driver);
  fresh->forks = numForks.load(std::memory_order_relaxed);
  if (Status status = fresh->open(choice); !status.ok())
    return status;
  if (Status status = fresh->initialize(); !status.ok())
    return status.in("CUDA driver '" + fresh->file + "'");
  driver = std::move(fresh);
  return {};
}

void Driver::setSimulatorPath(std::string path) {
  setSimulatorLibrary(std::move(path));
}

Status Driver::open(const std::string &choice) {
  DriverLibrary opened;
  Status status = openDriverLibrary(choice, opened);
  library = opened.handle;
  file = std::move(opened.path);
  return status;
}

Status Driver::initialize() {
  // Asked first, by functions that every driver has: an old one lacks others.
  functions.init =
      reinterpret_cast<decltype(functions.init)>(::dlsym(library, "cuInit"));
  functions.driverGetVersion =
      reinterpret_cast<decltype(functions.driverGetVersion)>(
          ::dlsym(library, "cuDriverGetVersion"));
  if (functions.driverGetVersion &&
      functions.driverGetVersion(&number) == CUDA_SUCCESS &&
      number < kOldestVersion)
    return {NDL_UNSUPPORTED_VERSION,
            "it is for CUDA " + versionName(number) + ", but needle needs " +
                versionName(kOldestVersion) + " or newer; update the driver" +
                driverWaysOut()};
  if (Status status = resolve(); !status.ok())
    return status;
  simulatorReport =
      reinterpret_cast<const char *(*)()>(::dlsym(library, "ndlCudaSimReport"));
  if (!::dlsym(library, "ndlCudaSim"))
    simulatorReport = nullptr;
  int devices = 0;
  CUresult result = functions.init(0);
  if (result == CUDA_SUCCESS)
    result = functions.deviceGetCount(&devices);
  if (result != CUDA_SUCCESS) {
    std::string why = report();
    return {NDL_NOT_FOUND, "cuInit: " + describe(result) +
                               (why.empty() ? "" : ": " + why) +
                               driverWaysOut()};
  }
  if (devices == 0)
    return {NDL_NOT_FOUND, "it finds no device" + driverWaysOut()};
  return {};
}

Status Driver::resolve() {
  std::string missing;
  auto find = [&](const char *symbol) {
    void *address = ::dlsym(library, symbol);
    if (!address)
      missing += (missing.empty() ? "" : ", ") + std::string(symbol);
    return address;
  };
#define NEEDLE_CUDA_FUNCTION(name, symbol, parameters)                         \
  functions.name = reinterpret_cast<decltype(functions.name)>(find(#symbol));
#include "cuda/driver_functions.def"
  if (missing.empty())
    return {};
  return {NDL_INVALID_ARGUMENT,
          "it lacks the functions " + missing + driverWaysOut()};
}

std::string Driver::report() const {
  const char *text = simulatorReport ? simulatorReport() : nullptr;
  return text ? text : "";
}

Status Driver::checkProcess() const {
  if (forks == numForks.load(std::memory_order_relaxed))
    return {};
  return {NDL_INVALID_ARGUMENT,
          "CUDA was in use when this process was forked, and does not work in "
          "the child; start the process anew (Python's multiprocessing: the "
          "start method 'spawn'), or use CUDA only after forking"};
}

std::string Driver::describe(CUresult result) const {
  const char *name = nullptr, *text = nullptr;
  if (functions.getErrorName)
    functions.getErrorName(result, &name);
  if (functions.getErrorString)
    functions.getErrorString(result, &text);
  std::string description =
      name ? name : "CUDA error " + std::to_string(uint32_t(result));
  if (text)
    description += " (" + std::string(text) + ")";
  return description;
}

} // namespace ndl::cuda

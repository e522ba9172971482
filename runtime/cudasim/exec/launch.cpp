// Runs kernels of a module on the simulated device.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/launch.h"

#include "exec/block.h"

#include <cfenv>
#include <numeric>
#include <vector>

namespace ndl::cudasim {
namespace {

constexpr uint64_t maxThreads = 1024;
/// The most that any device up to sm_90 lets a block have.
constexpr uint64_t maxSharedBytes = 227 * 1024;

/// Arithmetic rounds to nearest and keeps denormal numbers while it lives,
/// whatever the thread that launches has set.
class CleanFloatEnvironment {
public:
  CleanFloatEnvironment() {
    fegetenv(&saved);
    fesetenv(FE_DFL_ENV);
  }
  ~CleanFloatEnvironment() { fesetenv(&saved); }
  CleanFloatEnvironment(const CleanFloatEnvironment &) = delete;
  CleanFloatEnvironment &operator=(const CleanFloatEnvironment &) = delete;

private:
  fenv_t saved;
};

std::string dims(const Dim3 &d) {
  return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," +
         std::to_string(d.z) + ")";
}

/// Why the launch is refused, or empty.
std::string refusal(const Kernel &kernel, const LaunchConfig &config) {
  const Dim3 &grid = config.grid, &block = config.block;
  if (!kernel.program)
    return "the kernel has no code";
  if (grid.count() == 0 || block.count() == 0)
    return "the grid " + dims(grid) + " of blocks " + dims(block) + " is empty";
  // "Technical Specifications per Compute Capability", CUDA C++ guide.
  if (grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535)
    return "the grid " + dims(grid) + " is too large";
  if (block.x > maxThreads || block.y > maxThreads || block.z > 64 ||
      block.count() > maxThreads)
    return "a block " + dims(block) + " has more than 1024 threads";
  const auto &required = kernel.requiredThreads;
  if (required[0] != 0 && (required[0] != block.x || required[1] != block.y ||
                           required[2] != block.z))
    return "the kernel requires blocks of " +
           dims({required[0], required[1], required[2]}) + " threads, not " +
           dims(block);
  const auto &maximum = kernel.maximumThreads;
  uint64_t most = uint64_t(maximum[0]) * maximum[1] * maximum[2];
  if (most != 0 && block.count() > most)
    return "a block " + dims(block) + " has more threads than the kernel's " +
           ".maxntid allows, " + std::to_string(most);
  uint64_t shared = kernel.staticSharedBytes + config.dynamicSharedBytes;
  if (shared > maxSharedBytes)
    return std::to_string(shared) +
           " bytes of shared memory are more than the " +
           std::to_string(maxSharedBytes) + " that a block can have";
  return {};
}

/// The blocks of the grid in the order in which they run.
class BlockOrder {
public:
  BlockOrder(const Dim3 &grid, uint64_t seed) : grid(grid) {
    total = grid.count();
    if (seed == 0)
      return;
    // Steps that share no factor with the number of blocks visit each once.
    Random random(seed ^ 0x626c6f636b73);
    start = random.below(total);
    do
      stride = 1 + random.below(total);
    while (std::gcd(stride, total) != 1);
  }
  uint64_t count() const { return total; }
  Dim3 at(uint64_t i) const {
    // Both may have 63 bits.
    auto linear = static_cast<uint64_t>(
        (static_cast<unsigned __int128>(i) * stride + start) % total);
    return {static_cast<uint32_t>(linear % grid.x),
            static_cast<uint32_t>(linear / grid.x % grid.y),
            static_cast<uint32_t>(linear / grid.x / grid.y)};
  }

private:
  Dim3 grid;
  uint64_t total = 0;
  uint64_t start = 0;
  uint64_t stride = 1;
};

} // namespace

std::string Fault::text() const {
  std::string result = "kernel `" + kernel + "`";
  if (line != 0)
    result += ", PTX line " + std::to_string(line) + " (" + instruction +
              "), block " + dims(block) + ", thread " + dims(thread);
  return result + ": " + message;
}

bool launch(const Module &module, const Kernel &kernel,
            const LaunchConfig &config, const uint8_t *parameters,
            DeviceMemory &memory, Fault &fault) {
  fault = Fault();
  std::string reason = refusal(kernel, config);
  for (const GlobalVariable &global : module.globals())
    if (reason.empty() && global.address == 0)
      reason = "the variable `" + global.name + "` has no address";
  if (!reason.empty()) {
    fault.kind = FaultKind::InvalidParameter;
    fault.kernel = kernel.name;
    fault.message = reason;
    return false;
  }
  CleanFloatEnvironment environment;
  Block block(kernel, config, parameters, memory, fault);
  BlockOrder order(config.grid, config.seed);
  for (uint64_t i = 0; i < order.count(); ++i)
    if (!block.run(order.at(i)))
      return false;
  return true;
}

} // namespace ndl::cudasim

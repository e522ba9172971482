// Launches a kernel on the context's stream.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/launch.h"

namespace ndl::cuda {
namespace {

std::string describe(const uint32_t (&extents)[3]) {
  return "(" + std::to_string(extents[0]) + ", " + std::to_string(extents[1]) +
         ", " + std::to_string(extents[2]) + ")";
}

/// What was launched, for a launch that the driver refuses.
std::string describe(const Kernel &kernel, const LaunchShape &shape,
                     std::string_view location) {
  std::string text = "launching `" + kernel.name() + "`";
  if (!location.empty())
    text += " (" + std::string(location) + ")";
  text +=
      " with grid " + describe(shape.grid) + ", block " + describe(shape.block);
  if (shape.dynamicSharedBytes)
    text += ", " + std::to_string(shape.dynamicSharedBytes) +
            " bytes of dynamic shared memory";
  return text;
}

} // namespace

Status launch(Context &context, Kernel &kernel, const LaunchShape &shape,
              void *const *parameters, std::string_view location) {
  for (uint32_t extent : shape.grid)
    if (extent == 0)
      return {};
  CurrentContext current(context);
  if (!current.status().ok())
    return current.status();
  Status status = kernel.allowDynamicShared(context, shape.dynamicSharedBytes);
  if (status.ok()) {
    // Logged before: the launch may report an earlier kernel's error, or be the
    // one that fails at once.
    context.launches().add(kernel.name(), location);
    status = context.check(context.driver()->launchKernel(
                               kernel.handle(), shape.grid[0], shape.grid[1],
                               shape.grid[2], shape.block[0], shape.block[1],
                               shape.block[2], shape.dynamicSharedBytes,
                               context.stream(),
                               // The driver only reads them.
                               const_cast<void **>(parameters), nullptr),
                           "cuLaunchKernel");
  }
  if (status.ok())
    return status;
  return status.in(describe(kernel, shape, location));
}

} // namespace ndl::cuda

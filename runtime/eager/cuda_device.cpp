// Opening a CUDA device for eager kernels.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/cuda_device.h"

#include "eager/cuda_launcher.h"

#include "cuda/ptx_choice.h"

#include <vector>

namespace ndl::eager {

Status loadCudaLibrary(const void *data, size_t size,
                       std::unique_ptr<KernelLibrary> &library) {
  cuda::Device *device = nullptr;
  Status status = cuda::Device::get(device);
  ArtifactView view;
  if (status.ok())
    status = ArtifactView::parse(data, size, view);
  if (!status.ok())
    return status;
  std::vector<cuda::PtxImage> images;
  for (const NdlDeviceRecord &record : view.devices)
    images.push_back(
        {static_cast<int>(record.computeCapability), false, view.ptx(record)});
  const cuda::PtxImage *chosen = nullptr;
  status = cuda::choosePtx(images.data(), images.size(),
                           device->context().properties(), chosen);
  if (!status.ok())
    return status.in("the kernel library");
  size_t index = chosen - images.data();
  auto launcher = std::make_unique<CudaLauncher>(
      *device, view.string(view.devices[index].target));
  status = launcher->resolve(view, index);
  if (status.ok())
    library = std::make_unique<KernelLibrary>(std::move(launcher));
  return status.in("the kernel library");
}

} // namespace ndl::eager

// The eager kernels of one CUDA module, and launching them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_CUDA_LAUNCHER_H
#define NEEDLE_RUNTIME_EAGER_CUDA_LAUNCHER_H

#include "cuda/device.h"
#include "eager/device.h"

#include "needle-rt/artifact_reader.h"

#include <string>
#include <unordered_map>

namespace ndl::eager {

/// Runs eager kernels on a CUDA device.
class CudaLauncher : public Device {
public:
  /// How a kernel is launched, see NdlDeviceKernelRecord.
  struct Launch {
    cuda::Kernel *kernel = nullptr;
    int64_t blockThreads = 0, tileRows = 1, tileColumns = 1;
  };

  CudaLauncher(cuda::Device &device, std::string target)
      : cuda(device), isa(std::move(target)) {}
  /// Resolves the kernels of device `index` of an artifact, from its PTX.
  Status resolve(const ArtifactView &view, size_t index);

  const char *target() const override { return isa.c_str(); }
  const char *name() const override {
    return cuda.context().properties().name.c_str();
  }
  int ordinal() const override { return cuda.context().ordinal(); }
  bool simulated() const override {
    return cuda.context().properties().simulated;
  }
  Status allocate(size_t bytes, StoragePtr &storage) const override;
  StorageStats memory() const override;
  Status write(const void *host, void *device, size_t bytes) const override;
  Status read(const void *device, void *host, size_t bytes) const override;
  Status synchronize() const override;
  Status shutdown() const override;
  Status map(MapKernel kernel, LoopNest &nest,
             const Scalar *scalars) const override;
  Status reduce(ReduceKernel kernel, LoopNest &kept,
                const LoopNest &reduced) const override;
  Status multiply(const Batch &batch) const override;

private:
  /// For a result of rows × columns; `words` are the context of the kernel.
  Status launch(const std::string &kernel, int64_t rows, int64_t columns,
                int64_t *words) const;

  Status multiplyFloat(const Batch &batch) const;
  Status multiplyInteger(const Batch &batch) const;

  cuda::Device &cuda;
  std::unordered_map<std::string, Launch> kernels;
  std::string isa;
};

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_CUDA_LAUNCHER_H

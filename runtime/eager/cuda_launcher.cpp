// Memory, elementwise operations and reductions on a CUDA device.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/cuda_launcher.h"

#include "eager/kernel_words.h"

#include "cuda/launch.h"

namespace ndl::eager {
namespace {

/// Blocks of a grid in the x and the y direction (CUDA C++ Programming Guide,
/// "Compute Capabilities").
constexpr int64_t mostBlocksAcross = INT32_MAX, mostBlocksDown = UINT16_MAX;

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// What the storage of a block needs to give it back.
struct Block {
  cuda::MemoryPool &pool;
  cuda::CUdeviceptr address;
};

void releaseBlock(void *context) {
  auto *block = static_cast<Block *>(context);
  // The last reference goes away somewhere: there is nobody to tell. A context
  // that is lost says so at the next call.
  (void)block->pool.free(block->address);
  delete block;
}

} // namespace

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Status CudaLauncher::allocate(size_t bytes, StoragePtr &storage) const {
  cuda::CUdeviceptr address = 0;
  if (Status status = cuda.memory().allocate(bytes, address); !status.ok())
    return status;
  auto *block = new Block{cuda.memory(), address};
  storage =
      Storage::adopt(reinterpret_cast<void *>(address), bytes, releaseBlock,
                     block, /*writable=*/true, MemoryKind::Device);
  if (storage)
    return {};
  releaseBlock(block);
  return {NDL_OUT_OF_MEMORY, "no memory for the handle of an array"};
}

StorageStats CudaLauncher::memory() const {
  cuda::PoolStats stats = cuda.memory().stats();
  return {static_cast<int64_t>(stats.liveBytes),
          static_cast<int64_t>(stats.cachedBytes)};
}

Status CudaLauncher::write(const void *host, void *device, size_t bytes) const {
  return cuda.staging().upload(reinterpret_cast<cuda::CUdeviceptr>(device),
                               host, bytes);
}

Status CudaLauncher::read(const void *device, void *host, size_t bytes) const {
  return cuda.staging().download(
      host, reinterpret_cast<cuda::CUdeviceptr>(device), bytes);
}

Status CudaLauncher::synchronize() const {
  return cuda.context().synchronize();
}

Status CudaLauncher::shutdown() const { return cuda.shutdown(); }

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

Status CudaLauncher::resolve(const ArtifactView &view, size_t index) {
  cuda::Module *module = nullptr;
  Status status = cuda.modules().load(view.ptx(view.devices[index]), module);
  for (const NdlDeviceKernelRecord &record : view.deviceKernels) {
    if (!status.ok() || record.device != index)
      continue;
    Launch launch{nullptr, record.blockThreads, record.tileRows,
                  record.tileColumns};
    std::string kernel = view.string(record.name);
    status = module->kernel(kernel, launch.kernel);
    kernels.emplace(std::move(kernel), launch);
  }
  return status;
}

Status CudaLauncher::launch(const std::string &kernel, int64_t rows,
                            int64_t columns, int64_t *words) const {
  auto found = kernels.find(kernel);
  if (found == kernels.end())
    return missingKernel(kernel.c_str());
  const Launch &own = found->second;
  int64_t across = ceilDiv(columns, own.tileColumns);
  int64_t down = ceilDiv(rows, own.tileRows);
  if (across > mostBlocksAcross || down > mostBlocksDown)
    return {NDL_INVALID_ARGUMENT,
            kernel + ": " + std::to_string(across) + "x" +
                std::to_string(down) +
                " blocks are more than a CUDA device launches at once; divide "
                "the arrays"};
  cuda::LaunchShape shape;
  shape.grid[0] = static_cast<uint32_t>(across);
  shape.grid[1] = static_cast<uint32_t>(down);
  shape.block[0] = static_cast<uint32_t>(own.blockThreads);
  // One parameter: the words by value.
  void *parameters[] = {words};
  return cuda::launch(cuda.context(), *own.kernel, shape, parameters, "");
}

Status CudaLauncher::map(MapKernel kernel, LoopNest &nest,
                         const Scalar *scalars) const {
  const MapSignature &signature = signatureOf(kernel);
  MapWords words(nest, scalars, signature.numScalars);
  Odometer odometer(nest, words.outerDims());
  Status status;
  do {
    status = launch(signature.name, 1, words.elements(), words.at(nest));
  } while (status.ok() && odometer.next());
  return status;
}

Status CudaLauncher::reduce(ReduceKernel kernel, LoopNest &kept,
                            const LoopNest &reduced) const {
  ReduceWords words(kept, reduced);
  // Where the elements of one result lie side by side, a block takes them
  // together; where those of neighbouring results do, or where they are few, a
  // thread takes each result.
  bool threads = words.elements() < 32 ||
                 (words.reducedStride() != 1 && words.keptStride() == 1);
  std::string name = nameOf(kernel);
  if (threads)
    name += "_columns";
  Odometer odometer(kept, words.outerDims());
  Status status;
  do {
    status = launch(name, 1, words.results(), words.at(kept));
  } while (status.ok() && odometer.next());
  return status;
}

} // namespace ndl::eager

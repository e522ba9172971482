// Memory, elementwise operations and reductions on a CUDA device.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/cuda_launcher.h"

#include "cuda/launch.h"

#include <algorithm>

namespace ndl::eager {
namespace {

/// Dimensions that kernels loop over by themselves.
constexpr int32_t mapDims = 4, reduceDims = 2;
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

Status CudaLauncher::find(const std::string &kernel, Launch &launch) const {
  auto found = kernels.find(kernel);
  if (found == kernels.end())
    return missingKernel(kernel.c_str());
  launch = found->second;
  return {};
}

Status CudaLauncher::launch(const std::string &kernel, int64_t rows,
                            int64_t columns, Words words) const {
  Launch own;
  if (Status status = find(kernel, own); !status.ok())
    return status;
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
  void *parameters[] = {words.values};
  return cuda::launch(cuda.context(), *own.kernel, shape, parameters, "");
}

Status CudaLauncher::map(MapKernel kernel, LoopNest &nest,
                         const Scalar *scalars) const {
  const MapSignature &signature = signatureOf(kernel);
  int64_t words[64];
  size_t count = 0;
  int32_t outer = std::max(0, nest.rank - mapDims);
  int32_t padding = mapDims - (nest.rank - outer);
  int64_t elements = 1;
  for (int32_t d = 0; d < mapDims; ++d) {
    words[count] = d < padding ? 1 : nest.extents[outer + d - padding];
    elements *= words[count++];
  }
  size_t operands = count;
  for (int32_t i = 0; i < nest.numOperands; ++i) {
    ++count; // the pointer
    for (int32_t d = 0; d < mapDims; ++d)
      words[count++] =
          d < padding ? 0 : nest.operands[i].strides[outer + d - padding];
  }
  for (int32_t i = 0; i < signature.numScalars; ++i)
    words[count++] = static_cast<int64_t>(scalars[i].word);
  Odometer odometer(nest, outer);
  do {
    for (int32_t i = 0; i < nest.numOperands; ++i)
      words[operands + i * (mapDims + 1)] = addressOf(nest.operands[i].data);
    if (Status status = launch(signature.name, 1, elements, {words, count});
        !status.ok())
      return status;
  } while (odometer.next());
  return {};
}

Status CudaLauncher::reduce(ReduceKernel kernel, LoopNest &kept,
                            const LoopNest &reduced) const {
  int32_t outer = std::max(0, kept.rank - reduceDims);
  auto inner = [](const LoopNest &nest, const int64_t *values, int64_t none,
                  int64_t *words) {
    words[0] = nest.rank < 2 ? none : values[nest.rank - 2];
    words[1] = values[nest.rank - 1];
  };
  int64_t words[12];
  inner(kept, kept.extents, 1, words);
  inner(reduced, reduced.extents, 1, words + 2);
  inner(kept, kept.operands[0].strides, 0, words + 5);
  inner(kept, kept.operands[1].strides, 0, words + 8);
  inner(reduced, reduced.operands[0].strides, 0, words + 10);
  // Where the elements of one result lie side by side, a block takes them
  // together; where those of neighbouring results do, or where they are few, a
  // thread takes each result.
  int64_t results = words[0] * words[1], elements = words[2] * words[3];
  bool threads = elements < 32 || (words[11] != 1 && words[9] == 1);
  std::string name = nameOf(kernel);
  if (threads)
    name += "_columns";
  Odometer odometer(kept, outer);
  do {
    words[4] = addressOf(kept.operands[0].data);
    words[7] = addressOf(kept.operands[1].data);
    if (Status status = launch(name, 1, results, {words, 12}); !status.ok())
      return status;
  } while (odometer.next());
  return {};
}

} // namespace ndl::eager

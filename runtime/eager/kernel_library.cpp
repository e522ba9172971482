// The eager kernels of one artifact, ready to call.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/kernel_library.h"

#include "eager/device.h"

#include "body_selection.h"

#include <cstdlib>

namespace ndl::eager {
namespace {

constexpr MapSignature mapSignatures[] = {
#define NEEDLE_MAP_KERNEL(identifier, name, result, operand, operands,         \
                          scalars)                                             \
  {name, NDL_DTYPE_##result, NDL_DTYPE_##operand, operands, scalars},
#include "eager/kernels.def"
};

constexpr const char *reduceNames[] = {
#define NEEDLE_REDUCE_KERNEL(identifier, name) name,
#include "eager/kernels.def"
};

constexpr const char *contractionNames[] = {
#define NEEDLE_CONTRACTION_KERNEL(identifier, name, ...) name,
#include "eager/kernels.def"
};

/// Sets the task, if the artifact has the kernel.
void resolve(const NdlExecutable *artifact, const std::string &name,
             KernelSlot &slot) {
  NdlTask task;
  if (ndl_executable_find_kernel(artifact, name.c_str(), &task) == NDL_OK)
    slot.task = task;
}

/// The target to load: nothing for the best that the CPU can run, else the best
/// within the instruction set that NEEDLE_ISA names. Unlike a program, which is
/// compiled for the targets that its user names, the library has those that it
/// was built with.
Status chooseTarget(const void *data, size_t size, std::string &target) {
  const char *isa = std::getenv("NEEDLE_ISA");
  if (!isa || !*isa)
    return {};
  ArtifactView view;
  Status status =
      ArtifactView::parse(static_cast<const uint8_t *>(data), size, view);
  size_t chosen = 0;
  if (status.ok())
    status =
        selectBodyWithin(view, hostCpu(), isa, "set by NEEDLE_ISA", chosen);
  if (status.ok())
    target = view.string(view.bodies[chosen].target);
  return status;
}

} // namespace

const MapSignature &signatureOf(MapKernel kernel) {
  return mapSignatures[size_t(kernel)];
}

const char *nameOf(MapKernel kernel) { return signatureOf(kernel).name; }

const char *nameOf(ReduceKernel kernel) { return reduceNames[size_t(kernel)]; }

const char *nameOf(ContractionKernel kernel) {
  return contractionNames[size_t(kernel)];
}

Status missingKernel(const char *name) {
  return {NDL_NOT_FOUND,
          std::string("the kernel library has no kernel '") + name +
              "'; build needle and its kernels from the same sources"};
}

KernelLibrary::KernelLibrary(NdlRuntime *runtime) : runtime(runtime) {
  if (runtime)
    numThreads = ndl_runtime_threads(runtime);
}

KernelLibrary::KernelLibrary(std::unique_ptr<Device> device)
    : ownDevice(std::move(device)) {}

KernelLibrary::~KernelLibrary() { ndl_executable_destroy(artifact); }

Status KernelLibrary::load(const void *data, size_t size, NdlRuntime *runtime,
                           std::unique_ptr<KernelLibrary> &library) {
  auto loaded = std::make_unique<KernelLibrary>(runtime);
  std::string target;
  if (Status status = chooseTarget(data, size, target); !status.ok())
    return status.in("the kernel library");
  NdlLoadOptions options = NDL_LOAD_OPTIONS_INIT;
  options.target = target.c_str();
  options.borrow = 1;
  NdlStatus code = ndl_executable_load_memory(runtime, data, size, &options,
                                              &loaded->artifact);
  if (code != NDL_OK)
    return Status(code, ndl_last_error()).in("the kernel library");
  const NdlExecutable *artifact = loaded->artifact;
  loaded->numThreads = ndl_executable_threads(artifact);
  for (size_t i = 0; i < loaded->maps.size(); ++i)
    resolve(artifact, mapSignatures[i].name, loaded->maps[i]);
  for (size_t i = 0; i < loaded->reductions.size(); ++i)
    resolve(artifact, reduceNames[i], loaded->reductions[i]);
  for (size_t i = 0; i < loaded->contractions.size(); ++i) {
    std::string name = contractionNames[i];
    resolve(artifact, name, loaded->contractions[i].run);
    resolve(artifact, name + ".plan", loaded->contractions[i].plan);
    resolve(artifact, name + ".pack", loaded->contractions[i].pack);
    resolve(artifact, name + ".direct", loaded->contractions[i].direct);
  }
  library = std::move(loaded);
  return {};
}

const char *KernelLibrary::target() const {
  if (ownDevice)
    return ownDevice->target();
  return artifact ? ndl_executable_target(artifact) : "none";
}

Status allocate(const KernelLibrary &library, NdlDType dtype, int32_t rank,
                const int64_t *shape, View &view) {
  if (!library.device())
    return allocate(dtype, rank, shape, view);
  int64_t size;
  StoragePtr storage;
  Status status = checkShape(dtype, rank, shape, size);
  if (status.ok())
    status = library.device()->allocate(
        static_cast<size_t>(size * elementBytes(dtype)), storage);
  if (!status.ok())
    return status;
  placeView(std::move(storage), dtype, rank, shape, view);
  return {};
}

Status KernelLibrary::parallelFor(NdlTask task, void *context,
                                  int64_t count) const {
  NdlStatus code = ndl_runtime_parallel_for(runtime, task, context, count);
  return code == NDL_OK ? Status() : Status(code, ndl_last_error());
}

} // namespace ndl::eager

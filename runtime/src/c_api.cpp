// The C ABI of runtime.h, over the classes behind it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-rt/runtime.h"

#include "dtype.h"
#include "executable.h"
#include "similar_names.h"
#include "thread_count.h"

#include <cstdlib>
#include <cstring>

#include <pthread.h>

struct NdlRuntime {
  std::shared_ptr<ndl::ThreadPool> pool;
};

struct NdlExecutable {
  std::unique_ptr<ndl::Executable> impl;
};

namespace {

using ndl::Status;

thread_local std::string lastError;

/// Hands the outcome to the caller.
NdlStatus report(const Status &status) {
  if (!status.ok())
    lastError = status.message();
  return status.code();
}

NdlStatus invalid(const char *message) {
  return report({NDL_INVALID_ARGUMENT, message});
}

/// Whether a structure is one that some version of the header declared.
template <typename T>
bool hasValidSize(const T *options) {
  return !options || options->structSize == sizeof(T);
}

Status createPool(int32_t requested, std::shared_ptr<ndl::ThreadPool> &pool) {
  int32_t threads;
  Status status = ndl::resolveThreadCount(requested, threads);
  if (status.ok())
    pool = std::make_shared<ndl::ThreadPool>(threads);
  return status;
}

/// The pool of executables loaded without a runtime. Lives as long as the
/// process: executables may be destroyed at exit.
Status defaultPool(std::shared_ptr<ndl::ThreadPool> &pool) {
  static const struct Default {
    std::shared_ptr<ndl::ThreadPool> pool;
    Status status;
    Default() { status = createPool(0, pool); }
  } &shared = *new Default;
  pool = shared.pool;
  return shared.status;
}

ndl::Executable::Target chooseTarget(const NdlLoadOptions *options) {
  if (options && options->target && *options->target)
    return {options->target, "asked for by the caller"};
  const char *variable = std::getenv("NEEDLE_ISA");
  return {variable ? variable : "", "set by NEEDLE_ISA"};
}

Status load(NdlRuntime *runtime, ndl::ArtifactBytes bytes,
            const NdlLoadOptions *options, NdlExecutable **executable) {
  std::shared_ptr<ndl::ThreadPool> pool;
  if (runtime)
    pool = runtime->pool;
  else if (Status status = defaultPool(pool); !status.ok())
    return status;
  std::unique_ptr<ndl::Executable> loaded;
  Status status =
      ndl::Executable::load(std::move(bytes), chooseTarget(options),
                            ndl::hostCpu(), std::move(pool), loaded);
  if (status.ok())
    *executable = new NdlExecutable{std::move(loaded)};
  return status;
}

} // namespace

extern "C" {

const char *ndl_last_error(void) { return lastError.c_str(); }

const char *ndl_version(void) { return NEEDLE_VERSION_STRING; }

const char *ndl_dtype_name(NdlDType dtype) { return ndl::dtypeName(dtype); }

int32_t ndl_dtype_bits(NdlDType dtype) { return ndl::dtypeBits(dtype); }

const char *ndl_cpu_features(void) {
  static const std::string &text = *new std::string(ndl::formatFeatures(
      ndl::hostCpu().architecture, ndl::hostCpu().features));
  return text.c_str();
}

NdlStatus ndl_runtime_create(const NdlRuntimeOptions *options,
                             NdlRuntime **runtime) {
  if (!runtime || !hasValidSize(options))
    return invalid("ndl_runtime_create: null result or wrong structSize");
  if (options &&
      (options->device.type != NDL_DEVICE_CPU || options->device.index != 0))
    return report(
        {NDL_NOT_FOUND, "this runtime knows one device, the CPU with index 0"});
  std::shared_ptr<ndl::ThreadPool> pool;
  Status status = createPool(options ? options->threads : 0, pool);
  if (status.ok())
    *runtime = new NdlRuntime{std::move(pool)};
  return report(status);
}

void ndl_runtime_destroy(NdlRuntime *runtime) { delete runtime; }

int32_t ndl_runtime_threads(const NdlRuntime *runtime) {
  return static_cast<int32_t>(runtime->pool->threads());
}

NdlStatus ndl_runtime_parallel_for(NdlRuntime *runtime, NdlTask task,
                                   void *context, int64_t count) {
  if (!task)
    return invalid("ndl_runtime_parallel_for: null task");
  if (runtime) {
    runtime->pool->parallelFor(task, context, count);
    return NDL_OK;
  }
  std::shared_ptr<ndl::ThreadPool> pool;
  Status status = defaultPool(pool);
  if (status.ok())
    pool->parallelFor(task, context, count);
  return report(status);
}

NdlStatus ndl_executable_load_file(NdlRuntime *runtime, const char *path,
                                   const NdlLoadOptions *options,
                                   NdlExecutable **executable) {
  if (!path || !executable || !hasValidSize(options))
    return invalid("ndl_executable_load_file: null path or result, or wrong "
                   "structSize");
  ndl::ArtifactBytes bytes;
  Status status = ndl::ArtifactBytes::readFile(path, bytes);
  if (status.ok())
    status = load(runtime, std::move(bytes), options, executable);
  return report(status.in("'" + std::string(path) + "'"));
}

NdlStatus ndl_executable_load_memory(NdlRuntime *runtime, const void *data,
                                     size_t size, const NdlLoadOptions *options,
                                     NdlExecutable **executable) {
  if ((!data && size > 0) || !executable || !hasValidSize(options))
    return invalid("ndl_executable_load_memory: null data or result, or wrong "
                   "structSize");
  ndl::ArtifactBytes bytes;
  Status status = options && options->borrow
                      ? ndl::ArtifactBytes::borrow(data, size, bytes)
                      : ndl::ArtifactBytes::copy(data, size, bytes);
  if (status.ok())
    status = load(runtime, std::move(bytes), options, executable);
  return report(status);
}

NdlStatus ndl_executable_inspect_file(const char *path,
                                      NdlExecutable **executable) {
  if (!path || !executable)
    return invalid("ndl_executable_inspect_file: null path or result");
  ndl::ArtifactBytes bytes;
  std::unique_ptr<ndl::Executable> read;
  Status status = ndl::ArtifactBytes::readFile(path, bytes);
  if (status.ok())
    status = ndl::Executable::inspect(std::move(bytes), ndl::hostCpu(), read);
  if (status.ok())
    *executable = new NdlExecutable{std::move(read)};
  return report(status.in("'" + std::string(path) + "'"));
}

void ndl_executable_destroy(NdlExecutable *executable) { delete executable; }

size_t ndl_executable_entry_count(const NdlExecutable *executable) {
  return executable->impl->info->entries.size();
}

const NdlEntryInfo *ndl_executable_entry(const NdlExecutable *executable,
                                         size_t index) {
  const auto &entries = executable->impl->info->entries;
  return index < entries.size() ? &entries[index] : nullptr;
}

NdlStatus ndl_executable_find_entry(const NdlExecutable *executable,
                                    const char *name, size_t *index) {
  if (!name || !index)
    return invalid("ndl_executable_find_entry: null name or result");
  std::string list;
  const auto &entries = executable->impl->info->entries;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (std::strcmp(entries[i].name, name) == 0) {
      *index = i;
      return NDL_OK;
    }
    list += (i ? ", '" : "'") + std::string(entries[i].name) + "'";
  }
  return report({NDL_NOT_FOUND,
                 "there is no entry '" + std::string(name) +
                     "'; the artifact has: " + (list.empty() ? "none" : list)});
}

size_t ndl_executable_body_count(const NdlExecutable *executable) {
  return executable->impl->info->bodies.size();
}

const NdlBodyInfo *ndl_executable_body(const NdlExecutable *executable,
                                       size_t index) {
  const auto &bodies = executable->impl->info->bodies;
  return index < bodies.size() ? &bodies[index] : nullptr;
}

size_t ndl_executable_chosen_body(const NdlExecutable *executable) {
  return executable->impl->body;
}

const char *ndl_executable_target(const NdlExecutable *executable) {
  const ndl::Executable &impl = *executable->impl;
  return impl.canRun() ? impl.info->bodies[impl.body].target : "";
}

size_t ndl_executable_step_count(const NdlExecutable *executable,
                                 size_t entry) {
  const auto &steps = executable->impl->info->steps;
  return entry < steps.size() ? steps[entry].size() : 0;
}

const NdlStepInfo *ndl_executable_step(const NdlExecutable *executable,
                                       size_t entry, size_t step) {
  return step < ndl_executable_step_count(executable, entry)
             ? &executable->impl->info->steps[entry][step]
             : nullptr;
}

size_t ndl_executable_kernel_count(const NdlExecutable *executable) {
  return executable->impl->view.kernels.size;
}

const char *ndl_executable_kernel_name(const NdlExecutable *executable,
                                       size_t index) {
  const ndl::ArtifactView &view = executable->impl->view;
  return index < view.kernels.size ? view.string(view.kernels[index].name)
                                   : nullptr;
}

NdlStatus ndl_executable_find_kernel(const NdlExecutable *executable,
                                     const char *name, NdlTask *kernel) {
  if (!name || !kernel)
    return invalid("ndl_executable_find_kernel: null name or result");
  if (Status status = executable->impl->checkBody(); !status.ok())
    return report(status);
  if (NdlTask found = executable->impl->findKernel(name)) {
    *kernel = found;
    return NDL_OK;
  }
  std::vector<std::string_view> names;
  names.reserve(ndl_executable_kernel_count(executable));
  for (size_t i = 0; i < ndl_executable_kernel_count(executable); ++i)
    names.emplace_back(ndl_executable_kernel_name(executable, i));
  return report({NDL_NOT_FOUND, ndl::noSuchName("kernel", name, names)});
}

const char *ndl_executable_metadata(const NdlExecutable *executable,
                                    const char *key) {
  return key ? executable->impl->view.metadataValue(key) : nullptr;
}

size_t ndl_executable_size(const NdlExecutable *executable) {
  return executable->impl->bytes.size;
}

int32_t ndl_executable_threads(const NdlExecutable *executable) {
  const auto &pool = executable->impl->pool;
  return pool ? static_cast<int32_t>(pool->threads()) : 0;
}

NdlStatus ndl_executable_output_shapes(NdlExecutable *executable, size_t entry,
                                       const NdlTensor *inputs,
                                       size_t numInputs, int64_t *dims,
                                       size_t capacity) {
  if ((!inputs && numInputs > 0) || (!dims && capacity > 0))
    return invalid("ndl_executable_output_shapes: null inputs or result");
  return report(executable->impl->outputShapes(entry, {inputs, numInputs}, dims,
                                               capacity));
}

NdlStatus ndl_executable_invoke(NdlExecutable *executable, size_t entry,
                                const NdlTensor *inputs, size_t numInputs,
                                const NdlTensor *outputs, size_t numOutputs) {
  if ((!inputs && numInputs > 0) || (!outputs && numOutputs > 0))
    return invalid("ndl_executable_invoke: null inputs or outputs");
  return report(executable->impl->invoke(entry, {inputs, numInputs},
                                         {outputs, numOutputs}));
}

void ndl_executable_release_memory(NdlExecutable *executable) {
  executable->impl->scratch.clear();
}

void ndl_executable_set_profiling(NdlExecutable *executable, int32_t enabled) {
  executable->impl->profiling.store(enabled != 0, std::memory_order_relaxed);
}

NdlStatus ndl_executable_step_stats(const NdlExecutable *executable,
                                    size_t entry, size_t step,
                                    NdlStepStats *stats) {
  if (!stats)
    return invalid("ndl_executable_step_stats: null result");
  if (step >= ndl_executable_step_count(executable, entry))
    return report({NDL_NOT_FOUND, "entry " + std::to_string(entry) +
                                      " has no step " + std::to_string(step)});
  *stats = executable->impl->counters[entry]->read(step);
  return NDL_OK;
}

void ndl_executable_reset_stats(NdlExecutable *executable) {
  for (auto &counters : executable->impl->counters)
    counters->reset();
}

} // extern "C"

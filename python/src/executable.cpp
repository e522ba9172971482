// A loaded artifact that is called with NumPy arrays.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "executable.h"
#include "bindings.h"
#include "errors.h"

#include <cstring>
#include <map>

using namespace needle::python;

/// The runtime with this number of threads; null for the default one. There is
/// one for each number: executables share its threads. Called with the GIL.
static NdlRuntime *getRuntime(int32_t threads) {
  if (threads == 0)
    return nullptr;
  static auto *runtimes = new std::map<int32_t, NdlRuntime *>;
  NdlRuntime *&runtime = (*runtimes)[threads];
  if (!runtime) {
    NdlRuntimeOptions options = NDL_RUNTIME_OPTIONS_INIT;
    options.threads = threads;
    check(ndl_runtime_create(&options, &runtime));
  }
  return runtime;
}

/// What one invocation needs.
struct Executable::Arguments {
  std::unique_ptr<BorrowedTensor[]> borrowed;
  std::unique_ptr<NdlTensor[]> inputs;
  std::unique_ptr<NdlTensor[]> outputs;
  std::unique_ptr<int64_t[]> outputDims;
  nb::object results;
};

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

Executable::Executable(const nb::bytes &artifact,
                       const std::optional<std::string> &target,
                       int32_t threads,
                       const std::optional<std::string> &entryName)
    : size(artifact.size()) {
  // Memory of our own, which the runtime can use in place.
  bytes = ndl::allocateAligned(size);
  if (!bytes)
    throw std::bad_alloc();
  std::memcpy(bytes.get(), artifact.data(), size);
  handle = load(target ? target->c_str() : nullptr, threads);
  try {
    chooseEntry(entryName);
  } catch (...) {
    ndl_executable_destroy(handle);
    throw;
  }
  for (size_t i = 0; i < info->numInputs; ++i)
    inputNames.emplace_back(info->inputs[i].name);
  lastOutputs.resize(info->numOutputs);
  for (size_t i = 0; i < info->numOutputs; ++i) {
    const NdlTensorInfo &output = info->outputs[i];
    numOutputDims += output.rank;
    for (int32_t axis = 0; axis < output.rank; ++axis)
      hasStaticOutputs &= output.dims[axis] != NDL_DYNAMIC;
  }
}

Executable::~Executable() {
  nb::gil_scoped_release release;
  ndl_executable_destroy(handle);
}

NdlExecutable *Executable::load(const char *target, int32_t threads) const {
  NdlLoadOptions options = NDL_LOAD_OPTIONS_INIT;
  options.target = target;
  options.borrow = 1;
  NdlRuntime *runtime = getRuntime(threads);
  NdlExecutable *executable = nullptr;
  NdlStatus status;
  {
    nb::gil_scoped_release release;
    status = ndl_executable_load_memory(runtime, bytes.get(), size, &options,
                                        &executable);
  }
  check(status);
  return executable;
}

void Executable::chooseEntry(const std::optional<std::string> &name) {
  if (name || ndl_executable_entry_count(handle) != 1)
    check(ndl_executable_find_entry(handle, name ? name->c_str() : "main",
                                    &entry));
  info = ndl_executable_entry(handle, entry);
}

//===----------------------------------------------------------------------===//
// Calling
//===----------------------------------------------------------------------===//

void Executable::failArguments(const nb::args &args,
                               const nb::kwargs &kwargs) const {
  std::string names;
  for (size_t i = 0; i < info->numInputs; ++i)
    names += (i ? ", '" : "'") + std::string(info->inputs[i].name) + "'";
  std::string function = std::string(info->name) + "()";
  size_t given = args.size() + kwargs.size();
  if (given != info->numInputs)
    raise(PyExc_TypeError, function + " takes " +
                               std::to_string(info->numInputs) + " inputs (" +
                               names + "), got " + std::to_string(given));
  for (auto [key, value] : kwargs) {
    std::string name = nb::str(key).c_str();
    for (size_t i = 0; i < info->numInputs; ++i)
      if (i < args.size() && name == info->inputs[i].name)
        raise(PyExc_TypeError, function + " got input '" + name +
                                   "' twice, by place and by name");
    bool isKnown = false;
    for (size_t i = 0; i < info->numInputs; ++i)
      isKnown |= name == info->inputs[i].name;
    if (!isKnown)
      raise(PyExc_TypeError,
            function + " has no input '" + name + "'; the inputs are " + names);
  }
  raise(PyExc_TypeError, function + " takes the inputs " + names);
}

nb::handle Executable::findInput(size_t index, const nb::args &args,
                                 const nb::kwargs &kwargs) const {
  if (index < args.size())
    return PyTuple_GET_ITEM(args.ptr(), index);
  PyObject *found =
      PyDict_GetItemWithError(kwargs.ptr(), inputNames[index].ptr());
  if (!found)
    failArguments(args, kwargs);
  return found;
}

/// Memory that was just freed goes back to the system, which clears it page by
/// page when it is touched again: for large results that costs more than the
/// whole rest of a call. So the array of the last call is used again once its
/// receiver has let go of it.
nb::object Executable::makeOutput(size_t index, const int64_t *shape,
                                  void *&data) {
  const NdlTensorInfo &output = info->outputs[index];
  nb::object &last = lastOutputs[index];
  nb::object array = reuseArray(last, output.dtype, shape, output.rank, data);
  if (array.is_valid())
    return array;
  array = makeArray(output.dtype, shape, output.rank, data);
  size_t bytes = ndl_dtype_bits(output.dtype) / 8;
  for (int32_t axis = 0; axis < output.rank; ++axis)
    bytes *= shape[axis];
  last = bytes <= mostKeptBytes ? array : nb::object();
  return array;
}

void Executable::bind(const nb::args &args, const nb::kwargs &kwargs,
                      Arguments &bound) {
  size_t numInputs = info->numInputs, numOutputs = info->numOutputs;
  if (args.size() + kwargs.size() != numInputs)
    failArguments(args, kwargs);
  bound.borrowed = std::make_unique<BorrowedTensor[]>(numInputs);
  bound.inputs = std::make_unique<NdlTensor[]>(numInputs);
  for (size_t i = 0; i < numInputs; ++i) {
    bound.borrowed[i].borrow(findInput(i, args, kwargs), info->inputs[i],
                             "input");
    bound.inputs[i] = bound.borrowed[i].tensor();
  }

  const int64_t *dims = nullptr;
  if (!hasStaticOutputs) {
    bound.outputDims = std::make_unique<int64_t[]>(numOutputDims);
    check(ndl_executable_output_shapes(handle, entry, bound.inputs.get(),
                                       numInputs, bound.outputDims.get(),
                                       numOutputDims));
    dims = bound.outputDims.get();
  }
  bound.outputs = std::make_unique<NdlTensor[]>(numOutputs);
  if (numOutputs != 1)
    bound.results = nb::steal(PyTuple_New(numOutputs));
  for (size_t i = 0; i < numOutputs; ++i) {
    const NdlTensorInfo &output = info->outputs[i];
    const int64_t *shape = hasStaticOutputs ? output.dims : dims;
    dims += hasStaticOutputs ? 0 : output.rank;
    void *data = nullptr;
    nb::object array = makeOutput(i, shape, data);
    bound.outputs[i] = {data,  output.dtype, output.rank,
                        shape, nullptr,      {NDL_DEVICE_CPU, 0}};
    if (numOutputs == 1)
      bound.results = std::move(array);
    else
      PyTuple_SET_ITEM(bound.results.ptr(), i, array.release().ptr());
  }
}

nb::object Executable::call(const nb::args &args, const nb::kwargs &kwargs) {
  Arguments bound;
  bind(args, kwargs, bound);
  NdlStatus status;
  {
    nb::gil_scoped_release release;
    status = ndl_executable_invoke(handle, entry, bound.inputs.get(),
                                   info->numInputs, bound.outputs.get(),
                                   info->numOutputs);
  }
  check(status);
  return std::move(bound.results);
}

//===----------------------------------------------------------------------===//
// Looking inside
//===----------------------------------------------------------------------===//

nb::list Executable::profile(int64_t runs, const nb::args &args,
                             const nb::kwargs &kwargs) {
  Arguments bound;
  bind(args, kwargs, bound);
  // Other threads may be running this executable; their steps are not ours.
  NdlExecutable *copy = load(getTarget(), getThreads());
  ndl_executable_set_profiling(copy, 1);
  NdlStatus status = NDL_OK;
  {
    nb::gil_scoped_release release;
    for (int64_t i = 0; i < runs && status == NDL_OK; ++i)
      status = ndl_executable_invoke(copy, entry, bound.inputs.get(),
                                     info->numInputs, bound.outputs.get(),
                                     info->numOutputs);
  }
  nb::list times;
  for (size_t i = 0; i < ndl_executable_step_count(copy, entry); ++i) {
    NdlStepStats stats = {};
    ndl_executable_step_stats(copy, entry, i, &stats);
    times.append(nb::make_tuple(stats.timedCalls, stats.totalNs, stats.minNs));
  }
  ndl_executable_destroy(copy);
  check(status);
  return times;
}

nb::list Executable::getSteps() const {
  nb::list steps;
  for (size_t i = 0; i < ndl_executable_step_count(handle, entry); ++i) {
    const NdlStepInfo *step = ndl_executable_step(handle, entry, i);
    NdlStepStats stats = {};
    check(ndl_executable_step_stats(handle, entry, i, &stats));
    steps.append(nb::make_tuple(step->kernel, step->op, step->location,
                                step->note, step->target, step->macs,
                                stats.calls));
  }
  return steps;
}

nb::list Executable::getBodies() const {
  nb::list bodies;
  for (size_t i = 0; i < ndl_executable_body_count(handle); ++i) {
    const NdlBodyInfo *body = ndl_executable_body(handle, i);
    bodies.append(nb::make_tuple(body->target, body->architecture,
                                 body->features, body->missing, body->codeBytes,
                                 body->weightBytes));
  }
  return bodies;
}

std::optional<std::string>
Executable::getMetadata(const std::string &key) const {
  const char *value = ndl_executable_metadata(handle, key.c_str());
  if (!value)
    return std::nullopt;
  return value;
}

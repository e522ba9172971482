// A loaded artifact that is called with NumPy arrays.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_PYTHON_EXECUTABLE_H
#define NEEDLE_PYTHON_EXECUTABLE_H

#include "arrays.h"
#include "src/aligned_memory.h"

#include <memory>
#include <nanobind/nanobind.h>
#include <optional>
#include <string>
#include <vector>

namespace needle::python {

/// One entry point of an artifact.
class Executable {
public:
  /// Loads a copy of `artifact`. `target` chooses the body, else NEEDLE_ISA or
  /// the CPU does; `threads` 0 stands for the process's own number; `entryName`
  /// may be absent when there is an entry "main" or only one.
  Executable(const nb::bytes &artifact,
             const std::optional<std::string> &target, int32_t threads,
             const std::optional<std::string> &entryName);
  Executable(const Executable &) = delete;
  ~Executable();

  /// Runs the entry point. Returns an array, or a tuple of several.
  nb::object call(const nb::args &args, const nb::kwargs &kwargs);

  /// Runs the entry point, whose shapes are static, on native NDArrays and
  /// Python numbers (for inputs without dimensions). `outputs` is a list with
  /// one object for each output: an array there that nothing else refers to is
  /// written to, any other is replaced by a new one, on the device of `like`.
  /// Outputs are committed if an input is. Returns false, and runs nothing, if
  /// an input has not the type and shape of the signature.
  bool runArrays(const nb::list &inputs, const nb::list &outputs,
                 nb::handle like);

  /// Runs it `runs` times on a private copy of the executable, with timing.
  /// Returns (calls, total ns, least ns) of each step.
  nb::list profile(int64_t runs, const nb::args &args,
                   const nb::kwargs &kwargs);

  /// (kernel, op, location, note, target, macs, calls) of each step.
  nb::list getSteps() const;
  /// (target, architecture, features, missing features, code bytes, weight
  /// bytes) of each body.
  nb::list getBodies() const;
  nb::tuple describe() const { return describeEntry(*info); }
  const char *getTarget() const { return ndl_executable_target(handle); }
  int32_t getThreads() const { return ndl_executable_threads(handle); }
  size_t getSize() const { return size; }
  nb::bytes getArtifact() const { return nb::bytes(bytes.get(), size); }
  std::optional<std::string> getMetadata(const std::string &key) const;

private:
  struct Arguments;

  NdlExecutable *load(const char *target, int32_t threads) const;
  void chooseEntry(const std::optional<std::string> &name);
  void bind(const nb::args &args, const nb::kwargs &kwargs, Arguments &bound);
  nb::handle findInput(size_t index, const nb::args &args,
                       const nb::kwargs &kwargs) const;
  [[noreturn]] void failArguments(const nb::args &args,
                                  const nb::kwargs &kwargs) const;

  /// The array for output `index` of a call.
  nb::object makeOutput(size_t index, const int64_t *shape, void *&data);

  /// The largest result that an executable keeps memory for.
  static constexpr size_t mostKeptBytes = size_t(64) << 20;

  ndl::AlignedMemory bytes;
  size_t size = 0;
  NdlExecutable *handle = nullptr;
  size_t entry = 0;
  std::vector<nb::object> lastOutputs; ///< as makeArray made them
  const NdlEntryInfo *info = nullptr;
  std::vector<nb::str> inputNames;
  size_t numOutputDims = 0;
  /// Whether the shapes of all outputs are known without those of the inputs.
  bool hasStaticOutputs = true;
};

} // namespace needle::python

#endif // NEEDLE_PYTHON_EXECUTABLE_H

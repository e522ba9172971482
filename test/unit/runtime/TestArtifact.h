// An artifact with code that runs on the host, and ways to call it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_TEST_UNIT_RUNTIME_TESTARTIFACT_H
#define NEEDLE_TEST_UNIT_RUNTIME_TESTARTIFACT_H

#include "needle-rt/artifact_reader.h"
#include "needle-rt/artifact_writer.h"
#include "needle-rt/runtime.h"

#include <memory>
#include <string>
#include <vector>

namespace ndl::test {

/// The entries of Inputs/kernels.c with four bodies: "base" (adds 1) and "fast"
/// (adds 2, preferred) run everywhere; "alien" is for another architecture,
/// "future" (most preferred) needs feature bits 62 and 63.
ArtifactModel makeModel();

/// A model of a few hundred bytes, never run, that uses every kind of record.
ArtifactModel makeSmallModel();

/// Entries of makeModel.
enum Entry : size_t { Affine, Add, Nest, Halve, Wrong, Fill };

/// Bytes of a model; fails the test if it does not serialize.
std::vector<uint8_t> bytesOf(const ArtifactModel &model);

struct Destroy {
  void operator()(NdlRuntime *runtime) const { ndl_runtime_destroy(runtime); }
  void operator()(NdlExecutable *executable) const {
    ndl_executable_destroy(executable);
  }
};
using RuntimePtr = std::unique_ptr<NdlRuntime, Destroy>;
using ExecutablePtr = std::unique_ptr<NdlExecutable, Destroy>;

RuntimePtr makeRuntime(int32_t threads);
/// Loads makeModel(), on a new runtime with that many threads.
ExecutablePtr loadModel(int32_t threads = 2, const char *target = nullptr);

template <typename T>
constexpr NdlDType dtypeOf();
template <>
constexpr NdlDType dtypeOf<float>() {
  return NDL_DTYPE_F32;
}
template <>
constexpr NdlDType dtypeOf<double>() {
  return NDL_DTYPE_F64;
}
template <>
constexpr NdlDType dtypeOf<uint8_t>() {
  return NDL_DTYPE_U8;
}
template <>
constexpr NdlDType dtypeOf<int32_t>() {
  return NDL_DTYPE_I32;
}

/// A tensor over memory, shape and strides that someone else owns.
template <typename T>
NdlTensor tensor(T *data, const std::vector<int64_t> &shape,
                 const int64_t *strides = nullptr) {
  return {const_cast<std::remove_const_t<T> *>(data),
          dtypeOf<std::remove_const_t<T>>(),
          static_cast<int32_t>(shape.size()),
          shape.data(),
          strides,
          {NDL_DEVICE_CPU, 0}};
}

/// Calls ndl_executable_invoke.
NdlStatus invoke(NdlExecutable *executable, size_t entry,
                 const std::vector<NdlTensor> &inputs,
                 const std::vector<NdlTensor> &outputs);

/// What entry affine returns for one element, in the body that adds `body`.
float affine(float x, int64_t column, float body);

/// A directory that is removed with all it holds.
class TemporaryDirectory {
public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  std::string file(const std::string &name) const { return path + "/" + name; }
  /// Names of the files in it, sorted.
  std::vector<std::string> list() const;

  std::string path;
};

std::vector<uint8_t> readBytes(const std::string &path);

/// Sets an environment variable while it lives.
class ScopedVariable {
public:
  ScopedVariable(const char *name, const char *value);
  ~ScopedVariable();

private:
  std::string name;
  std::string old;
  bool wasSet;
};

} // namespace ndl::test

#endif // NEEDLE_TEST_UNIT_RUNTIME_TESTARTIFACT_H

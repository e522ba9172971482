// Kernel libraries to test, random views, and naive access to them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_TEST_UNIT_RUNTIME_EAGER_EAGERTEST_H
#define NEEDLE_TEST_UNIT_RUNTIME_EAGER_EAGERTEST_H

#include "../TestArtifact.h"
#include "eager/copy.h"
#include "eager/elementwise.h"
#include "eager/kernel_library.h"
#include "eager/view.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace ndl::test {

/// "reference", or the target of a body of the kernel artifact, and a number of
/// threads.
struct LibraryChoice {
  std::string kernels;
  int32_t threads;
};
std::ostream &operator<<(std::ostream &stream, const LibraryChoice &choice);

/// The targets of the embedded kernels that this CPU can run.
std::vector<std::string> embeddedTargets();

/// The kernels that this program can test.
std::vector<LibraryChoice> libraryChoices();
std::string choiceName(const testing::TestParamInfo<LibraryChoice> &info);

/// That library, on that runtime.
std::unique_ptr<eager::KernelLibrary> makeLibrary(const LibraryChoice &choice,
                                                  NdlRuntime *runtime);

/// Tests that run with each of several kernel libraries.
class EagerTest : public testing::TestWithParam<LibraryChoice> {
protected:
  EagerTest();

  bool usesReference() const { return GetParam().kernels == "reference"; }

  RuntimePtr runtime;
  std::unique_ptr<eager::KernelLibrary> owner;
  eager::KernelLibrary &library;
  uint32_t seed;
  std::mt19937 random;
  testing::ScopedTrace trace;
};

#define NEEDLE_INSTANTIATE_EAGER_TEST(SUITE)                                   \
  INSTANTIATE_TEST_SUITE_P(Kernels, SUITE,                                     \
                           testing::ValuesIn(libraryChoices()), choiceName)

#define ASSERT_OK(...)                                                         \
  do {                                                                         \
    ndl::Status status_ = (__VA_ARGS__);                                       \
    ASSERT_TRUE(status_.ok()) << status_.message();                            \
  } while (false)

/// Fails unless `status` is an error of this code whose message has `part`.
void expectError(const Status &status, NdlStatus code, const std::string &part);

using Shape = std::vector<int64_t>;

Shape shapeOf(const eager::View &view);
int64_t sizeOf(const Shape &shape);
/// Calls `body` for each index into the shape, in row-major order.
void forEachIndex(const Shape &shape,
                  const std::function<void(const Shape &)> &body);

/// The element at an index, or at that index broadcast to the view.
template <typename T = float>
T &at(const eager::View &view, const Shape &index) {
  int64_t offset = 0;
  size_t added = index.size() - static_cast<size_t>(view.rank);
  for (int32_t d = 0; d < view.rank; ++d)
    if (view.shape[d] > 1)
      offset += index[added + d] * view.strides[d];
  return reinterpret_cast<T *>(view.data())[offset];
}

/// All elements in row-major order.
template <typename T = float>
std::vector<T> elements(const eager::View &view) {
  std::vector<T> values;
  forEachIndex(shapeOf(view), [&](const Shape &index) {
    values.push_back(at<T>(view, index));
  });
  return values;
}

/// A contiguous array of a type, each element set by `next`.
eager::View makeArray(const Shape &shape, NdlDType dtype,
                      const std::function<double()> &next);
/// Of small integers, on which f32 arithmetic is mostly exact.
eager::View makeIntegers(std::mt19937 &random, const Shape &shape,
                         NdlDType dtype = NDL_DTYPE_F32);
/// 0, 1, 2, …
eager::View makeCounting(const Shape &shape, NdlDType dtype = NDL_DTYPE_F32);

/// Extents from 0 or 1 up to about `most`, the product at most `maxSize`.
Shape randomShape(std::mt19937 &random, int32_t maxRank, int64_t most,
                  int64_t maxSize = 4096);

/// A view of this shape with any strides and offset into a larger array of
/// small integers: permuted, with steps, backwards and, unless it is to be
/// written to, broadcast.
eager::View randomView(std::mt19937 &random, const Shape &shape,
                       NdlDType dtype = NDL_DTYPE_F32, bool writable = false);

/// The shape with random dimensions set to 1 and leading ones dropped: it
/// broadcasts to `shape`.
Shape randomBroadcastable(std::mt19937 &random, const Shape &shape);

} // namespace ndl::test

#endif // NEEDLE_TEST_UNIT_RUNTIME_EAGER_EAGERTEST_H

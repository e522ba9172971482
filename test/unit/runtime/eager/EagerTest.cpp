// Kernel libraries to test, random views, and naive access to them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "EagerTest.h"

#include "ReferenceKernels.h"

#ifdef NEEDLE_TEST_EMBEDDED_KERNELS
#include "body_selection.h"
#include "eager/embedded_kernels.h"
#endif

#include <algorithm>
#include <numeric>

namespace ndl::test {

using eager::KernelLibrary;
using eager::View;

std::ostream &operator<<(std::ostream &stream, const LibraryChoice &choice) {
  return stream << choice.kernels << " with " << choice.threads << " threads";
}

#ifdef NEEDLE_TEST_EMBEDDED_KERNELS
std::vector<std::string> embeddedTargets() {
  eager::EmbeddedArtifact artifact = eager::embeddedKernels();
  ArtifactView view;
  Status status = ArtifactView::parse(artifact.data, artifact.size, view);
  EXPECT_TRUE(status.ok()) << status.message();
  std::vector<std::string> targets;
  for (const NdlBodyRecord &body : view.bodies)
    if (missingFeatures(body, hostCpu()).empty())
      targets.emplace_back(view.string(body.target));
  return targets;
}
#endif

std::vector<LibraryChoice> libraryChoices() {
#ifdef NEEDLE_TEST_EMBEDDED_KERNELS
  std::vector<LibraryChoice> choices;
  for (const std::string &target : embeddedTargets())
    for (int32_t threads : {1, 3})
      choices.push_back({target, threads});
  return choices;
#else
  return {{"reference", 1}, {"reference", 3}};
#endif
}

std::string choiceName(const testing::TestParamInfo<LibraryChoice> &info) {
  std::string name =
      info.param.kernels + "_" + std::to_string(info.param.threads);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::unique_ptr<KernelLibrary> makeLibrary(const LibraryChoice &choice,
                                           NdlRuntime *runtime) {
  auto library = std::make_unique<KernelLibrary>(runtime);
#ifdef NEEDLE_TEST_EMBEDDED_KERNELS
  ScopedVariable isa("NEEDLE_ISA", choice.kernels.c_str());
  eager::EmbeddedArtifact artifact = eager::embeddedKernels();
  Status status =
      KernelLibrary::load(artifact.data, artifact.size, runtime, library);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(library->target(), choice.kernels);
#else
  EXPECT_EQ(choice.kernels, "reference");
  addReferenceMaps(*library);
  addReferenceReductions(*library);
  addReferenceContractions(*library);
#endif
  return library;
}

EagerTest::EagerTest()
    : runtime(makeRuntime(GetParam().threads)),
      owner(makeLibrary(GetParam(), runtime.get())), library(*owner),
      seed(std::random_device()()), random(seed),
      trace(__FILE__, __LINE__, "seed " + std::to_string(seed)) {
  EXPECT_EQ(library.threads(), GetParam().threads);
}

void expectError(const Status &status, NdlStatus code,
                 const std::string &part) {
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(part), std::string::npos)
      << "no '" << part << "' in: " << status.message();
}

Shape shapeOf(const View &view) {
  return Shape(view.shape, view.shape + view.rank);
}

int64_t sizeOf(const Shape &shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<>());
}

void forEachIndex(const Shape &shape,
                  const std::function<void(const Shape &)> &body) {
  Shape index(shape.size(), 0);
  for (int64_t count = sizeOf(shape); count > 0; --count) {
    body(index);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d])
        break;
      index[d] = 0;
    }
  }
}

View makeArray(const Shape &shape, NdlDType dtype,
               const std::function<double()> &next) {
  View view;
  Status status = eager::allocate(dtype, static_cast<int32_t>(shape.size()),
                                  shape.data(), view);
  EXPECT_TRUE(status.ok()) << status.message();
  for (int64_t i = 0; i < sizeOf(shape); ++i) {
    double value = next();
    if (dtype == NDL_DTYPE_F32)
      reinterpret_cast<float *>(view.data())[i] = static_cast<float>(value);
    else if (dtype == NDL_DTYPE_I32)
      reinterpret_cast<int32_t *>(view.data())[i] = static_cast<int32_t>(value);
    else
      view.data()[i] = static_cast<uint8_t>(value);
  }
  return view;
}

View makeIntegers(std::mt19937 &random, const Shape &shape, NdlDType dtype) {
  int low = dtype == NDL_DTYPE_U8 ? 0 : -100;
  int high = dtype == NDL_DTYPE_U8 ? 255 : 100;
  std::uniform_int_distribution<int> distribution(low, high);
  return makeArray(shape, dtype, [&] { return distribution(random); });
}

View makeCounting(const Shape &shape, NdlDType dtype) {
  double next = 0;
  return makeArray(shape, dtype, [&] { return next++; });
}

namespace {

int64_t uniform(std::mt19937 &random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

} // namespace

Shape randomShape(std::mt19937 &random, int32_t maxRank, int64_t most,
                  int64_t maxSize) {
  Shape shape(uniform(random, 0, maxRank));
  int64_t size = 1;
  for (int64_t &extent : shape) {
    extent = uniform(random, uniform(random, 0, 7) == 0 ? 0 : 1, most);
    extent = std::min(extent, std::max<int64_t>(1, maxSize / size));
    size *= std::max<int64_t>(1, extent);
  }
  return shape;
}

View randomView(std::mt19937 &random, const Shape &shape, NdlDType dtype,
                bool writable) {
  auto rank = static_cast<int32_t>(shape.size());
  // The order of the dimensions in memory.
  std::vector<int32_t> order(shape.size());
  std::iota(order.begin(), order.end(), 0);
  if (uniform(random, 0, 1))
    std::shuffle(order.begin(), order.end(), random);
  bool plain = uniform(random, 0, 2) == 0;
  Shape base(shape.size()), strides(shape.size());
  int64_t stride = 1, offset = 0;
  for (size_t i = shape.size(); i-- > 0;) {
    int32_t d = order[i];
    bool broadcast = !writable && uniform(random, 0, 5) == 0;
    int64_t step = plain ? 1 : uniform(random, 1, 3);
    int64_t room =
        (broadcast ? 1 : shape[d]) * step + (plain ? 0 : uniform(random, 0, 2));
    strides[d] = broadcast ? 0 : stride * step;
    if (!broadcast && !plain && shape[d] > 0 && uniform(random, 0, 2) == 0) {
      offset += (shape[d] - 1) * strides[d];
      strides[d] = -strides[d];
    }
    stride *= std::max<int64_t>(1, room);
  }
  View memory = makeIntegers(random, {stride}, dtype);
  View view;
  Status status = eager::makeView(memory.storage, dtype, rank, shape.data(),
                                  strides.data(), offset, view);
  EXPECT_TRUE(status.ok()) << status.message();
  return view;
}

Shape randomBroadcastable(std::mt19937 &random, const Shape &shape) {
  Shape result = shape;
  for (int64_t &extent : result)
    if (uniform(random, 0, 3) == 0)
      extent = 1;
  size_t dropped = 0;
  while (dropped < result.size() && uniform(random, 0, 4) == 0)
    ++dropped;
  result.erase(result.begin(), result.begin() + dropped);
  return result;
}

} // namespace ndl::test

// Compares the declarations of the driver API with those of a CUDA toolkit.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/driver_abi.h"

#include <gtest/gtest.h>

// All versions of the functions are declared, and no name is mapped to another.
#define __CUDA_API_VERSION_INTERNAL
#include <cuda.h>

#include <type_traits>

namespace ndl::test {
namespace {

#define EXPECT_SAME_VALUE(name)                                                \
  static_assert(static_cast<int>(::name) == static_cast<int>(cuda::name));
#define NEEDLE_CUDA_RESULT(name, value, text) EXPECT_SAME_VALUE(name)
#define NEEDLE_CUDA_DEVICE_ATTRIBUTE(name, value) EXPECT_SAME_VALUE(name)
#define NEEDLE_CUDA_FUNCTION_ATTRIBUTE(name, value) EXPECT_SAME_VALUE(name)
#define NEEDLE_CUDA_POINTER_ATTRIBUTE(name, value) EXPECT_SAME_VALUE(name)
#define NEEDLE_CUDA_JIT_OPTION(name, value) EXPECT_SAME_VALUE(name)
#define NEEDLE_CUDA_CONSTANT(type, name, value) EXPECT_SAME_VALUE(name)
#include "cuda/driver_values.def"

static_assert(cuda::kMemHostAllocPortable == CU_MEMHOSTALLOC_PORTABLE);
static_assert(cuda::kMemHostAllocDeviceMap == CU_MEMHOSTALLOC_DEVICEMAP);
static_assert(cuda::kMemHostAllocWriteCombined ==
              CU_MEMHOSTALLOC_WRITECOMBINED);
static_assert(cuda::kLaunchParamEnd == CU_LAUNCH_PARAM_END_AS_INT);
static_assert(cuda::kLaunchParamBufferPointer ==
              CU_LAUNCH_PARAM_BUFFER_POINTER_AS_INT);
static_assert(cuda::kLaunchParamBufferSize ==
              CU_LAUNCH_PARAM_BUFFER_SIZE_AS_INT);

/// Whether two types are passed alike: pointers to things of the same size,
/// numbers of the same size and kind.
template <typename Ours, typename Theirs>
constexpr bool samePassing() {
  if constexpr (std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>) {
    using OurTarget = std::remove_cv_t<std::remove_pointer_t<Ours>>;
    using TheirTarget = std::remove_cv_t<std::remove_pointer_t<Theirs>>;
    // Handles point to types that are defined nowhere.
    if constexpr (std::is_class_v<OurTarget> || std::is_class_v<TheirTarget>)
      return std::is_class_v<OurTarget> && std::is_class_v<TheirTarget>;
    else if constexpr (std::is_void_v<OurTarget> || std::is_void_v<TheirTarget>)
      return std::is_void_v<OurTarget> && std::is_void_v<TheirTarget>;
    else
      return samePassing<OurTarget, TheirTarget>();
  } else if constexpr (std::is_pointer_v<Ours> || std::is_pointer_v<Theirs>) {
    return false;
  } else {
    return sizeof(Ours) == sizeof(Theirs) &&
           (std::is_enum_v<Ours> ||
            std::is_signed_v<Ours> == std::is_signed_v<Theirs>);
  }
}

template <typename Ours, typename Theirs>
struct SameFunction : std::false_type {};
template <typename... Ours, typename... Theirs>
struct SameFunction<cuda::CUresult(Ours...), ::CUresult(Theirs...)> {
  static constexpr bool check() {
    if constexpr (sizeof...(Ours) == sizeof...(Theirs))
      return (samePassing<Ours, Theirs>() && ...);
    else
      return false;
  }
  static constexpr bool value = check();
};

namespace functions {
using namespace ndl::cuda; // NOLINT(google-build-using-namespace)
#define NEEDLE_CUDA_FUNCTION(name, symbol, parameters)                         \
  static_assert(SameFunction<CUresult parameters, decltype(::symbol)>::value,  \
                #symbol);
#include "cuda/driver_functions.def"
} // namespace functions

// Compiling was the test.
TEST(CudaDriverAbi, IsThatOfTheToolkit) {
  EXPECT_EQ(sizeof(cuda::CUresult), sizeof(::CUresult));
}

} // namespace
} // namespace ndl::test

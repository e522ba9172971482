// Invocations that are refused: one clear error, nothing written.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace ndl::test {
namespace {

using Shape = std::vector<int64_t>;

/// Calls entry affine wrongly in one respect and returns the error.
class WrongCall : public testing::Test {
protected:
  WrongCall()
      : executable(loadModel()), data(100), result(100, -7),
        x(tensor(data.data(), shape)), y(tensor(result.data(), shape)) {}

  std::string error(NdlStatus expected) {
    EXPECT_EQ(invoke(executable.get(), Affine, {x}, {y}), expected);
    EXPECT_EQ(result, std::vector<float>(100, -7)) << "something was written";
    return ndl_last_error();
  }

  ExecutablePtr executable;
  std::vector<float> data, result;
  Shape shape = {3, 4};
  NdlTensor x, y;
};

TEST_F(WrongCall, Entry) {
  EXPECT_EQ(invoke(executable.get(), 6, {x}, {y}), NDL_NOT_FOUND);
  EXPECT_STREQ(ndl_last_error(), "there is no entry 6; the artifact has 6");
}

TEST_F(WrongCall, NumberOfTensors) {
  EXPECT_EQ(invoke(executable.get(), Affine, {x, x}, {y}),
            NDL_SIGNATURE_MISMATCH);
  EXPECT_STREQ(ndl_last_error(), "entry 'affine': expected 1 input, got 2");
  EXPECT_EQ(invoke(executable.get(), Affine, {x}, {}), NDL_SIGNATURE_MISMATCH);
  EXPECT_STREQ(ndl_last_error(), "entry 'affine': expected 1 output, got 0");
}

TEST_F(WrongCall, Type) {
  x.dtype = NDL_DTYPE_I32;
  EXPECT_EQ(error(NDL_SIGNATURE_MISMATCH),
            "entry 'affine': input 0 'x': expected f32[?x4], got i32[3x4]");
}

TEST_F(WrongCall, Rank) {
  x.rank = 1;
  EXPECT_EQ(error(NDL_SIGNATURE_MISMATCH),
            "entry 'affine': input 0 'x': expected f32[?x4], got f32[3]");
  x.rank = 17;
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': input 0 'x': rank 17 is not 0 … 16");
  x.rank = -1;
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': input 0 'x': rank -1 is not 0 … 16");
}

TEST_F(WrongCall, StaticDimension) {
  Shape wrong = {3, 5};
  x.shape = wrong.data();
  EXPECT_EQ(error(NDL_SIGNATURE_MISMATCH),
            "entry 'affine': input 0 'x': expected f32[?x4], got f32[3x5]");
}

TEST_F(WrongCall, OutputShape) {
  Shape wrong = {2, 4};
  y.shape = wrong.data();
  EXPECT_EQ(error(NDL_SIGNATURE_MISMATCH),
            "entry 'affine': output 0 'y': expected f32[3x4], got f32[2x4]");
}

TEST_F(WrongCall, NegativeDimension) {
  Shape wrong = {-1, 4};
  x.shape = wrong.data();
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': input 0 'x': dimension 0 is negative: -1");
}

TEST_F(WrongCall, NullPointers) {
  x.data = nullptr;
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': input 0 'x': its data is a null pointer");
  x.shape = nullptr;
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': input 0 'x': its shape is a null pointer");
  EXPECT_EQ(ndl_executable_invoke(executable.get(), Affine, nullptr, 1, &y, 1),
            NDL_INVALID_ARGUMENT);
}

TEST_F(WrongCall, HugeSizes) {
  Shape wrong = {std::numeric_limits<int64_t>::max() / 2, 4};
  int64_t strides[] = {0, 1};
  x.shape = wrong.data();
  x.strides = strides;
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': input 0 'x': its size exceeds the address space");
  x.shape = shape.data();
  int64_t far[] = {std::numeric_limits<int64_t>::max() / 2, 1};
  x.strides = far;
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': input 0 'x': its size exceeds the address space");
  int64_t back[] = {std::numeric_limits<int64_t>::min() / 16, 1};
  x.strides = back;
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': input 0 'x': its size exceeds the address space");
}

TEST_F(WrongCall, OutputLayout) {
  int64_t strides[] = {8, 1};
  y.strides = strides;
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': output 0 'y': must be contiguous and aligned to "
            "its elements");
  y.strides = nullptr;
  y.data = reinterpret_cast<uint8_t *>(result.data()) + 2;
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': output 0 'y': must be contiguous and aligned to "
            "its elements");
}

TEST_F(WrongCall, Overlap) {
  x.data = result.data() + 11;
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': output 0 'y' overlaps the memory of input 0 'x'");
  // Touching is no overlap.
  x.data = result.data() + 12;
  EXPECT_EQ(invoke(executable.get(), Affine, {x}, {y}), NDL_OK);
  std::swap(x.data, y.data);
  EXPECT_EQ(invoke(executable.get(), Affine, {x}, {y}), NDL_OK);
}

TEST_F(WrongCall, OverlapOfAStridedInput) {
  // Rows of x start before and end after y.
  int64_t strides[] = {40, 1};
  x.data = result.data();
  x.strides = strides;
  y.data = result.data() + 8;
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': output 0 'y' overlaps the memory of input 0 'x'");
}

TEST_F(WrongCall, OverlapOfOutputs) {
  std::vector<uint8_t> in(4);
  std::vector<int32_t> out(6);
  Shape four = {4};
  EXPECT_EQ(invoke(executable.get(), Nest, {tensor(in.data(), four)},
                   {tensor(out.data(), four), tensor(out.data() + 2, four)}),
            NDL_INVALID_ARGUMENT);
  EXPECT_STREQ(ndl_last_error(), "entry 'nest': output 1 'workers' overlaps "
                                 "the memory of output 0 'hits'");
}

TEST_F(WrongCall, Device) {
  x.device = {NDL_DEVICE_CUDA, 0};
  EXPECT_EQ(error(NDL_INVALID_ARGUMENT),
            "entry 'affine': input 0 'x': is on another device, but the "
            "executable is on the CPU");
}

TEST(Invoke, ReportsFailedShapeChecks) {
  ExecutablePtr executable = loadModel();
  int32_t data[6] = {};
  Shape two = {2}, three = {3};
  EXPECT_EQ(invoke(executable.get(), Add,
                   {tensor(data, two), tensor(data, three)},
                   {tensor(data + 3, two)}),
            NDL_SIGNATURE_MISMATCH);
  EXPECT_STREQ(ndl_last_error(),
               "entry 'add': a and b differ in length (with inputs i32[2], "
               "i32[3]) at model.py:9:5");
}

TEST(Invoke, RefusesPlansThatBreakTheContract) {
  ExecutablePtr executable = loadModel();
  std::vector<uint8_t> x(6);
  Shape out = {0, 3};
  auto error = [&](int64_t length, NdlStatus expected) {
    Shape in = {length};
    EXPECT_EQ(invoke(executable.get(), Wrong, {tensor(x.data(), in)},
                     {tensor<uint8_t>(nullptr, out)}),
              expected)
        << length;
    return std::string(ndl_last_error());
  };
  EXPECT_EQ(error(1, NDL_INTERNAL_ERROR),
            "entry 'wrong': the generated code asks for an arena of negative "
            "size");
  EXPECT_EQ(error(2, NDL_OUT_OF_MEMORY),
            "entry 'wrong': no memory for 9223372036854771711 bytes of "
            "intermediate results");
  EXPECT_EQ(error(3, NDL_INTERNAL_ERROR),
            "entry 'wrong': the generated code plans output 0 as u8[-5x3], but "
            "it is u8[?x3]");
  EXPECT_EQ(error(4, NDL_INTERNAL_ERROR),
            "entry 'wrong': the generated code plans output 0 as u8[0x4], but "
            "it is u8[?x3]");
  EXPECT_EQ(error(5, NDL_INTERNAL_ERROR),
            "entry 'wrong': the generated code reports the unknown error 99");
  EXPECT_EQ(error(6, NDL_INTERNAL_ERROR),
            "entry 'wrong': the generated code reports the unknown error -1");
  // Steps that do not exist are not counted.
  Shape none = {0};
  ndl_executable_set_profiling(executable.get(), 1);
  EXPECT_EQ(invoke(executable.get(), Wrong, {tensor(x.data(), none)},
                   {tensor<uint8_t>(nullptr, out)}),
            NDL_OK);
}

} // namespace
} // namespace ndl::test

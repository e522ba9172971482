// Reading and writing .npy files.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "NpyFile.h"
#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <random>

namespace ndl::test {
namespace {

using needle::run::formatNpy;
using needle::run::NpyArray;
using needle::run::parseNpy;

/// A file with this header, version 1 unless said otherwise.
std::vector<uint8_t> file(const std::string &header, size_t dataSize,
                          uint8_t version = 1) {
  std::vector<uint8_t> bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', version, 0};
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    bytes.push_back(static_cast<uint8_t>(header.size() >> 8 * i));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.resize(bytes.size() + dataSize, 1);
  return bytes;
}

std::string errorOf(const std::vector<uint8_t> &bytes) {
  NpyArray array;
  return parseNpy(bytes, array);
}

TEST(Npy, RoundTripsEveryType) {
  for (uint32_t dtype = 0; dtype < 20; ++dtype) {
    NpyArray array;
    array.dtype = static_cast<NdlDType>(dtype);
    if (!needle::run::npySupports(array.dtype))
      continue;
    for (const std::vector<int64_t> &shape :
         {std::vector<int64_t>{}, {3}, {2, 5}, {4, 0, 2}, {1, 2, 3, 1, 2}}) {
      array.shape = shape;
      size_t size = ndl_dtype_bits(array.dtype) / 8;
      for (int64_t dim : shape)
        size *= dim;
      array.data.assign(size, 1);
      std::vector<uint8_t> bytes = formatNpy(array);
      EXPECT_EQ((bytes.size() - size) % 64, 0u);
      NpyArray read;
      EXPECT_EQ(parseNpy(bytes, read), "");
      EXPECT_EQ(read.dtype, array.dtype);
      EXPECT_EQ(read.shape, array.shape);
      EXPECT_EQ(read.data, array.data);
      EXPECT_FALSE(read.fortranOrder);
    }
  }
}

TEST(Npy, WritesWhatNumPyWrites) {
  // numpy.save of numpy.array([1, 2, 3], numpy.uint8).
  NpyArray array{NDL_DTYPE_U8, {3}, false, {1, 2, 3}};
  std::vector<uint8_t> bytes = formatNpy(array);
  std::string header =
      "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";
  std::string text(bytes.begin() + 10, bytes.end() - 3);
  EXPECT_EQ(bytes.size(), 131u);
  EXPECT_EQ(text, header + std::string(117 - header.size(), ' ') + "\n");
}

TEST(Npy, ReadsVariants) {
  NpyArray array;
  EXPECT_EQ(parseNpy(file("{'descr': '<f4', 'fortran_order': True, 'shape': "
                          "(2, 3), }\n",
                          24),
                     array),
            "");
  EXPECT_TRUE(array.fortranOrder);
  EXPECT_EQ(array.strides(), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(parseNpy(file("{\"shape\":(2,),\"descr\":\"=i8\","
                          "\"fortran_order\":False}",
                          16, 2),
                     array),
            "");
  EXPECT_EQ(array.dtype, NDL_DTYPE_I64);
  EXPECT_EQ(parseNpy(file("{'descr': '>i1', 'fortran_order': False, 'shape': "
                          "(), }",
                          1, 3),
                     array),
            "");
  EXPECT_EQ(array.dtype, NDL_DTYPE_I8);
}

TEST(Npy, NamesWhatIsWrong) {
  const char *good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}";
  struct Case {
    std::vector<uint8_t> bytes;
    const char *message;
  };
  auto with = [](const char *descr, const char *shape) {
    return std::string("{'descr': ") + descr +
           ", 'fortran_order': False, 'shape': " + shape + "}";
  };
  std::vector<uint8_t> pastEnd = file(good, 8);
  pastEnd[9] = 1;
  std::vector<uint8_t> longHeader = file(good, 8);
  longHeader[9] = 0xff;
  const Case cases[] = {
      {{}, "not a .npy file"},
      {{'P', 'K', 3, 4, 0, 0, 0, 0}, "not a .npy file"},
      {{0x93, 'N', 'U', 'M', 'P', 'Y', 1}, "truncated"},
      {file(good, 8, 4), ".npy format version 4 is not supported"},
      {pastEnd, "truncated"},
      {longHeader, "its header of 65335 bytes is too long"},
      {file(good, 7), "truncated: 7 bytes of data for 8"},
      {file(good, 9), "surplus data: 9 bytes of data for 8"},
      {file(with("'>f4'", "(2,)"), 8), "element type '>f4' is not supported"},
      {file(with("'<c8'", "(2,)"), 16), "element type '<c8' is not supported"},
      {file(with("'|O'", "(2,)"), 16), "element type '|O' is not supported"},
      {file(with("''", "(2,)"), 8), "element type '' is not supported"},
      {file(with("[('a', '<f4')]", "(2,)"), 8),
       "element type is not a plain number"},
      {file(with("'<f4'", "(-2,)"), 8), "malformed header"},
      {file(with("'<f4'", "(2"), 8), "malformed header"},
      {file(with("'<f4'", "(2 3)"), 8), "malformed header"},
      {file(with("'<f4'", "(99999999999999999999,)"), 8), "malformed header"},
      {file(with("'<f4'", "(4611686018427387904, 2)"), 8),
       "its size exceeds the address space"},
      {file(with("'<f4'", "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2)"), 8),
       "rank 17 is above 16"},
      {file(with("'|b1'", "(2,)"), 2), ""},
      {file("{'descr': '<f4', 'shape': (2,)}", 8), "malformed header"},
      {file("{'descr': '<f4', 'other': 1}", 8),
       "unknown key 'other' in the header"},
      {file("", 8), "malformed header"},
      {file("{", 8), "malformed header"},
      {file("{'descr", 8), "malformed header"},
  };
  for (const Case &c : cases)
    EXPECT_EQ(errorOf(c.bytes), c.message);
  std::vector<uint8_t> boolean = file(with("'|b1'", "(2,)"), 2);
  boolean.back() = 2;
  EXPECT_EQ(errorOf(boolean), "bool array with the value 2");
}

TEST(Npy, DamageIsSafe) {
  std::vector<uint8_t> whole =
      file("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }\n", 12);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(errorOf({whole.begin(), whole.begin() + size}), "");
  std::random_device device;
  uint32_t seed = device();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bytes = whole;
    for (int i = 0; i < 3; ++i)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    NpyArray array;
    std::string error = parseNpy(bytes, array);
    size_t expected = ndl_dtype_bits(array.dtype) / 8;
    for (int64_t dim : array.shape)
      expected *= static_cast<size_t>(dim);
    if (error.empty()) {
      EXPECT_EQ(array.data.size(), expected);
    }
  }
}

} // namespace
} // namespace ndl::test

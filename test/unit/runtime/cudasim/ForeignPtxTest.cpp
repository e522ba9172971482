// PTX that nvcc makes of CUDA C, where a toolkit is installed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Simulated.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <numeric>
#include <random>
#include <sstream>

#include <unistd.h>

namespace ndl::test {
namespace {

/// The compiler's path, or "" if there is none.
std::string findNvcc() {
  for (const char *path : {"nvcc", "/usr/local/cuda/bin/nvcc"})
    if (std::system(
            (std::string(path) + " --version > /dev/null 2>&1").c_str()) == 0)
      return path;
  return "";
}

/// PTX of Inputs/kernels.cu for an architecture, made once.
std::string compiled(const std::string &architecture) {
  static std::map<std::string, std::string> cache;
  std::string &ptx = cache[architecture];
  std::string nvcc = findNvcc();
  if (!ptx.empty() || nvcc.empty())
    return ptx;
  std::string file = testing::TempDir() + "needle_kernels_" +
                     std::to_string(getpid()) + ".ptx";
  std::string command = nvcc + " -ptx -arch=" + architecture + " -o " + file +
                        " " NEEDLE_CUDASIM_TEST_INPUTS "/kernels.cu";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  std::remove(file.c_str());
  return ptx = text.str();
}

class ForeignPtx : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    std::string ptx = compiled(GetParam());
    if (ptx.empty())
      GTEST_SKIP() << "no nvcc in PATH or /usr/local/cuda/bin";
    device = std::make_unique<Simulated>(ptx);
  }
  void shape(uint32_t blocks, uint32_t threads, uint64_t seed = 0) {
    device->config.grid = {blocks, 1, 1};
    device->config.block = {threads, 1, 1};
    device->config.seed = seed;
  }
  std::unique_ptr<Simulated> device;
  std::mt19937 random{20240229};
};

TEST_P(ForeignPtx, ReducesWithShuffles) {
  std::vector<float> in(1000);
  std::iota(in.begin(), in.end(), 1.0f);
  for (uint64_t seed : {0, 1, 2}) {
    uint64_t out = device->upload<float>({0});
    shape(3, 128, seed);
    device->expectRun("reduceSum", {device->upload(in), out, in.size()});
    // Exact: all partial sums are integers below 2^24.
    EXPECT_EQ(device->download<float>(out, 1)[0], 500500);
  }
}

TEST_P(ForeignPtx, ScansInDynamicSharedMemory) {
  std::vector<int> in(512);
  for (int &value : in)
    value = static_cast<int>(random() % 1000) - 500;
  uint64_t out = device->upload(std::vector<int>(512));
  shape(2, 256, 5);
  device->config.dynamicSharedBytes = 1024;
  device->expectRun("blockScan", {device->upload(in), out});
  std::vector<int> expected(512);
  for (size_t base : {0, 256})
    std::partial_sum(in.begin() + base, in.begin() + base + 256,
                     expected.begin() + base);
  EXPECT_EQ(device->download<int>(out, 512), expected);
}

TEST_P(ForeignPtx, MultipliesBytesByWmma) {
  std::vector<uint8_t> a(256), b(256);
  std::vector<int8_t> x(256), y(256);
  for (size_t i = 0; i < 256; ++i) {
    a[i] = static_cast<uint8_t>(random());
    b[i] = static_cast<uint8_t>(random());
    x[i] = static_cast<int8_t>(random());
    y[i] = static_cast<int8_t>(random());
  }
  uint64_t c = device->upload(std::vector<int>(256));
  uint64_t z = device->upload(std::vector<int>(256));
  shape(1, 32);
  device->expectRun("wmmaBytes", {device->upload(a), device->upload(b), c});
  device->expectRun("wmmaSigned", {device->upload(x), device->upload(y), z});
  std::vector<int> products(256), others(256, 1);
  for (size_t i = 0; i < 16; ++i)
    for (size_t j = 0; j < 16; ++j)
      for (size_t k = 0; k < 16; ++k) {
        products[i * 16 + j] += a[i * 16 + k] * b[j * 16 + k];
        others[i * 16 + j] += x[i * 16 + k] * y[k * 16 + j];
      }
  EXPECT_EQ(device->download<int>(c, 256), products);
  EXPECT_EQ(device->download<int>(z, 256), others);
}

TEST_P(ForeignPtx, MultipliesHalvesByWmma) {
  std::vector<float> a(256), b(256), expected(256);
  for (size_t i = 0; i < 256; ++i) {
    a[i] = static_cast<float>(static_cast<int>(random() % 64) - 32) / 4;
    b[i] = static_cast<float>(static_cast<int>(random() % 64) - 32) / 4;
  }
  for (size_t i = 0; i < 256; ++i)
    for (size_t k = 0; k < 16; ++k)
      expected[i] += a[i / 16 * 16 + k] * b[k * 16 + i % 16];
  uint64_t c = device->upload(std::vector<float>(256));
  shape(1, 32);
  device->expectRun("wmmaHalf", {device->upload(a), device->upload(b), c});
  EXPECT_EQ(device->download<float>(c, 256), expected);
}

TEST_P(ForeignPtx, DotsBytes) {
  std::vector<int> a(77), b(77), c(77), expected(77);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<int>(random());
    b[i] = static_cast<int>(random());
    expected[i] = c[i] = static_cast<int>(random() % 1000);
    for (int k = 0; k < 4; ++k)
      expected[i] += static_cast<int8_t>(a[i] >> (8 * k)) *
                     static_cast<int8_t>(b[i] >> (8 * k));
  }
  uint64_t out = device->upload(c);
  shape(3, 32);
  device->expectRun("dotBytes",
                    {device->upload(a), device->upload(b), out, a.size()});
  EXPECT_EQ(device->download<int>(out, a.size()), expected);
}

TEST_P(ForeignPtx, MultipliesInTiles) {
  constexpr size_t n = 37;
  std::vector<float> a(n * n), b(n * n), expected(n * n);
  for (size_t i = 0; i < n * n; ++i) {
    a[i] = static_cast<float>(random() % 1000) / 7;
    b[i] = static_cast<float>(random() % 1000) / 13;
  }
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j)
      for (size_t k = 0; k < n; ++k)
        expected[i * n + j] =
            std::fma(a[i * n + k], b[k * n + j], expected[i * n + j]);
  for (uint64_t seed : {0, 9}) {
    uint64_t c = device->upload(std::vector<float>(n * n));
    device->config.grid = {3, 3, 1};
    device->config.block = {16, 16, 1};
    device->config.seed = seed;
    device->expectRun("tiledMatmul",
                      {device->upload(a), device->upload(b), c, n});
    EXPECT_EQ(device->download<float>(c, n * n), expected);
  }
}

TEST_P(ForeignPtx, LoopsDivergently) {
  std::vector<uint32_t> in(100), expected(100);
  for (size_t i = 0; i < in.size(); ++i) {
    in[i] = 1 + static_cast<uint32_t>(random() % 100000);
    for (uint64_t x = in[i]; x != 1; x = x & 1 ? 3 * x + 1 : x / 2)
      ++expected[i];
  }
  uint64_t out = device->upload(std::vector<uint32_t>(100));
  shape(2, 64);
  device->expectRun("collatz", {device->upload(in), out, in.size()});
  EXPECT_EQ(device->download<uint32_t>(out, 100), expected);
}

TEST_P(ForeignPtx, CallsFunctions) {
  std::vector<int> a(64), b(64), expected(64);
  for (int i = 0; i < 64; ++i) {
    a[i] = 1 + static_cast<int>(random() % 500);
    b[i] = 1 + static_cast<int>(random() % 500);
    int first = i % 3 ? std::gcd(a[i], b[i]) : a[i];
    int second = i % 3 ? 2 * i : i;
    expected[i] = first * 1000 + second + std::gcd(a[i], 6);
  }
  uint64_t out = device->upload(std::vector<int>(64));
  shape(1, 64);
  device->expectRun("callFunctions",
                    {device->upload(a), device->upload(b), out});
  EXPECT_EQ(device->download<int>(out, 64), expected);
}

TEST_P(ForeignPtx, CountsWithAtomics) {
  std::vector<uint8_t> in(5000);
  std::vector<uint32_t> expected(256);
  for (uint8_t &value : in) {
    value = static_cast<uint8_t>(random() % 50 * 5);
    ++expected[value];
  }
  uint64_t out = device->upload(std::vector<uint32_t>(256));
  shape(4, 96, 3);
  device->expectRun("histogram", {device->upload(in), out, in.size()});
  EXPECT_EQ(device->download<uint32_t>(out, 256), expected);
}

TEST_P(ForeignPtx, ComputesAMixture) {
  constexpr int n = 200;
  std::vector<float> in(n);
  for (float &value : in)
    value = static_cast<float>(random() % 4000) / 1000 - 2;
  uint64_t out = device->upload(std::vector<float>(n));
  shape(4, 64);
  device->expectRun("mixture", {device->upload(in), out, n});
  std::vector<float> got = device->download<float>(out, n);
  for (int i = 0; i < n; ++i) {
    float x = in[(i + i * 5 % 8) % n];
    double values[] = {
        std::exp(x),  std::log(x * x + 1.0), std::sqrt(x * x + 2.0), x / 3.0,
        std::tanh(x), std::fmin(x, 0.5),     std::floor(x)};
    // The math library of CUDA promises at most 2 ulp for these.
    EXPECT_NEAR(got[i], values[i % 7],
                std::fabs(values[i % 7]) * 0x1p-21 + 0x1p-24)
        << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, ForeignPtx,
                         testing::Values("compute_75", "compute_80"),
                         [](const auto &info) {
                           return std::string(info.param);
                         });

} // namespace
} // namespace ndl::test

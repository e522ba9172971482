// Fragments of mma and ldmatrix against tables from the PTX ISA, and products.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Simulated.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

namespace ndl::test {
namespace {

/// A fragment as the PTX ISA describes it: the row and column of element i of a
/// lane with groupID = lane >> 2 and threadID_in_group = lane % 4.
struct Fragment {
  unsigned registers;
  unsigned perRegister;
  std::function<unsigned(unsigned group, unsigned thread, unsigned i)> row, col;
};

struct Shape {
  const char *name;
  unsigned m, n, k;
  Fragment a, b, c;
};

using U = unsigned;
const Fragment accumulators16 = {4, 1,
                                 [](U g, U, U i) { return i < 2 ? g : g + 8; },
                                 [](U, U t, U i) { return t * 2 + (i & 1); }};

/// "Matrix Fragments for mma.m8n8k16", "… m16n8k16", "… m16n8k32" with .u8/.s8.
const Shape byteShapes[] = {
    {"m8n8k16",
     8,
     8,
     16,
     {1, 4, [](U g, U, U) { return g; }, [](U, U t, U i) { return t * 4 + i; }},
     {1, 4, [](U, U t, U i) { return t * 4 + i; }, [](U g, U, U) { return g; }},
     {2, 1, [](U g, U, U) { return g; },
      [](U, U t, U i) { return t * 2 + i; }}},
    {"m16n8k16",
     16,
     8,
     16,
     {2, 4, [](U g, U, U i) { return i < 4 ? g : g + 8; },
      [](U, U t, U i) { return t * 4 + (i & 3); }},
     {1, 4, [](U, U t, U i) { return t * 4 + i; }, [](U g, U, U) { return g; }},
     accumulators16},
    {"m16n8k32",
     16,
     8,
     32,
     {4, 4, [](U g, U, U i) { return i < 4 || (i >= 8 && i < 12) ? g : g + 8; },
      [](U, U t, U i) {
        return i < 8 ? t * 4 + (i & 3) : t * 4 + (i & 3) + 16;
      }},
     {2, 4,
      [](U, U t, U i) {
        return i < 4 ? t * 4 + (i & 3) : t * 4 + (i & 3) + 16;
      },
      [](U g, U, U) { return g; }},
     accumulators16}};

/// "Matrix Fragments for mma.m16n8k8" and "… m16n8k16" with .f16/.bf16.
const Shape halfShapes[] = {
    {"m16n8k8",
     16,
     8,
     8,
     {2, 2, [](U g, U, U i) { return i < 2 ? g : g + 8; },
      [](U, U t, U i) { return t * 2 + (i & 1); }},
     {1, 2, [](U, U t, U i) { return t * 2 + i; }, [](U g, U, U) { return g; }},
     accumulators16},
    {"m16n8k16",
     16,
     8,
     16,
     {4, 2, [](U g, U, U i) { return i < 2 || (i >= 4 && i < 6) ? g : g + 8; },
      [](U, U t, U i) {
        return i < 4 ? t * 2 + (i & 1) : t * 2 + (i & 1) + 8;
      }},
     {2, 2,
      [](U, U t, U i) { return i < 2 ? t * 2 + (i & 1) : t * 2 + (i & 1) + 8; },
      [](U g, U, U) { return g; }},
     accumulators16}};

/// "Matrix Fragments for mma.m16n8k4" and "… m16n8k8" with .tf32.
const Shape tensorShapes[] = {
    {"m16n8k4",
     16,
     8,
     4,
     {2, 1, [](U g, U, U i) { return i == 0 ? g : g + 8; },
      [](U, U t, U) { return t; }},
     {1, 1, [](U, U t, U) { return t; }, [](U g, U, U) { return g; }},
     accumulators16},
    {"m16n8k8",
     16,
     8,
     8,
     {4, 1, [](U g, U, U i) { return i == 0 || i == 2 ? g : g + 8; },
      [](U, U t, U i) { return i < 2 ? t : t + 4; }},
     {2, 1, [](U, U t, U i) { return i == 0 ? t : t + 4; },
      [](U g, U, U) { return g; }},
     accumulators16}};

/// Registers of all lanes, [register][lane], from a matrix of element bits.
std::vector<uint32_t> scatter(const Fragment &fragment, U columns,
                              const std::vector<uint32_t> &matrix) {
  std::vector<uint32_t> words(fragment.registers * 32);
  for (U lane = 0; lane < 32; ++lane)
    for (U i = 0; i < fragment.registers * fragment.perRegister; ++i)
      words[i / fragment.perRegister * 32 + lane] |=
          matrix[fragment.row(lane / 4, lane % 4, i) * columns +
                 fragment.col(lane / 4, lane % 4, i)]
          << (i % fragment.perRegister * (32 / fragment.perRegister));
  return words;
}

std::vector<uint32_t> gather(const Fragment &fragment, U rows, U columns,
                             const std::vector<uint32_t> &words) {
  std::vector<uint32_t> matrix(rows * columns);
  U bits = 32 / fragment.perRegister;
  for (U lane = 0; lane < 32; ++lane)
    for (U i = 0; i < fragment.registers * fragment.perRegister; ++i)
      matrix[fragment.row(lane / 4, lane % 4, i) * columns +
             fragment.col(lane / 4, lane % 4, i)] =
          words[i / fragment.perRegister * 32 + lane] >>
              (i % fragment.perRegister * bits) &
          (bits == 32 ? ~0u : (1u << bits) - 1);
  return matrix;
}

std::string list(const char *prefix, U first, U count) {
  std::string text = "{";
  for (U i = 0; i < count; ++i)
    text += (i ? "," : "") + std::string(prefix) + std::to_string(first + i);
  return text + "}";
}

/// Runs one mma; operands and result are matrices of element bits.
std::vector<uint32_t>
multiply(const std::string &instruction, const Shape &shape, const Fragment &c,
         const Fragment &d, const std::vector<uint32_t> &a,
         const std::vector<uint32_t> &b, const std::vector<uint32_t> &start) {
  std::string code = "mul.wide.u32 %rd3, %r0, 4; add.u64 %rd0, %rd0, %rd3;"
                     "add.u64 %rd1, %rd1, %rd3;";
  std::vector<uint32_t> words = scatter(shape.a, shape.k, a);
  for (const auto &more :
       {scatter(shape.b, shape.n, b), scatter(c, shape.n, start)})
    words.insert(words.end(), more.begin(), more.end());
  U inputs = static_cast<U>(words.size() / 32);
  for (U i = 0; i < inputs; ++i)
    code += "ld.global.u32 %r" + std::to_string(10 + i) + ", [%rd0+" +
            std::to_string(128 * i) + "];\n";
  U bAt = 10 + shape.a.registers, cAt = bAt + shape.b.registers;
  code += instruction + " " + list("%r", 50, d.registers) + ", " +
          list("%r", 10, shape.a.registers) + ",\n  " +
          list("%r", bAt, shape.b.registers) + ", " +
          list("%r", cAt, c.registers) + ";\n";
  for (U i = 0; i < d.registers; ++i)
    code += "st.global.u32 [%rd1+" + std::to_string(128 * i) + "], %r" +
            std::to_string(50 + i) + ";\n";
  Simulated device(kernel(code + "ret;"));
  device.config.block.x = 32;
  uint64_t out = device.upload(std::vector<uint32_t>(d.registers * 32));
  device.expectRun("k", {device.upload(words), out, 0});
  return gather(d, shape.m, shape.n,
                device.download<uint32_t>(out, d.registers * 32));
}

TEST(Mma, Bytes) {
  std::mt19937 random(1);
  for (const Shape &shape : byteShapes)
    for (int signs = 0; signs < 8; ++signs) {
      bool aSigned = signs & 1, bSigned = signs & 2, saturates = signs & 4;
      std::vector<uint32_t> a(shape.m * shape.k), b(shape.k * shape.n);
      std::vector<uint32_t> c(shape.m * shape.n), expected(c.size());
      for (auto *matrix : {&a, &b})
        for (uint32_t &value : *matrix)
          value = random() % 4 ? random() & 0xff : random() % 2 ? 0x80 : 0xff;
      for (uint32_t &value : c)
        value = random() % 3   ? static_cast<uint32_t>(random())
                : random() % 2 ? 0x7fffffff
                               : 0x80000000;
      for (U i = 0; i < shape.m; ++i)
        for (U j = 0; j < shape.n; ++j) {
          int64_t sum = static_cast<int32_t>(c[i * shape.n + j]);
          for (U k = 0; k < shape.k; ++k) {
            uint32_t x = a[i * shape.k + k], y = b[k * shape.n + j];
            sum += (aSigned ? int64_t(int8_t(x)) : int64_t(x)) *
                   (bSigned ? int64_t(int8_t(y)) : int64_t(y));
          }
          if (saturates)
            sum = std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX);
          expected[i * shape.n + j] = static_cast<uint32_t>(sum);
        }
      std::string name = std::string("mma.sync.aligned.") + shape.name +
                         ".row.col" + (saturates ? ".satfinite" : "") + ".s32" +
                         (aSigned ? ".s8" : ".u8") + (bSigned ? ".s8" : ".u8") +
                         ".s32";
      EXPECT_EQ(multiply(name, shape, shape.c, shape.c, a, b, c), expected)
          << name;
    }
}

/// Elements are small multiples of 1/8, so that all sums are exact.
struct FloatElements {
  std::vector<uint32_t> bits;
  std::vector<float> values;
};
FloatElements randomElements(size_t count, const char *type,
                             std::mt19937 &random) {
  FloatElements result;
  for (size_t i = 0; i < count; ++i) {
    float value = (static_cast<int>(random() % 65) - 32) / 8.0f;
    auto word = bits<uint32_t>(value);
    result.values.push_back(value);
    // f16 of a small number that is exact: by the exponent's other bias.
    uint32_t half = value == 0 ? 0
                               : (word >> 16 & 0x8000) |
                                     (((word >> 23 & 0xff) - 112) << 10) |
                                     (word >> 13 & 0x3ff);
    result.bits.push_back(std::string(type) == "f16"    ? half
                          : std::string(type) == "bf16" ? word >> 16
                                                        : word);
  }
  return result;
}

void checkFloats(const Shape &shape, const char *type, const char *dType,
                 const char *cType) {
  std::mt19937 random(2);
  FloatElements a = randomElements(shape.m * shape.k, type, random);
  FloatElements b = randomElements(shape.k * shape.n, type, random);
  FloatElements c = randomElements(shape.m * shape.n, cType, random);
  // f16 accumulators: two registers of two.
  Fragment halves = {2, 2, shape.c.row, shape.c.col};
  const Fragment &cFragment = std::string(cType) == "f16" ? halves : shape.c;
  const Fragment &dFragment = std::string(dType) == "f16" ? halves : shape.c;
  std::string name = std::string("mma.sync.aligned.") + shape.name +
                     ".row.col." + dType + "." + type + "." + type + "." +
                     cType;
  std::vector<uint32_t> got =
      multiply(name, shape, cFragment, dFragment, a.bits, b.bits, c.bits);
  for (U i = 0; i < shape.m; ++i)
    for (U j = 0; j < shape.n; ++j) {
      float sum = c.values[i * shape.n + j];
      for (U k = 0; k < shape.k; ++k)
        sum += a.values[i * shape.k + k] * b.values[k * shape.n + j];
      uint32_t word = got[i * shape.n + j];
      if (std::string(dType) == "f32") {
        ASSERT_EQ(bits<float>(word), sum) << name;
        continue;
      }
      // At most 11 bits of 2^-6 … fit f16 up to half an ulp.
      double value =
          std::ldexp((word & 0x3ff) + 1024, int(word >> 10 & 31) - 25);
      ASSERT_NEAR(word & 0x8000 ? -value : value, sum,
                  std::fabs(sum) / 2048 + 1e-4)
          << name;
    }
}

TEST(Mma, Floats) {
  for (const Shape &shape : halfShapes) {
    checkFloats(shape, "f16", "f32", "f32");
    checkFloats(shape, "bf16", "f32", "f32");
    checkFloats(shape, "f16", "f16", "f16");
  }
  for (const Shape &shape : tensorShapes)
    checkFloats(shape, "tf32", "f32", "f32");
}

/// "ldmatrix": row r of matrix j comes from the address of lane 8j + r; lane i
/// gets elements 2(i % 4) and the next of row i / 4, or the transposed.
TEST(Ldmatrix, Fragments) {
  for (U count : {1u, 2u, 4u})
    for (bool transposes : {false, true}) {
      // Rows lie 48 bytes apart, in a shuffled order.
      std::string x = std::to_string(count);
      std::string code =
          ".shared .align 16 .b8 tile[1536];"
          "mul.wide.u32 %rd3, %r0, 48; add.u64 %rd3, %rd0, %rd3;"
          "ld.global.v4.u32 {%r1,%r2,%r3,%r4}, [%rd3];"
          "mul.lo.u32 %r5, %r0, 48; st.shared.v4.u32 [%r5], {%r1,%r2,%r3,%r4};"
          "bar.warp.sync -1; xor.b32 %r6, %r0, 5; mul.lo.u32 %r6, %r6, 48;"
          "ldmatrix.sync.aligned.m8n8.x" +
          x + (transposes ? ".trans" : "") + ".shared.b16 " +
          list("%r", 10, count) +
          ", [%r6];"
          "mul.wide.u32 %rd3, %r0, 4; add.u64 %rd3, %rd1, %rd3;";
      for (U j = 0; j < count; ++j)
        code += "st.global.u32 [%rd3+" + std::to_string(128 * j) + "], %r" +
                std::to_string(10 + j) + ";";
      Simulated device(kernel(code + "ret;"));
      device.config.block.x = 32;
      std::vector<uint16_t> rows(32 * 24);
      for (size_t i = 0; i < rows.size(); ++i)
        rows[i] = static_cast<uint16_t>(i * 7 + 1);
      uint64_t out = device.upload(std::vector<uint32_t>(128));
      device.expectRun("k", {device.upload(rows), out, 0});
      std::vector<uint32_t> got = device.download<uint32_t>(out, 128);
      for (U j = 0; j < count; ++j)
        for (U lane = 0; lane < 32; ++lane)
          for (U e = 0; e < 2; ++e) {
            U row = lane / 4, col = lane % 4 * 2 + e;
            if (transposes)
              std::swap(row, col);
            U source = (8 * j + row) ^ 5;
            EXPECT_EQ(got[32 * j + lane] >> (16 * e) & 0xffff,
                      rows[source * 24 + col]);
          }
    }
}

} // namespace
} // namespace ndl::test

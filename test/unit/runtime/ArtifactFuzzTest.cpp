// Damaged artifacts: always a clean error or a usable artifact, never a crash.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TestArtifact.h"

#include "executable_info.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <random>

namespace ndl::test {
namespace {

/// Parses a copy in memory of exactly this size, so that sanitizers see every
/// access outside it, and follows everything if it is valid. Returns whether it
/// is.
bool readAll(const std::vector<uint8_t> &bytes) {
  std::unique_ptr<void, decltype(&std::free)> copy(std::malloc(bytes.size()),
                                                   std::free);
  if (!bytes.empty())
    std::memcpy(copy.get(), bytes.data(), bytes.size());
  ArtifactView view;
  Status status = ArtifactView::parse(copy.get(), bytes.size(), view);
  EXPECT_NE(status.ok(), !status.message().empty());
  if (!status.ok())
    return false;
  for (size_t body = 0; body < view.bodies.size; ++body)
    ExecutableInfo info(view, hostCpu(), body);
  // What a reader accepts, a writer can write.
  EXPECT_FALSE(bytesOf(toModel(view)).empty());
  return true;
}

void seal(std::vector<uint8_t> &bytes) {
  auto *header = reinterpret_cast<NdlFileHeader *>(bytes.data());
  header->checksum = artifactChecksum(bytes.data(), bytes.size());
}

TEST(ArtifactFuzz, EveryTruncationIsAnError) {
  std::vector<uint8_t> whole = bytesOf(makeSmallModel());
  for (size_t size = 0; size < whole.size(); ++size) {
    std::vector<uint8_t> bytes(whole.begin(), whole.begin() + size);
    EXPECT_FALSE(readAll(bytes)) << size;
    if (size < sizeof(NdlFileHeader))
      continue;
    // Also when header and checksum pretend to fit.
    reinterpret_cast<NdlFileHeader *>(bytes.data())->fileSize = size;
    seal(bytes);
    readAll(bytes);
  }
}

TEST(ArtifactFuzz, EveryFlippedBitIsAnError) {
  std::vector<uint8_t> bytes = bytesOf(makeSmallModel());
  for (size_t i = 0; i < 8 * bytes.size(); ++i) {
    bytes[i / 8] ^= 1 << i % 8;
    EXPECT_FALSE(readAll(bytes)) << "bit " << i;
    bytes[i / 8] ^= 1 << i % 8;
  }
  EXPECT_TRUE(readAll(bytes));
}

TEST(ArtifactFuzz, FlippedBytesWithAValidChecksumAreSafe) {
  std::vector<uint8_t> whole = bytesOf(makeSmallModel());
  for (size_t i = 0; i < whole.size(); ++i)
    for (uint8_t pattern : {0x01, 0x02, 0x04, 0x40, 0x80, 0xff}) {
      std::vector<uint8_t> bytes = whole;
      bytes[i] ^= pattern;
      seal(bytes);
      readAll(bytes);
    }
}

TEST(ArtifactFuzz, RandomDamageWithAValidChecksumIsSafe) {
  std::random_device device;
  uint32_t seed = device();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<uint8_t> whole = bytesOf(makeSmallModel());
  constexpr uint64_t values[] = {0,           1,          2,
                                 63,          64,         0x7fffffff,
                                 0x80000000,  0xffffffff, uint64_t(1) << 63,
                                 ~uint64_t(0)};
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bytes = whole;
    int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i) {
      // Records consist of 4- and 8-byte fields.
      size_t size = random() % 2 ? 4 : 8;
      size_t at = sizeof(NdlFileHeader) +
                  random() % (bytes.size() - sizeof(NdlFileHeader) - 8);
      uint64_t value = values[random() % std::size(values)];
      std::memcpy(bytes.data() + at / 4 * 4, &value, size);
    }
    seal(bytes);
    readAll(bytes);
  }
}

} // namespace
} // namespace ndl::test

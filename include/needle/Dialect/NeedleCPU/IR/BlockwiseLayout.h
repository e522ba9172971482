//===- BlockwiseLayout.h - Packed 4-bit weights -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a packed 4-bit weight has its parts. Plain data.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_DIALECT_NEEDLECPU_IR_BLOCKWISELAYOUT_H
#define NEEDLE_DIALECT_NEEDLECPU_IR_BLOCKWISELAYOUT_H

#include <algorithm>
#include <cstdint>

namespace needle::cpu {

/// How a weight is packed: panels of NR columns one after the other; of each
/// panel, its blocks along K; of each block
///
///   NR f32 scales, NR u8 zero points if asymmetric,
///   [block size / 8][NR][4] bytes, byte i holding the integers of k + i in its
///   low half and of k + 4 + i in its high half, from 0 to 15.
///
/// The last block has as many chunks as it needs. What lies beyond K and N is
/// 0. Symmetric integers are stored with 8 added.
struct BlockwiseLayout {
  int64_t blockSize;
  bool asymmetric;
  int64_t panel; ///< NR

  /// What is summed in 16 bits at once: each half of a word takes 8 sums of two
  /// products, at most 8 · 2 · 15 · 127 = 30,480.
  int64_t chunk() const { return std::min<int64_t>(blockSize, 32); }
  int64_t chunksPerBlock() const { return blockSize / chunk(); }
  int64_t chunks(int64_t depth) const {
    return (depth + chunk() - 1) / chunk();
  }
  int64_t blocks(int64_t depth) const {
    return (depth + blockSize - 1) / blockSize;
  }
  int64_t panels(int64_t columns) const {
    return (columns + panel - 1) / panel;
  }
  int64_t headerBytes() const { return panel * (asymmetric ? 5 : 4); }
  int64_t chunkBytes() const { return chunk() / 2 * panel; }
  int64_t blockBytes() const {
    return headerBytes() + chunksPerBlock() * chunkBytes();
  }
  int64_t panelBytes(int64_t depth) const {
    return blocks(depth) * headerBytes() + chunks(depth) * chunkBytes();
  }
};

} // namespace needle::cpu

#endif // NEEDLE_DIALECT_NEEDLECPU_IR_BLOCKWISELAYOUT_H

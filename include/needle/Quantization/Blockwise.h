//===- Blockwise.h - 4-bit weights in blocks --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A weight of K×N 4-bit integers, with one scale and zero point for each block
// of neighbours along K of each column; the rules N2 and N9 on plain numbers.
//
//===----------------------------------------------------------------------===//

#ifndef NEEDLE_QUANTIZATION_BLOCKWISE_H
#define NEEDLE_QUANTIZATION_BLOCKWISE_H

#include "needle/Quantization/NumericRules.h"
#include "llvm/ADT/ArrayRef.h"
#include <algorithm>
#include <cstdint>
#include <optional>

namespace needle {

/// Sizes of blocks: powers of two, so that kernels take whole vectors; the sum
/// of a block fits i32 (N4).
inline constexpr int64_t kMinBlockSize = 16;
inline constexpr int64_t kMaxBlockSize = 65536;
bool isValidBlockSize(int64_t size);

/// The integers that fit 4 bits: signed without zero points, else unsigned.
inline constexpr IntegerRange kSigned4Bits{-8, 7};
inline constexpr IntegerRange kUnsigned4Bits{0, 15};

/// A row-major matrix K×N in blocks along K, of which the last may be partial.
struct BlockwiseShape {
  int64_t depth;   ///< K
  int64_t columns; ///< N
  int64_t blockSize;

  int64_t blocks() const { return (depth + blockSize - 1) / blockSize; }
  /// The first row of block b, and the one after its last.
  int64_t begin(int64_t block) const { return block * blockSize; }
  int64_t end(int64_t block) const {
    return std::min(depth, (block + 1) * blockSize);
  }
};

/// Chooses parameters for each block by N2 (int4 symmetric, or uint4 asymmetric
/// if `zeroPoints` is not empty) and quantizes by N1. `stored` has K·N bytes,
/// `scales` and `zeroPoints` have blocks·N elements.
void quantizeBlockwise(llvm::ArrayRef<float> weight, BlockwiseShape shape,
                       llvm::MutableArrayRef<int8_t> stored,
                       llvm::MutableArrayRef<float> scales,
                       llvm::MutableArrayRef<uint8_t> zeroPoints);

/// The index of the first of `stored` (read as u8 if `isUnsigned`) that does
/// not fit 4 bits.
std::optional<int64_t> findWiderThan4Bits(llvm::ArrayRef<int8_t> stored,
                                          bool isUnsigned);

/// N9: quantizes one block of a row of activations, symmetrically to
/// −127 … 127, and returns the scale.
float quantizeActivationBlock(llvm::ArrayRef<float> values,
                              llvm::MutableArrayRef<int8_t> stored);

} // namespace needle

#endif // NEEDLE_QUANTIZATION_BLOCKWISE_H

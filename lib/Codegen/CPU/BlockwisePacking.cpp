//===- BlockwisePacking.cpp - Packs 4-bit weights -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Codegen/CPU/BlockwiseKernel.h"
#include <cstring>

using namespace needle::cpu;

std::vector<int8_t>
needle::cpu::packBlockwise(const BlockwiseLayout &layout, int64_t depth,
                           int64_t columns, llvm::ArrayRef<int8_t> stored,
                           llvm::ArrayRef<float> scales,
                           llvm::ArrayRef<uint8_t> zeroPoints) {
  int64_t panelBytes = layout.panelBytes(depth), width = layout.panel;
  std::vector<int8_t> packed(layout.panels(columns) * panelBytes, 0);
  for (int64_t first = 0; first < columns; first += width) {
    int64_t valid = std::min(width, columns - first);
    int8_t *panel = packed.data() + first / width * panelBytes;
    for (int64_t k = 0; k < depth; ++k) {
      int64_t block = k / layout.blockSize, within = k % layout.blockSize;
      int8_t *bytes = panel + block * layout.blockBytes() +
                      layout.headerBytes() + within / 8 * width * 4 +
                      within % 4;
      unsigned shift = within % 8 < 4 ? 0 : 4;
      for (int64_t n = 0; n < valid; ++n) {
        int value = stored[k * columns + first + n];
        unsigned half = unsigned(layout.asymmetric ? value : value + 8) & 15;
        bytes[n * 4] =
            static_cast<int8_t>(uint8_t(bytes[n * 4]) | half << shift);
      }
    }
    for (int64_t block = 0; block < layout.blocks(depth); ++block) {
      int8_t *header = panel + block * layout.blockBytes();
      const size_t at = block * columns + first;
      std::memcpy(header, scales.slice(at, valid).data(), valid * 4);
      if (layout.asymmetric)
        std::memcpy(header + width * 4, zeroPoints.slice(at, valid).data(),
                    valid);
    }
  }
  return packed;
}

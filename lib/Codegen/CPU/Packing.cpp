//===- Packing.cpp - Packs constant weights -------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Codegen/CPU/Packing.h"
#include "llvm/Support/Endian.h"
#include <algorithm>

using namespace needle::cpu;

/// Calls `convert(k, n)` for every element and puts its result in place, groups
/// of `group` neighbours along K side by side, `groups` of them in a column.
template <typename T, typename Convert>
static std::vector<T> pack(RhsShape shape, int64_t panel, int64_t group,
                           int64_t groups, Convert convert) {
  int64_t perGroup = shape.groupPanels(panel);
  int64_t panelSize = groups * panel * group;
  std::vector<T> packed(shape.groups * perGroup * panelSize, T(0));
  for (int64_t i = 0; i < shape.groups * perGroup; ++i) {
    T *dest = packed.data() + i * panelSize;
    int64_t within = i % perGroup * panel;
    int64_t first = i / perGroup * shape.groupColumns() + within;
    int64_t valid = std::min(panel, shape.groupColumns() - within);
    for (int64_t k = 0; k < shape.depth; ++k)
      for (int64_t n = 0; n < valid; ++n)
        dest[(k / group * panel + n) * group + k % group] =
            convert(k, first + n);
  }
  return packed;
}

std::vector<float> needle::cpu::packFloatRhs(llvm::ArrayRef<float> source,
                                             RhsShape shape, int64_t panel) {
  return pack<float>(shape, panel, 1, shape.depth, [&](int64_t k, int64_t n) {
    return source[shape.index(k, n)];
  });
}

std::vector<int8_t> needle::cpu::packIntegerRhs(llvm::ArrayRef<int8_t> source,
                                                RhsShape shape, int64_t panel) {
  int64_t quads = llvm::divideCeil(shape.depth, 4);
  std::vector<int8_t> packed =
      pack<int8_t>(shape, panel, 4, quads + 1, [&](int64_t k, int64_t n) {
        return source[shape.index(k, n)];
      });
  int64_t panelBytes = (quads + 1) * panel * 4;
  for (int64_t n = 0; n < shape.columns; ++n) {
    uint32_t sum = 0;
    for (int64_t k = 0; k < shape.depth; ++k)
      sum += uint32_t(int32_t(source[shape.index(k, n)]));
    int64_t group = n / shape.groupColumns(), within = n % shape.groupColumns();
    int64_t index = group * shape.groupPanels(panel) + within / panel;
    int8_t *dest = packed.data() + index * panelBytes +
                   (quads * panel + within % panel) * 4;
    llvm::support::endian::write32le(dest, sum);
  }
  return packed;
}

std::vector<int16_t>
needle::cpu::packWideRhs(llvm::ArrayRef<int8_t> source, bool isUnsigned,
                         llvm::ArrayRef<int32_t> zeroPoints, RhsShape shape,
                         int64_t panel) {
  int64_t pairs = 2 * llvm::divideCeil(shape.depth, 4);
  auto convert = [&](int64_t k, int64_t n) -> int16_t {
    int8_t raw = source[shape.index(k, n)];
    int32_t value = isUnsigned ? int32_t(uint8_t(raw)) : int32_t(raw);
    return value - zeroPoints[zeroPoints.size() == 1 ? 0 : n];
  };
  return pack<int16_t>(shape, panel, 2, pairs, convert);
}

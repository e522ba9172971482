// Dot products of packed bytes: dp4a and dp2a.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "exec/families.h"
#include "exec/lanes.h"

namespace ndl::cudasim {
namespace {

template <bool Signed>
int64_t byteOf(uint32_t word, unsigned i) {
  auto byte = static_cast<uint8_t>(word >> (8 * i));
  return Signed ? int64_t(static_cast<int8_t>(byte)) : int64_t(byte);
}

template <bool Signed>
int64_t halfOf(uint32_t word, unsigned i) {
  auto half = static_cast<uint16_t>(word >> (16 * i));
  return Signed ? int64_t(static_cast<int16_t>(half)) : int64_t(half);
}

template <bool A, bool B>
struct DotBytes {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    int64_t sum = c;
    for (unsigned i = 0; i < 4; ++i)
      sum += byteOf<A>(a, i) * byteOf<B>(b, i);
    return static_cast<uint32_t>(sum);
  }
};

/// Two halves of a with the low or the high two bytes of b.
template <bool A, bool B, unsigned First>
struct DotHalves {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    int64_t sum = c;
    for (unsigned i = 0; i < 2; ++i)
      sum += halfOf<A>(a, i) * byteOf<B>(b, First + i);
    return static_cast<uint32_t>(sum);
  }
};

template <bool A, bool B>
Handler dotHandler(int half) {
  return half < 0    ? ternary<uint32_t, DotBytes<A, B>>
         : half == 0 ? ternary<uint32_t, DotHalves<A, B, 0>>
                     : ternary<uint32_t, DotHalves<A, B, 2>>;
}

} // namespace

bool decodeDot(Decoder &d) {
  bool isHalves = d.in().opcode == "dp2a";
  int half = isHalves ? d.takeOneOf({".lo", ".hi"}) : -1;
  Type a = d.takeType(), b = d.takeType();
  bool isKnown =
      (a == Type::U32 || a == Type::S32) && (b == Type::U32 || b == Type::S32);
  if (!isKnown || (isHalves && half < 0))
    return d.fail("two types of .u32 and .s32 are needed");
  if (!d.hasOperands(4) || !d.destination(0, 0, Type::B32) ||
      !d.source(1, 1, Type::B32) || !d.source(2, 2, Type::B32) ||
      !d.source(3, 3, Type::B32))
    return false;
  bool aSigned = a == Type::S32, bSigned = b == Type::S32;
  return d.finish(aSigned ? (bSigned ? dotHandler<true, true>(half)
                                     : dotHandler<true, false>(half))
                          : (bSigned ? dotHandler<false, true>(half)
                                     : dotHandler<false, false>(half)));
}

} // namespace ndl::cudasim

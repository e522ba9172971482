// Integer and bit instructions against plain C++.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Simulated.h"

#include <algorithm>

namespace ndl::test {
namespace {

/// Runs `code` on the operands and compares with expected(a, b, c).
template <typename Expected>
void check(const std::string &code, const std::string &result,
           const Operands &operands, Expected expected) {
  std::vector<uint64_t> got =
      evaluate(code, result, operands.a, operands.b, operands.c);
  for (size_t i = 0; i < got.size(); ++i) {
    uint64_t a = operands.a[i], b = operands.b.empty() ? 0 : operands.b[i];
    uint64_t c = operands.c.empty() ? 0 : operands.c[i];
    ASSERT_EQ(got[i], static_cast<uint64_t>(expected(a, b, c)))
        << code << std::hex << " of " << a << ", " << b << ", " << c;
  }
}

using S32 = int32_t;
using U32 = uint32_t;
using U64 = uint64_t;
using S64 = int64_t;

TEST(Integer, Arithmetic32) {
  Operands pairs = pairsOf(edges32());
  check("add.s32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return U32(a + b); });
  check("sub.u32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return U32(a - b); });
  check("add.sat.s32 %d, %a, %b;", "%d", pairs, [](U64 a, U64 b, U64) {
    return U32(std::clamp<S64>(S64(S32(a)) + S32(b), INT32_MIN, INT32_MAX));
  });
  check("sub.sat.s32 %d, %a, %b;", "%d", pairs, [](U64 a, U64 b, U64) {
    return U32(std::clamp<S64>(S64(S32(a)) - S32(b), INT32_MIN, INT32_MAX));
  });
  check("mul.lo.s32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return U32(a * b); });
  check("mul.hi.s32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return U32((S64(S32(a)) * S32(b)) >> 32); });
  check("mul.hi.u32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return (a * b) >> 32; });
  check("mul.wide.s32 %dd, %a, %b;", "%dd", pairs,
        [](U64 a, U64 b, U64) { return S64(S32(a)) * S32(b); });
  check("mul.wide.u32 %dd, %a, %b;", "%dd", pairs,
        [](U64 a, U64 b, U64) { return a * b; });
  check("min.s32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return U32(std::min(S32(a), S32(b))); });
  check("max.u32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return std::max(a, b); });
  check("neg.s32 %d, %a;", "%d", pairs,
        [](U64 a, U64, U64) { return U32(0 - a); });
  check("abs.s32 %d, %a;", "%d", pairs,
        [](U64 a, U64, U64) { return S32(a) < 0 ? U32(0 - a) : U32(a); });
  check("mul24.lo.s32 %d, %a, %b;", "%d", pairs, [](U64 a, U64 b, U64) {
    return U32(S64(S32(a << 8) >> 8) * (S32(b << 8) >> 8));
  });
  check("mul24.hi.u32 %d, %a, %b;", "%d", pairs, [](U64 a, U64 b, U64) {
    return U32(((a & 0xffffff) * (b & 0xffffff)) >> 16);
  });
}

TEST(Integer, Division) {
  Operands pairs = pairsOf(edges32());
  check("div.s32 %d, %a, %b;", "%d", pairs, [](U64 a, U64 b, U64) {
    return b == 0 ? U32(-1) : U32(S64(S32(a)) / S32(b));
  });
  check("rem.s32 %d, %a, %b;", "%d", pairs, [](U64 a, U64 b, U64) {
    return b == 0 ? U32(a) : U32(S64(S32(a)) % S32(b));
  });
  check("div.u32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return b == 0 ? U32(-1) : a / b; });
  Operands wide = pairsOf(edges64());
  check("div.s64 %dd, %ad, %bd;", "%dd", wide, [](U64 a, U64 b, U64) {
    return b == 0 ? U64(-1) : b == U64(-1) ? 0 - a : U64(S64(a) / S64(b));
  });
  check("rem.u64 %dd, %ad, %bd;", "%dd", wide,
        [](U64 a, U64 b, U64) { return b == 0 ? a : a % b; });
  check("rem.s16 %dh, %ah, %bh;", "%dh", pairsOf(edges16()),
        [](U64 a, U64 b, U64) {
          return b == 0 ? uint16_t(a) : uint16_t(int16_t(a) % int16_t(b));
        });
}

TEST(Integer, MultiplyAndAdd) {
  Operands triples = triplesOf(
      {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x12345678, 0xfffe0001});
  check("mad.lo.s32 %d, %a, %b, %c;", "%d", triples,
        [](U64 a, U64 b, U64 c) { return U32(a * b + c); });
  check("mad.hi.u32 %d, %a, %b, %c;", "%d", triples,
        [](U64 a, U64 b, U64 c) { return U32(((a * b) >> 32) + c); });
  check("mad.hi.sat.s32 %d, %a, %b, %c;", "%d", triples,
        [](U64 a, U64 b, U64 c) {
          return U32(std::clamp<S64>(((S64(S32(a)) * S32(b)) >> 32) + S32(c),
                                     INT32_MIN, INT32_MAX));
        });
  check("mad.wide.s32 %dd, %a, %b, %cd;", "%dd", triples,
        [](U64 a, U64 b, U64 c) { return U64(S64(S32(a)) * S32(b)) + c; });
  check("mad.wide.u16 %d, %ah, %bh, %c;", "%d", triples,
        [](U64 a, U64 b, U64 c) {
          return U32(U64(uint16_t(a)) * uint16_t(b) + c);
        });
  check("mad24.lo.u32 %d, %a, %b, %c;", "%d", triples, [](U64 a, U64 b, U64 c) {
    return U32((a & 0xffffff) * (b & 0xffffff) + c);
  });
  check("sad.s32 %d, %a, %b, %c;", "%d", triples, [](U64 a, U64 b, U64 c) {
    return U32(std::llabs(S64(S32(a)) - S32(b)) + c);
  });
}

TEST(Integer, Width16And64) {
  Operands halves = pairsOf(edges16());
  check("add.u16 %dh, %ah, %bh;", "%dh", halves,
        [](U64 a, U64 b, U64) { return uint16_t(a + b); });
  check("mul.lo.u16 %dh, %ah, %bh;", "%dh", halves,
        [](U64 a, U64 b, U64) { return uint16_t(a * b); });
  check("mul.hi.s16 %dh, %ah, %bh;", "%dh", halves, [](U64 a, U64 b, U64) {
    return uint16_t((int16_t(a) * int16_t(b)) >> 16);
  });
  check("max.s16 %dh, %ah, %bh;", "%dh", halves, [](U64 a, U64 b, U64) {
    return uint16_t(std::max(int16_t(a), int16_t(b)));
  });
  Operands wide = pairsOf(edges64());
  check("sub.s64 %dd, %ad, %bd;", "%dd", wide,
        [](U64 a, U64 b, U64) { return a - b; });
  check("mul.hi.s64 %dd, %ad, %bd;", "%dd", wide, [](U64 a, U64 b, U64) {
    return U64((static_cast<__int128>(S64(a)) * S64(b)) >> 64);
  });
  check("mul.hi.u64 %dd, %ad, %bd;", "%dd", wide, [](U64 a, U64 b, U64) {
    return U64((static_cast<unsigned __int128>(a) * b) >> 64);
  });
  check("min.s64 %dd, %ad, %bd;", "%dd", wide,
        [](U64 a, U64 b, U64) { return std::min(S64(a), S64(b)); });
}

TEST(Integer, CarriesChain) {
  // 128-bit sums and differences of (a, b) and (b, a).
  Operands wide = pairsOf(edges64());
  using Wide = unsigned __int128;
  check("add.cc.u64 %dd, %ad, %bd; addc.u64 %dd, %bd, %ad;", "%dd", wide,
        [](U64 a, U64 b, U64) {
          return U64(((Wide(b) << 64 | a) + (Wide(a) << 64 | b)) >> 64);
        });
  check("sub.cc.u64 %dd, %ad, %bd; subc.u64 %dd, %bd, %ad;", "%dd", wide,
        [](U64 a, U64 b, U64) {
          return U64(((Wide(b) << 64 | a) - (Wide(a) << 64 | b)) >> 64);
        });
  // 32 x 32 + 64 bits from halves.
  check("mad.lo.cc.u32 %d, %a, %b, %a; madc.hi.u32 %d, %a, %b, %b;", "%d",
        pairsOf(edges32()),
        [](U64 a, U64 b, U64) { return U32((a * b + (b << 32 | a)) >> 32); });
}

TEST(Integer, Shifts) {
  Operands pairs = pairsOf(edges32());
  check("shl.b32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return b > 31 ? 0 : U32(a << b); });
  check("shr.u32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return b > 31 ? 0 : a >> b; });
  check("shr.s32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return U32(S32(a) >> std::min<U64>(b, 31)); });
  check("shl.b64 %dd, %ad, %b;", "%dd", pairsOf(edges64(), edges32()),
        [](U64 a, U64 b, U64) { return b > 63 ? 0 : a << b; });
  check("shr.s16 %dh, %ah, %b;", "%dh", pairsOf(edges16(), edges32()),
        [](U64 a, U64 b, U64) {
          return uint16_t(int16_t(a) >> std::min<U64>(b, 15));
        });
  Operands triples = triplesOf({0, 1, 31, 32, 33, 0x80000001, 0xdeadbeef});
  auto both = [](U64 a, U64 b) { return b << 32 | a; };
  check(
      "shf.l.wrap.b32 %d, %a, %b, %c;", "%d", triples,
      [&](U64 a, U64 b, U64 c) { return U32((both(a, b) << (c & 31)) >> 32); });
  check("shf.r.wrap.b32 %d, %a, %b, %c;", "%d", triples,
        [&](U64 a, U64 b, U64 c) { return U32(both(a, b) >> (c & 31)); });
  check("shf.l.clamp.b32 %d, %a, %b, %c;", "%d", triples,
        [&](U64 a, U64 b, U64 c) {
          return c >= 32 ? U32(a) : U32((both(a, b) << c) >> 32);
        });
  check("shf.r.clamp.b32 %d, %a, %b, %c;", "%d", triples,
        [&](U64 a, U64 b, U64 c) {
          return c >= 32 ? U32(b) : U32(both(a, b) >> c);
        });
}

TEST(Integer, BitFields) {
  std::vector<uint64_t> places = {0, 1, 5, 8, 31, 32, 33, 63, 64, 255, 0x105};
  for (uint64_t value : {0x12345678u, 0x80000001u, 0xffffffffu, 0u}) {
    Operands operands = pairsOf(places);
    operands.c = operands.b;
    operands.b = operands.a;
    operands.a.assign(operands.b.size(), value);
    auto extract = [](U64 a, U64 b, U64 c, int top, bool isSigned) {
      U64 position = b & 0xff, length = c & 0xff, result = 0;
      bool sign = isSigned && length != 0 &&
                  (a >> std::min<U64>(position + length - 1, top) & 1);
      for (U64 i = 0; i <= U64(top); ++i) {
        bool bit = i < length && position + i <= U64(top)
                       ? a >> (position + i) & 1
                       : sign;
        result |= U64(bit) << i;
      }
      return result;
    };
    check("bfe.u32 %d, %a, %b, %c;", "%d", operands,
          [&](U64 a, U64 b, U64 c) { return extract(a, b, c, 31, false); });
    check("bfe.s32 %d, %a, %b, %c;", "%d", operands,
          [&](U64 a, U64 b, U64 c) { return extract(a, b, c, 31, true); });
    check("bfe.s64 %dd, %ad, %b, %c;", "%dd", operands,
          [&](U64 a, U64 b, U64 c) { return extract(a, b, c, 63, true); });
    check("bfi.b32 %d, %a, 0x0f0f0f0f, %b, %c;", "%d", operands,
          [](U64 a, U64 b, U64 c) {
            U64 result = 0x0f0f0f0f, position = b & 0xff, length = c & 0xff;
            for (U64 i = 0; i < length && position + i < 32; ++i)
              result = (result & ~(U64(1) << (position + i))) |
                       (a >> i & 1) << (position + i);
            return result;
          });
  }
}

TEST(Integer, BitCounts) {
  Operands values = {edges64(), {}, {}};
  check("clz.b32 %d, %a;", "%d", values, [](U64 a, U64, U64) {
    int count = 0;
    while (count < 32 && !(a >> (31 - count) & 1))
      ++count;
    return count;
  });
  check("popc.b64 %d, %ad;", "%d", values, [](U64 a, U64, U64) {
    int count = 0;
    for (; a; a &= a - 1)
      ++count;
    return count;
  });
  check("brev.b32 %d, %a;", "%d", values, [](U64 a, U64, U64) {
    U32 result = 0;
    for (int i = 0; i < 32; ++i)
      result |= U32(a >> i & 1) << (31 - i);
    return result;
  });
  check("bfind.s32 %d, %a;", "%d", values, [](U64 a, U64, U64) {
    U32 x = S32(a) < 0 ? ~U32(a) : U32(a);
    for (int i = 31; i >= 0; --i)
      if (x >> i & 1)
        return U32(i);
    return U32(-1);
  });
  check("bfind.shiftamt.u64 %d, %ad;", "%d", values, [](U64 a, U64, U64) {
    for (int i = 63; i >= 0; --i)
      if (a >> i & 1)
        return U32(63 - i);
    return U32(-1);
  });
  check("cnot.b32 %d, %a;", "%d", values,
        [](U64 a, U64, U64) { return U32(a) == 0; });
  check("not.b64 %dd, %ad;", "%dd", values, [](U64 a, U64, U64) { return ~a; });
}

TEST(Integer, Logic) {
  Operands triples = triplesOf({0, 0xffffffff, 0xf0f0f0f0, 0xcccccccc, 7});
  for (unsigned table : {0x96u, 0xe8u, 0x01u, 0x80u, 0x1bu})
    check("lop3.b32 %d, %a, %b, %c, " + std::to_string(table) + ";", "%d",
          triples, [&](U64 a, U64 b, U64 c) {
            U32 result = 0;
            for (int i = 0; i < 32; ++i)
              result |= (table >> ((a >> i & 1) * 4 + (b >> i & 1) * 2 +
                                   (c >> i & 1)) &
                         1)
                        << i;
            return result;
          });
  check("and.pred %pd, %pa, !%pb; xor.pred %pd, %pd, %pc;", "%pd", triples,
        [](U64 a, U64 b, U64 c) { return ((a & ~b) ^ c) & 1; });
  check("not.pred %pd, %pa; or.pred %pd, %pd, %pb;", "%pd", triples,
        [](U64 a, U64 b, U64) { return (~a | b) & 1; });
  check("xor.b16 %dh, %ah, %bh;", "%dh", triples,
        [](U64 a, U64 b, U64) { return uint16_t(a ^ b); });
}

TEST(Integer, Permutations) {
  Operands operands = pairsOf({0x3210, 0x7654, 0x0123, 0xfedc, 0x8888, 0x5140});
  operands.c = operands.a;
  operands.a.assign(operands.b.size(), 0x83828180);
  operands.b.assign(operands.a.size(), 0x77867584);
  check("prmt.b32 %d, %a, %b, %c;", "%d", operands, [](U64 a, U64 b, U64 c) {
    U32 result = 0;
    for (int i = 0; i < 4; ++i) {
      U32 selector = U32(c) >> (4 * i) & 15;
      U32 byte = U32((b << 32 | a) >> (8 * (selector & 7))) & 0xff;
      result |= (selector & 8 ? (byte & 0x80 ? 0xff : 0) : byte) << (8 * i);
    }
    return result;
  });
  check("prmt.b32.rc16 %d, %a, %b, 1;", "%d", operands,
        [](U64 a, U64, U64) { return U32(a >> 16 | (a & 0xffff0000)); });
  check("szext.clamp.s32 %d, %a, %b;", "%d",
        pairsOf({0x80, 0xff7f, 0xffffffff}, {0, 1, 8, 31, 32, 99}),
        [](U64 a, U64 b, U64) {
          if (b == 0)
            return U32(0);
          int left = 32 - int(std::min<U64>(b, 32));
          return U32(S32(U32(a) << left) >> left);
        });
}

TEST(Integer, DotProducts) {
  Operands triples = triplesOf(
      {0, 0x7f80ff01, 0x80808080, 0xffffffff, 0x01020304, 0x7fff8000});
  auto dot = [](U64 a, U64 b, U64 c, bool aSigned, bool bSigned) {
    S64 sum = S64(c);
    for (int i = 0; i < 4; ++i) {
      S64 x = aSigned ? S64(int8_t(a >> (8 * i))) : S64(uint8_t(a >> (8 * i)));
      S64 y = bSigned ? S64(int8_t(b >> (8 * i))) : S64(uint8_t(b >> (8 * i)));
      sum += x * y;
    }
    return U32(sum);
  };
  for (int i = 0; i < 4; ++i) {
    std::string types =
        std::string(i & 1 ? ".s32" : ".u32") + (i & 2 ? ".s32" : ".u32");
    check("dp4a" + types + " %d, %a, %b, %c;", "%d", triples,
          [&](U64 a, U64 b, U64 c) { return dot(a, b, c, i & 1, i & 2); });
  }
  check("dp2a.hi.s32.u32 %d, %a, %b, %c;", "%d", triples,
        [](U64 a, U64 b, U64 c) {
          return U32(S64(c) + S64(int16_t(a)) * uint8_t(b >> 16) +
                     S64(int16_t(a >> 16)) * uint8_t(b >> 24));
        });
}

TEST(Integer, Comparisons) {
  Operands pairs = pairsOf(edges32());
  check("setp.lt.s32 %pd, %a, %b;", "%pd", pairs,
        [](U64 a, U64 b, U64) { return S32(a) < S32(b); });
  check("setp.hs.u32 %pd, %a, %b;", "%pd", pairs,
        [](U64 a, U64 b, U64) { return a >= b; });
  check("setp.ne.b32 %pd, %a, %b;", "%pd", pairs,
        [](U64 a, U64 b, U64) { return a != b; });
  check("setp.gt.and.s32 %pe|%pd, %a, %b, !%pa;", "%pd", pairs,
        [](U64 a, U64 b, U64) { return !(S32(a) > S32(b)) && !(a & 1); });
  check("setp.le.xor.u32 %pd, %a, %b, %pb;", "%pd", pairs,
        [](U64 a, U64 b, U64) { return (a <= b) != (b & 1); });
  check("set.ge.u32.s32 %d, %a, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return S32(a) >= S32(b) ? 0xffffffff : 0; });
  check("selp.b32 %d, %a, %b, %pb;", "%d", pairs,
        [](U64 a, U64 b, U64) { return b & 1 ? a : b; });
  check("slct.b32.s32 %d, %a, %b, %b;", "%d", pairs,
        [](U64 a, U64 b, U64) { return S32(b) >= 0 ? a : b; });
  check("setp.lt.s64 %pd, %ad, %bd;", "%pd", pairsOf(edges64()),
        [](U64 a, U64 b, U64) { return S64(a) < S64(b); });
  check("setp.gt.s16 %pd, %ah, %bh;", "%pd", pairsOf(edges16()),
        [](U64 a, U64 b, U64) { return int16_t(a) > int16_t(b); });
}

TEST(Integer, Packing) {
  Operands values = pairsOf(edges32());
  check("mov.b64 %dd, {%a, %b};", "%dd", values,
        [](U64 a, U64 b, U64) { return b << 32 | a; });
  check("mov.b32 {%ah, %bh}, %a; mov.b32 %d, {%bh, %ah};", "%d", values,
        [](U64 a, U64, U64) { return U32(a >> 16 | a << 16); });
  check("mov.b64 {_, %d}, %ad;", "%d", {edges64(), {}, {}},
        [](U64 a, U64, U64) { return a >> 32; });
}

} // namespace
} // namespace ndl::test

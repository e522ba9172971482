// Divergence, barriers, operations between lanes, atomics and memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Simulated.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace ndl::test {
namespace {

/// Runs statements that leave a word of each thread in %r1; `threads` in one
/// block. %rd0 holds the thread's place in the output.
std::vector<uint32_t> words(const std::string &statements,
                            uint32_t threads = 32, uint64_t seed = 0) {
  Simulated device(
      kernel("mul.wide.u32 %rd3, %r0, 4; add.u64 %rd0, %rd0, %rd3;" +
             statements + "\nst.global.u32 [%rd0], %r1; ret;"));
  device.config.block.x = threads;
  device.config.seed = seed;
  device.config.instructionLimit = 10000000;
  uint64_t out = device.upload(std::vector<uint32_t>(threads));
  device.expectRun("k", {out, 0, 0});
  return device.download<uint32_t>(out, threads);
}

template <typename Expected>
void expectWords(const std::string &statements, Expected expected,
                 uint32_t threads = 32) {
  for (uint64_t seed : {0, 1, 2}) {
    std::vector<uint32_t> got = words(statements, threads, seed);
    for (uint32_t i = 0; i < threads; ++i)
      ASSERT_EQ(got[i], uint32_t(expected(i))) << i << " seed " << seed;
  }
}

TEST(Control, Diverges) {
  // Different numbers of turns, with a branch inside.
  expectWords(R"(mov.u32 %r1, 0; mov.u32 %r2, 0;
$LOOP: setp.ge.u32 %p1, %r2, %r0; @%p1 bra $END;
and.b32 %r3, %r2, 1; setp.eq.u32 %p2, %r3, 0; @%p2 bra $EVEN;
add.u32 %r1, %r1, 10; bra.uni $NEXT;
$EVEN: add.u32 %r1, %r1, 1;
$NEXT: add.u32 %r2, %r2, 1; bra $LOOP;
$END:)",
              [](uint32_t i) { return (i + 1) / 2 + i / 2 * 10; });
  // Into the middle of a loop: not structured.
  expectWords(R"(mov.u32 %r1, 0; setp.lt.u32 %p1, %r0, 7; @%p1 bra $MID;
$TOP: add.u32 %r1, %r1, 1;
$MID: add.u32 %r1, %r1, 100; setp.lt.u32 %p2, %r1, 300; @%p2 bra $TOP;)",
              [](uint32_t i) { return i < 7 ? 302 : 303; });
}

TEST(Control, BranchesByIndex) {
  expectWords(R"($T: .branchtargets $A, $B, $C;
and.b32 %r2, %r0, 3; min.u32 %r2, %r2, 2;
brx.idx %r2, $T;
$A: mov.u32 %r1, 5; bra $END;
$B: mov.u32 %r1, 6; bra $END;
$C: mov.u32 %r1, 7;
$END:)",
              [](uint32_t i) { return 5 + std::min(i & 3, 2u); });
}

TEST(Control, LanesReconvergeAtAlignedOperations) {
  // The lower program counter is ahead: lanes must wait at the vote.
  expectWords(R"(setp.lt.u32 %p1, %r0, 10; mov.u32 %r1, 3;
@%p1 bra $SHORT; bra $LONG;
$JOIN: vote.sync.ballot.b32 %r1, %p1, -1; bar.sync 0; bra $END;
$SHORT: bra $JOIN;
$LONG: add.u32 %r1, %r1, 1; bra $JOIN;
$END:)",
              [](uint32_t) { return 0x3ff; });
}

TEST(Control, LanesThatHoldOthersBackGiveWay) {
  // Lane 0 sets the flag that the others, which come first, wait for.
  expectWords(R"(.shared .align 4 .u32 flag; mov.u32 %r2, 0; mov.u32 %r1, 1;
setp.eq.u32 %p1, %r0, 0; @%p1 st.volatile.shared.u32 [flag], %r2;
bar.warp.sync -1; @%p1 bra $SET;
$SPIN: ld.volatile.shared.u32 %r3, [flag]; setp.eq.u32 %p2, %r3, 0;
@%p2 bra $SPIN; bra $END;
$SET: mov.u32 %r2, 9; st.volatile.shared.u32 [flag], %r2; mov.u32 %r3, 9;
$END: mov.u32 %r1, %r3;)",
              [](uint32_t) { return 9; });
}

TEST(Control, BarrierWithoutAligned) {
  expectWords(
      R"(.shared .align 4 .b8 tile[512]; setp.lt.u32 %p1, %r0, 50;
shl.b32 %r2, %r0, 2; st.shared.u32 [%r2], %r0; @%p1 bra $A;
barrier.sync 0; bra $B;
$A: barrier.sync 0;
$B: xor.b32 %r3, %r2, 256; ld.shared.u32 %r1, [%r3];)",
      [](uint32_t i) { return i ^ 64; }, 128);
}

TEST(Control, BarrierReductions) {
  expectWords(
      "setp.lt.u32 %p1, %r0, 70; bar.red.popc.u32 %r1, 0, %p1;",
      [](uint32_t) { return 70; }, 96);
  expectWords(
      "setp.lt.u32 %p1, %r0, 70; bar.red.and.pred %p2, 0, 96, %p1;"
      "bar.red.or.pred %p3, 1, !%p1; selp.u32 %r1, 1, 0, %p2;"
      "selp.u32 %r2, 2, 0, %p3; or.b32 %r1, %r1, %r2;",
      [](uint32_t) { return 2; }, 96);
}

TEST(Control, ProducersArriveWithoutWaiting) {
  expectWords(
      R"(.shared .align 4 .b8 tile[128]; setp.ge.u32 %p1, %r0, 32;
and.b32 %r2, %r0, 31; shl.b32 %r2, %r2, 2; mov.u32 %r1, 0; @%p1 bra $USE;
st.shared.u32 [%r2], %r0; bar.arrive 3, 64; bra $END;
$USE: bar.sync 3, 64; ld.shared.u32 %r1, [%r2];
$END:)",
      [](uint32_t i) { return i < 32 ? 0 : i - 32; }, 64);
}

TEST(Lanes, Shuffles) {
  // c: clamp in bits 0…4, segment mask in bits 8…12.
  expectWords("shfl.sync.up.b32 %r1|%p1, %r0, 3, 0, -1; @!%p1 mov.u32 %r1, 99;",
              [](uint32_t i) { return i < 3 ? 99 : i - 3; });
  expectWords("shfl.sync.down.b32 %r1, %r0, 5, 31, -1;",
              [](uint32_t i) { return i + 5 > 31 ? i : i + 5; });
  expectWords("shfl.sync.bfly.b32 %r1, %r0, 9, 31, -1;",
              [](uint32_t i) { return i ^ 9; });
  expectWords("shfl.sync.idx.b32 %r1, %r0, 6, 0x181f, -1;",
              [](uint32_t i) { return (i & 24) | 6; });
  expectWords("shfl.sync.down.b32 %r1|%p1, %r0, 3, 0x181f, -1;"
              "selp.u32 %r2, 100, 0, %p1; add.u32 %r1, %r1, %r2;",
              [](uint32_t i) { return (i & 7) + 3 > 7 ? i : i + 3 + 100; });
  // Halves of the warp, each on its way.
  expectWords("setp.lt.u32 %p1, %r0, 16; @%p1 bra $A;"
              "shfl.sync.bfly.b32 %r1, %r0, 1, 31, 0xffff0000; bra $B;"
              "$A: shfl.sync.bfly.b32 %r1, %r0, 2, 31, 0xffff; $B:",
              [](uint32_t i) { return i < 16 ? i ^ 2 : i ^ 1; });
}

TEST(Lanes, VotesMatchesAndReductions) {
  std::string odd = "and.b32 %r2, %r0, 1; setp.ne.u32 %p1, %r2, 0;";
  expectWords(odd + "vote.sync.ballot.b32 %r1, !%p1, -1;",
              [](uint32_t) { return 0x55555555; });
  expectWords(odd + "vote.sync.all.pred %p2, %p1, -1;"
                    "vote.sync.any.pred %p3, %p1, -1;"
                    "vote.sync.uni.pred %p4, %p1, -1; selp.u32 %r1,1,0,%p2;"
                    "selp.u32 %r2,2,0,%p3; selp.u32 %r3,4,0,%p4;"
                    "or.b32 %r1,%r1,%r2; or.b32 %r1,%r1,%r3;",
              [](uint32_t) { return 2; });
  expectWords("and.b32 %r2, %r0, 3; match.any.sync.b32 %r1, %r2, -1;",
              [](uint32_t i) { return 0x11111111u << (i & 3); });
  expectWords("match.all.sync.b32 %r1|%p1, %r0, -1;",
              [](uint32_t) { return 0; });
  expectWords("redux.sync.add.u32 %r1, %r0, -1;", [](uint32_t) { return 496; });
  expectWords("sub.u32 %r2, %r0, 5; redux.sync.min.s32 %r1, %r2, -1;",
              [](uint32_t) { return -5; });
  expectWords("elect.sync _|%p1, -1; selp.u32 %r1, 1, 0, %p1;",
              [](uint32_t i) { return i == 0; });
  expectWords(
      "mov.u32 %r1, 0; setp.gt.u32 %p1, %r0, 29; @%p1 activemask.b32 %r1;",
      [](uint32_t i) { return i > 29 ? 0xc0000000 : 0; });
  expectWords("mov.u32 %r1, %lanemask_le; mov.u32 %r2, %laneid;"
              "shr.u32 %r1, %r1, %r2;",
              [](uint32_t) { return 1; });
}

TEST(Memory, WidthsAndSigns) {
  expectWords(
      R"(.shared .align 16 .b8 tile[512]; shl.b32 %r2, %r0, 4;
mov.u32 %r3, -2; st.shared.u8 [%r2], %r3; mov.b16 %h1, 0x8001;
st.shared.u16 [%r2+2], %h1; st.shared.v2.u32 [%r2+8], {%r0, %r3};
ld.shared.s8 %r1, [%r2]; ld.shared.u8 %r4, [%r2]; add.u32 %r1, %r1, %r4;
ld.shared.s16 %r4, [%r2+2]; add.u32 %r1, %r1, %r4;
ld.shared.v2.u32 {%r5, %r6}, [%r2+8]; add.u32 %r1, %r1, %r5;
add.u32 %r1, %r1, %r6; ld.shared.s8 %rd4, [%r2]; cvt.u32.u64 %r7, %rd4;
add.u32 %r1, %r1, %r7;)",
      [](uint32_t i) { return uint32_t(-2 + 254 - 32767 + int(i) - 2 - 2); });
}

TEST(Memory, GenericAddresses) {
  expectWords(R"(.shared .align 8 .b8 tile[256]; .local .align 8 .b8 mine[16];
mov.u64 %rd4, tile; cvta.shared.u64 %rd4, %rd4; mul.wide.u32 %rd5, %r0, 8;
add.u64 %rd4, %rd4, %rd5; st.u32 [%rd4], %r0;
mov.u64 %rd6, mine; cvta.local.u64 %rd6, %rd6; st.u32 [%rd6+4], %r0;
ld.u32 %r1, [%rd4]; ld.u32 %r2, [%rd6+4]; add.u32 %r1, %r1, %r2;
isspacep.shared %p1, %rd4; selp.u32 %r2, 100, 0, %p1; add.u32 %r1, %r1, %r2;
isspacep.global %p1, %rd6; selp.u32 %r2, 100, 0, %p1; add.u32 %r1, %r1, %r2;
cvta.to.shared.u64 %rd7, %rd4; sub.u64 %rd7, %rd7, %rd5; cvt.u32.u64 %r2, %rd7;
add.u32 %r1, %r1, %r2;)",
              [](uint32_t i) { return 2 * i + 100; });
}

TEST(Memory, Atomics) {
  // Each operation by 64 threads on one word; then what is left.
  auto result = [](const std::string &op, const std::string &operand,
                   const std::string &start) {
    return words(".shared .align 8 .b8 cell[8]; setp.eq.u32 %p1, %r0, 0;"
                 "mov.b32 %r2, " +
                     start +
                     "; @%p1 st.shared.u32 [cell], %r2;"
                     "bar.sync 0;" +
                     operand + "red.shared." + op +
                     " [cell], %r3; bar.sync 0; ld.shared.u32 %r1, [cell];",
                 64, 3)[0];
  };
  std::string thread = "mov.u32 %r3, %r0;";
  EXPECT_EQ(result("add.u32", thread, "1"), 2017u);
  EXPECT_EQ(result("min.s32", "sub.u32 %r3, %r0, 9;", "5"), uint32_t(-9));
  EXPECT_EQ(result("max.u32", thread, "5"), 63u);
  EXPECT_EQ(result("or.b32", thread, "64"), 127u);
  EXPECT_EQ(result("and.b32", "mov.u32 %r3, 12;", "10"), 8u);
  EXPECT_EQ(result("xor.b32", thread, "3"), 3u);
  EXPECT_EQ(result("inc.u32", "mov.u32 %r3, 9;", "0"), 4u);
  EXPECT_EQ(result("dec.u32", "mov.u32 %r3, 9;", "0"), 6u);
  EXPECT_EQ(result("add.f32", "cvt.rn.f32.u32 %r3, %r0;", "0f3F800000"),
            bits<uint32_t>(2017.0f));
  EXPECT_EQ(result("add.noftz.f16x2", "mov.u32 %r3, 0x3c004000;", "0"),
            0x54005800u);
  // cas and exch give what was there: a chain of all threads.
  std::vector<uint32_t> chain =
      words(".shared .align 4 .b8 cell[4]; setp.eq.u32 %p1, %r0, 0;"
            "mov.u32 %r2, 1000; @%p1 st.shared.u32 [cell], %r2; bar.sync 0;"
            "atom.shared.exch.b32 %r1, [cell], %r0;",
            64, 3);
  std::sort(chain.begin(), chain.end());
  EXPECT_EQ(std::unique(chain.begin(), chain.end()), chain.end());
  EXPECT_EQ(chain.back(), 1000u);
  EXPECT_EQ(words(".shared .align 4 .b8 cell[4]; setp.eq.u32 %p1, %r0, 0;"
                  "mov.u32 %r2, 7; @%p1 st.shared.u32 [cell], %r2; bar.sync 0;"
                  "atom.shared.cas.b32 %r1, [cell], 7, %r0;",
                  1)[0],
            7u);
}

TEST(Memory, AsyncCopies) {
  // 32 threads copy 16 bytes each; those past 20 only 5 bytes, and past 30
  // none.
  Simulated device(kernel(R"(.shared .align 16 .b8 tile[512];
mul.wide.u32 %rd3, %r0, 16; add.u64 %rd4, %rd0, %rd3; shl.b32 %r1, %r0, 4;
setp.gt.u32 %p1, %r0, 20; selp.u32 %r2, 5, 16, %p1; setp.gt.u32 %p2, %r0, 30;
@!%p2 cp.async.cg.shared.global [%r1], [%rd4], 16, %r2;
@%p2 cp.async.ca.shared.global.L2::128B [%r1], [%rd4], 16, %p2;
cp.async.commit_group; cp.async.wait_group 0;
ld.shared.v2.u64 {%rd5, %rd6}, [%r1]; add.u64 %rd7, %rd1, %rd3;
st.global.v2.u64 [%rd7], {%rd5, %rd6}; ret;)"));
  std::vector<uint8_t> in(512), expected(512);
  for (size_t i = 0; i < in.size(); ++i) {
    in[i] = static_cast<uint8_t>(i * 3 + 1);
    size_t thread = i / 16;
    bool isCopied = thread <= 20 || (thread <= 30 && i % 16 < 5);
    expected[i] = isCopied ? in[i] : 0;
  }
  uint64_t out = device.upload(std::vector<uint8_t>(512));
  device.config.block.x = 32;
  device.expectRun("k", {device.upload(in), out, 0});
  EXPECT_EQ(device.download<uint8_t>(out, 512), expected);
}

TEST(Memory, CopyGroupsEndInOrder) {
  // Two groups; after wait_group 1 the first is there and the second is not.
  auto fault = [](const std::string &from) {
    Simulated device(kernel(R"(.shared .align 16 .b8 tile[32];
cp.async.ca.shared.global [0], [%rd0], 4; cp.async.commit_group;
cp.async.ca.shared.global [16], [%rd0], 4; cp.async.commit_group;
cp.async.wait_group 1; ld.shared.u32 %r1, [)" +
                            from + "]; ret;"));
    return device.faultOf("k", {device.upload(std::vector<int>(4)), 0, 0});
  };
  EXPECT_EQ(fault("0"), "");
  EXPECT_NE(fault("16").find("missing cp.async.wait_group"), std::string::npos);
}

/// Sums 256 numbers in shared memory by halves.
std::string reduction(const std::string &barrier) {
  return R"(.shared .align 4 .b8 tile[1024]; shl.b32 %r2, %r0, 2;
mul.lo.u32 %r3, %r0, %r0; st.shared.u32 [%r2], %r3; mov.u32 %r4, 128;
$LOOP: )" +
         barrier + R"(setp.lt.u32 %p1, %r0, %r4; @!%p1 bra $SKIP;
shl.b32 %r5, %r4, 2; add.u32 %r5, %r5, %r2; ld.shared.u32 %r6, [%r5];
ld.shared.u32 %r7, [%r2]; add.u32 %r7, %r7, %r6; st.shared.u32 [%r2], %r7;
$SKIP: shr.u32 %r4, %r4, 1; setp.ne.u32 %p2, %r4, 0; @%p2 bra $LOOP;
bar.sync 0; ld.shared.u32 %r1, [0];)";
}

TEST(Order, DoesNotMatterWithBarriers) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<uint32_t> got = words(reduction("bar.sync 0;"), 256, seed);
    EXPECT_EQ(got, std::vector<uint32_t>(256, 5559680)) << seed;
    // The same seed gives the same.
    EXPECT_EQ(words(reduction("bar.sync 0;"), 256, seed), got);
  }
}

TEST(Order, RacesAreFoundInAnyOrder) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Simulated device(kernel(reduction("") + "ret;"));
    device.config.block.x = 256;
    device.config.seed = seed;
    std::string text = device.faultOf("k", {0, 0, 0});
    EXPECT_TRUE(text.find("missing bar.sync") != std::string::npos ||
                text.find("uninitialized shared memory") != std::string::npos)
        << seed << ": " << text;
  }
}

TEST(Order, BlocksAreShuffled) {
  // Each block takes a ticket.
  Simulated device(kernel("mov.u32 %r1, %ctaid.x; atom.global.add.u32 %r2, "
                          "[%rd0], 1; mul.wide.u32 %rd3, %r2, 4; add.u64 %rd3, "
                          "%rd1, %rd3; st.global.u32 [%rd3], %r1; ret;"));
  device.config.grid.x = 50;
  for (uint64_t seed : {0, 4}) {
    device.config.seed = seed;
    uint64_t out = device.upload(std::vector<uint32_t>(50));
    device.expectRun("k", {device.upload<uint32_t>({0}), out, 0});
    std::vector<uint32_t> order = device.download<uint32_t>(out, 50);
    EXPECT_EQ(std::is_sorted(order.begin(), order.end()), seed == 0);
    std::sort(order.begin(), order.end());
    for (uint32_t i = 0; i < 50; ++i)
      EXPECT_EQ(order[i], i);
  }
}

/// Prints how fast instructions of some kinds are; asserts nothing of it.
TEST(Speed, DISABLED_Instructions) {
  struct Case {
    const char *name, *code;
  };
  const Case cases[] = {
      {"add.s32", "add.s32 %r1, %r2, %r3;"},
      {"mad.lo.s32", "mad.lo.s32 %r1, %r2, %r3, %r4;"},
      {"add.f32", "add.f32 %f1, %f2, %f3;"},
      {"fma.rn.f32", "fma.rn.f32 %f1, %f2, %f3, %f4;"},
      {"setp.lt.s32", "setp.lt.s32 %p1, %r2, %r3;"},
      {"cvt.rn.f32.s32", "cvt.rn.f32.s32 %f1, %r2;"},
      {"cvt.rni.s32.f32", "cvt.rni.s32.f32 %r1, %f2;"},
      {"ld.shared.f32", "ld.shared.f32 %f1, [%r5];"},
      {"ld.shared.v4", "ld.shared.v4.u32 {%r10,%r11,%r12,%r13}, [%r7];"},
      {"st.shared.f32", "st.shared.f32 [%r5], %f2;"},
      {"ld.global.f32", "ld.global.f32 %f1, [%rd3];"},
      {"shfl.sync.bfly", "shfl.sync.bfly.b32 %r1, %r2, 3, 31, -1;"},
      {"ldmatrix.x4", "ldmatrix.sync.aligned.m8n8.x4.shared.b16 "
                      "{%r10,%r11,%r12,%r13}, [%r7];"},
      {"mma.m16n8k32", "mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 "
                       "{%r20,%r21,%r22,%r23}, {%r10,%r11,%r12,%r13}, "
                       "{%r14,%r15}, {%r20,%r21,%r22,%r23};"}};
  for (const Case &one : cases) {
    std::string body = ".shared .align 16 .b8 tile[512]; shl.b32 %r5, %r0, 2;"
                       "shl.b32 %r7, %r0, 4; st.shared.v4.u32 [%r7], "
                       "{%r0,%r0,%r0,%r0}; mul.wide.u32 %rd3, %r0, 4;"
                       "add.u64 %rd3, %rd0, %rd3; mov.u32 %r9, 0;\n$L:\n";
    for (int i = 0; i < 100; ++i)
      body += one.code;
    body +=
        "add.u32 %r9, %r9, 1; setp.lt.u32 %p9, %r9, 2000; @%p9 bra $L; ret;";
    Simulated device(kernel(body));
    device.config.block.x = 32;
    uint64_t data = device.upload(std::vector<float>(32));
    auto start = std::chrono::steady_clock::now();
    device.expectRun("k", {data, 0, 0});
    double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    std::printf("%-18s %7.2f million warp-instructions per second\n", one.name,
                0.2 / seconds);
  }
}

} // namespace
} // namespace ndl::test

// Bugs that are planted, and what the simulated device says of each.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Simulated.h"

namespace ndl::test {
namespace {

using namespace cudasim;

/// The fault of a kernel, launched with one block of `threads`; %rd0 is an
/// allocation of 4096 bytes.
struct Planted {
  explicit Planted(const std::string &statements, uint32_t threads = 32,
                   uint64_t seed = 0)
      : device(kernel(statements)) {
    device.config.block.x = threads;
    device.config.seed = seed;
    device.config.instructionLimit = 100000;
    data = device.upload(std::vector<uint8_t>(4096));
    text = device.faultOf("k", {data, 0, 0});
    message = device.fault.message;
  }
  Simulated device;
  uint64_t data = 0;
  std::string text, message;
};

const char *const tile = ".shared .align 16 .b8 tile[256];";

TEST(Diagnostics, NameKernelLineBlockAndThread) {
  Planted bug("add.u32 %r1, %r0, 0;\nsetp.eq.u32 %p1, %r1, 40;\n@%p1\n"
              "ld.global.u32   %r2,\n  [%rd1];\nret;",
              64);
  EXPECT_EQ(bug.text,
            "kernel `k`, PTX line 20 (ld.global.u32 %r2, [%rd1]), block "
            "(0,0,0), thread (40,0,0): out of bounds: reads 4 bytes at 0x0, a "
            "null pointer");
  EXPECT_EQ(bug.device.fault.kind, FaultKind::IllegalAddress);
}

TEST(Diagnostics, GlobalAccesses) {
  std::string start = "mul.wide.u32 %rd3, %r0, 4; add.u64 %rd3, %rd0, %rd3;";
  EXPECT_EQ(Planted(start + "ld.global.u32 %r1, [%rd3+3976]; ret;")
                .message.substr(0, 31),
            "out of bounds: reads 4 bytes at");
  Planted past(start + "st.global.u32 [%rd3+3976], %r1; ret;");
  EXPECT_NE(past.message.find("writes 4 bytes at"), std::string::npos);
  EXPECT_NE(past.message.find("0 bytes past the end of an allocation of 4096 "
                              "bytes"),
            std::string::npos)
      << past.message;
  EXPECT_EQ(past.device.fault.thread.x, 30u);
  Planted odd("ld.global.u32 %r1, [%rd0+2]; ret;");
  EXPECT_NE(odd.message.find("which is no multiple of 4"), std::string::npos);
  EXPECT_EQ(odd.device.fault.kind, FaultKind::MisalignedAddress);
  Planted host("mov.u64 %rd3, 0x7ffc12345678; ld.u32 %r1, [%rd3]; ret;");
  EXPECT_NE(host.message.find("in no memory of the device (a host pointer?)"),
            std::string::npos)
      << host.message;
}

TEST(Diagnostics, SharedLocalAndParameterAccesses) {
  std::string decl = std::string(tile) + "mov.u32 %r1, tile;";
  EXPECT_EQ(Planted(decl + "st.shared.u32 [%r1+256], %r0; ret;").message,
            "out of bounds: writes 4 bytes at shared address 256 (`tile` + "
            "256), which reaches byte 260 of 256");
  EXPECT_EQ(Planted(decl + "st.shared.u32 [%r1+2], %r0; ret;").message,
            "misaligned: writes 4 bytes at shared address 2 (`tile` + 2), "
            "which is no multiple of 4");
  EXPECT_EQ(Planted(".local .align 8 .b8 depot[16]; mov.u64 %rd3, depot;"
                    "st.local.u64 [%rd3+16], %rd3; ret;")
                .message,
            "out of bounds: writes 8 bytes at local address 16, which reaches "
            "byte 24 of 16");
  EXPECT_EQ(Planted("ld.param.u64 %rd3, [q2+8]; ret;").message,
            "out of bounds: reads 8 bytes at param address 24, which reaches "
            "byte 32 of 24");
}

TEST(Diagnostics, UninitializedSharedMemory) {
  std::string decl = std::string(tile) + "shl.b32 %r1, %r0, 2;"
                                         "mov.u32 %r2, tile;"
                                         "add.u32 %r1, %r1, %r2;";
  EXPECT_EQ(Planted(decl + "ld.shared.u32 %r3, [%r1]; ret;").message,
            "uninitialized shared memory: reads 4 bytes at shared address 0 "
            "(`tile` + 0), but nothing has been written to byte 0");
  EXPECT_EQ(Planted(decl + "st.shared.u8 [%r1], %r0; st.shared.u8 [%r1+1], "
                           "%r0; ld.shared.u32 %r3, [%r1]; ret;")
                .message,
            "uninitialized shared memory: reads 4 bytes at shared address 0 "
            "(`tile` + 0), but nothing has been written to byte 2");
  // A block does not see what the block before has left.
  Planted good(decl + "st.shared.u32 [%r1], %r0; ld.shared.u32 %r3, [%r1]; "
                      "ret;");
  EXPECT_EQ(good.text, "");
}

TEST(Diagnostics, MissingBarrier) {
  // Thread i writes word i and reads word 63 - i.
  std::string before = std::string(tile) +
                       "shl.b32 %r1, %r0, 2; mov.u32 %r2, 63;"
                       "sub.u32 %r2, %r2, %r0; shl.b32 %r2, %r2, 2;\n"
                       "st.shared.u32 [%r1], %r0;\n";
  std::string after = "ld.shared.u32 %r3, [%r2]; ret;";
  EXPECT_EQ(Planted(before + "bar.sync 0;" + after, 64).text, "");
  Planted race(std::string(tile) + "shl.b32 %r1, %r0, 2; and.b32 %r2, %r1, 127;"
                                   "\nst.shared.u32 [%r2], %r0; ret;",
               64);
  EXPECT_EQ(race.message,
            "missing bar.sync: warp 1 writes 4 bytes at shared address 0 "
            "(`tile` + 0), but warp 0 has written byte 0 at PTX line 18 and no "
            "barrier is in between (a shared-memory race)");
  EXPECT_EQ(race.device.fault.thread.x, 32u);
  // Without the barrier, the first to read finds nothing or, after the other
  // warp, a race: never silence.
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Planted bug(before + after, 64, seed);
    EXPECT_TRUE(bug.message.find("missing bar.sync") == 0 ||
                bug.message.find("uninitialized shared memory") == 0)
        << bug.message;
  }
}

TEST(Diagnostics, MissingBarrierAfterReading) {
  std::string code = std::string(tile) +
                     "mov.u32 %r1, 0; setp.lt.u32 %p1, %r0, 32;"
                     "@%p1 st.shared.u32 [%r1], %r0; bar.sync 0;\n"
                     "@!%p1 ld.shared.u32 %r2, [%r1];\n";
  // Warp 0 completes the barrier last, and warp 1 goes on first.
  std::string write = "@%p1 st.shared.u32 [%r1], %r0; ret;";
  Planted race(code + write, 64);
  EXPECT_EQ(race.message,
            "missing bar.sync: warp 0 writes 4 bytes at shared address 0 "
            "(`tile` + 0), but warp 1 has read byte 0 at PTX line 18 and no "
            "barrier is in between (a shared-memory race)");
  EXPECT_EQ(Planted(code + "bar.sync 0;" + write, 64).text, "");
}

TEST(Diagnostics, BytesOfAWordAreToldApart) {
  std::string code = std::string(tile) +
                     "st.shared.u8 [%r0], %r0; bar.sync 0;"
                     "xor.b32 %r1, %r0, 32; ld.shared.u8 %r2, [%r1];";
  EXPECT_EQ(Planted(code + "ret;", 64).text, "");
  // Neighbouring bytes of one word belong to different warps.
  std::string mixed = std::string(tile) +
                      "and.b32 %r1, %r0, 31; shl.b32 %r1, %r1, 1;"
                      "shr.u32 %r2, %r0, 5; add.u32 %r1, %r1, %r2;"
                      "st.shared.u8 [%r1], %r0; ld.shared.u8 %r3, [%r1]; ";
  EXPECT_EQ(Planted(mixed + "ret;", 64).text, "");
  EXPECT_NE(Planted(mixed + "st.shared.u8 [5], %r0; ret;", 64)
                .message.find("missing bar.sync"),
            std::string::npos);
}

TEST(Diagnostics, AtomicsDoNotRace) {
  std::string code = std::string(tile) +
                     "setp.eq.u32 %p1, %r0, 0; @%p1 st.shared.u32 [0], %r0;"
                     "bar.sync 0; atom.shared.add.u32 %r1, [0], 1;";
  EXPECT_EQ(
      Planted(code + "bar.sync 0; ld.shared.u32 %r2, [0]; ret;", 128).text, "");
  EXPECT_NE(Planted(code + "ld.shared.u32 %r2, [0]; ret;", 128)
                .message.find("missing bar.sync"),
            std::string::npos);
}

TEST(Diagnostics, NamedBarriersOrder) {
  // Warps 0 and 1 meet at barrier 1; warp 2 does not.
  std::string code = std::string(tile) +
                     "setp.lt.u32 %p1, %r0, 32; setp.ge.u32 %p2, %r0, 64;"
                     "@%p1 st.shared.u32 [0], %r0; @%p2 bra $END;"
                     "bar.sync 1, 64; $END: ld.shared.u32 %r1, [0];";
  EXPECT_EQ(Planted(code + "ret;", 64).text, "");
  EXPECT_NE(Planted(code + "ret;", 96).message.find("missing bar.sync: warp 2"),
            std::string::npos);
}

TEST(Diagnostics, MissingWaitGroup) {
  std::string copy = std::string(tile) +
                     "shl.b32 %r1, %r0, 4; and.b32 %r1, %r1, 255;"
                     "cvt.u64.u32 %rd3, %r1; add.u64 %rd3, %rd3, %rd0;\n"
                     "setp.lt.u32 %p1, %r0, 16;\n"
                     "@%p1 cp.async.cg.shared.global [%r1], [%rd3], 16;\n"
                     "cp.async.commit_group;\n";
  EXPECT_EQ(Planted(copy + "cp.async.wait_group 0; ld.shared.u32 %r2, [%r1]; "
                           "ret;")
                .text,
            "");
  Planted bug(copy + "cp.async.wait_group 1; ld.shared.u32 %r2, [%r1]; ret;");
  EXPECT_EQ(bug.message,
            "missing cp.async.wait_group: reads 4 bytes at shared address 0 "
            "(`tile` + 0), but byte 0 belongs to a cp.async of thread (0,0,0) "
            "at PTX line 19 whose group has not been waited for");
  // What is waited for, but without a barrier, is a race with other warps.
  Planted race(copy + "cp.async.wait_all; ld.shared.u32 %r2, [%r1]; ret;", 64);
  EXPECT_NE(race.message.find("missing bar.sync: warp 1"), std::string::npos)
      << race.message;
  EXPECT_EQ(Planted(copy + "cp.async.wait_all; bar.sync 0; "
                           "ld.shared.u32 %r2, [%r1]; ret;",
                    64)
                .text,
            "");
}

TEST(Diagnostics, OverwritingWhatIsStillRead) {
  // The next stage is copied into a buffer that the other warp still reads.
  std::string code = std::string(tile) +
                     "setp.lt.u32 %p1, %r0, 32; shl.b32 %r1, %r0, 2;"
                     "@%p1 st.shared.u32 [%r1], %r0; bar.sync 0;"
                     "@!%p1 ld.shared.u32 %r2, [0];";
  std::string copy = "setp.eq.u32 %p2, %r0, 0;"
                     "@%p2 cp.async.cg.shared.global [0], [%rd0], 16; ret;";
  EXPECT_EQ(Planted(code + "bar.sync 0;" + copy, 64).text, "");
  bool isFound = false;
  for (uint64_t seed = 0; seed < 20; ++seed)
    isFound |=
        Planted(code + copy, 64, seed).message.find("missing bar.sync") == 0;
  EXPECT_TRUE(isFound);
}

TEST(Diagnostics, CopySizes) {
  EXPECT_EQ(Planted(std::string(tile) + "mov.u32 %r1, 17; cp.async.cg.shared."
                                        "global [0], [%rd0], 16, %r1; ret;")
                .message,
            "the source size 17 is more than the copy's 16 bytes");
  EXPECT_NE(
      Planted(std::string(tile) +
              "cp.async.cg.shared.global [8], [%rd0], 16; ret;")
          .message.find("misaligned: writes 16 bytes at shared address 8"),
      std::string::npos);
  EXPECT_NE(Planted(std::string(tile) +
                    "cp.async.cg.shared.global [0], [%rd0+4], 16; ret;")
                .message.find("misaligned: the source address"),
            std::string::npos);
}

TEST(Diagnostics, DivergentBarrier) {
  Planted bug("setp.lt.u32 %p1, %r0, 8;\n@%p1 bra $A;\nbar.sync 0;\nret;\n$A: "
              "bar.sync 0;\nret;");
  EXPECT_EQ(bug.message,
            "divergent barrier: lanes 0xff of the warp wait here, lanes "
            "0xffffff00 at PTX line 19; all threads of a warp must come here "
            "together");
  EXPECT_EQ(bug.device.fault.line, 21);
}

TEST(Diagnostics, BarrierCounts) {
  EXPECT_EQ(Planted("bar.sync 0, 40; ret;", 64).message,
            "wrong thread count of a barrier: 40 is no multiple of the warp "
            "size");
  EXPECT_EQ(Planted("bar.sync 0, 96; ret;", 64).message,
            "wrong thread count of a barrier: 96 is more than the block has");
  EXPECT_EQ(Planted("mov.u32 %r1, 0; bar.sync 0, %r1; ret;", 64).message,
            "wrong thread count of a barrier: 0");
  EXPECT_EQ(Planted("setp.lt.u32 %p1, %r0, 32; @%p1 bra $A; bar.sync 0, 64; "
                    "ret; $A: bar.sync 0; ret;",
                    64)
                .message,
            "wrong thread count of a barrier: barrier 0 already waits for all "
            "threads, this warp names 64");
  EXPECT_EQ(Planted("mov.u32 %r1, 16; bar.sync %r1; ret;").message,
            "there is no barrier 16; a block has 16");
}

TEST(Diagnostics, Deadlock) {
  EXPECT_EQ(Planted("setp.lt.u32 %p1, %r0, 32; @%p1 bra $A; bar.sync 1; ret; "
                    "$A: bar.sync 0; ret;",
                    64)
                .message,
            "deadlock: all warps wait; barrier 0 waits for 64 threads, 32 have "
            "arrived; barrier 1 waits for 64 threads, 32 have arrived");
}

TEST(Diagnostics, MisusedMasks) {
  std::string head = "setp.lt.u32 %p1, %r0, 16;\n";
  EXPECT_EQ(Planted(head + "@%p1 shfl.sync.down.b32 %r1, %r0, 1, 31, 0xfffe; "
                           "ret;")
                .message,
            "the lane (0) is not in its own member mask 0xfffe");
  EXPECT_EQ(Planted(head + "@%p1 bra $A; vote.sync.any.pred %p2, %p1, -1;\n"
                           "ret;\n$A: vote.sync.any.pred %p2, %p1, -1; ret;")
                .message,
            "lane 16 named in the mask waits elsewhere, at PTX line 18");
  EXPECT_EQ(Planted("shfl.sync.down.b32 %r1, %r0, 8, 31, -1; ret;", 12).message,
            "lane 12 named in the mask, from which the lane reads, has exited");
  EXPECT_EQ(Planted(head + "selp.b32 %r1, 0xffff, 0xffffffff, %p1;"
                           "vote.sync.any.pred %p2, %p1, %r1; ret;")
                .message,
            "lanes 16 and 0 meet with different member masks, 0xffffffff and "
            "0xffff");
  EXPECT_EQ(Planted(head + "@%p1 shfl.sync.idx.b32 %r1, %r0, 20, 31, 0xffff; "
                           "ret;")
                .message,
            "reads from lane 20, which is not named in the mask 0xffff");
}

TEST(Diagnostics, Matrices) {
  std::string decl = std::string(tile) + "shl.b32 %r1, %r0, 2;";
  EXPECT_NE(Planted(decl + "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, "
                           "[%r1]; ret;")
                .message.find("uninitialized shared memory: reads 16 bytes"),
            std::string::npos);
  std::string rows =
      std::string(tile) + "shl.b32 %r1, %r0, 3; st.shared.u64 [%r1], %rd0;";
  EXPECT_EQ(Planted(rows + "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, "
                           "[%r1]; ret;")
                .message,
            "misaligned: reads 16 bytes at shared address 8 (`tile` + 8), "
            "which is no multiple of 16");
  std::string mma = "mma.sync.aligned.m16n8k16.row.col.s32.u8.u8.s32 "
                    "{%r1,%r2,%r3,%r4}, {%r5,%r6}, {%r7}, {%r1,%r2,%r3,%r4};";
  EXPECT_EQ(Planted(mma + "ret;", 20).message,
            "outside a converged warp: all 32 lanes must execute it, but lane "
            "20 has exited");
  EXPECT_NE(Planted("setp.eq.u32 %p1, %r0, 3; @%p1 bra $A;" + mma +
                    "$A: bar.sync 0; ret;")
                .message.find("divergent barrier: lanes"),
            std::string::npos);
}

TEST(Diagnostics, TrapAndEndlessLoops) {
  EXPECT_EQ(Planted("setp.eq.u32 %p1, %r0, 5; @%p1 trap; ret;").text,
            "kernel `k`, PTX line 17 (trap), block (0,0,0), thread (5,0,0): "
            "trap: the kernel has ended itself");
  Planted endless("$A: bra $A;");
  EXPECT_EQ(endless.device.fault.kind, FaultKind::Timeout);
  EXPECT_EQ(endless.message, "the kernel does not end: its warps have executed "
                             "100000 instructions, the limit");
}

TEST(Diagnostics, LaunchesThatAreRefused) {
  auto refusal = [](Dim3 grid, Dim3 block, uint32_t dynamic = 0) {
    Simulated device(header() + ".entry k() .reqntid 64 { ret; } "
                                ".entry l() { ret; }");
    device.config.grid = grid;
    device.config.block = block;
    device.config.dynamicSharedBytes = dynamic;
    std::string text = device.faultOf(block.x == 32 ? "k" : "l", {});
    EXPECT_EQ(device.fault.kind, FaultKind::InvalidParameter);
    return text;
  };
  EXPECT_EQ(refusal({0, 1, 1}, {1, 1, 1}),
            "kernel `l`: the grid (0,1,1) of blocks (1,1,1) is empty");
  EXPECT_EQ(refusal({1, 65536, 1}, {1, 1, 1}),
            "kernel `l`: the grid (1,65536,1) is too large");
  EXPECT_EQ(refusal({1, 1, 1}, {64, 17, 1}),
            "kernel `l`: a block (64,17,1) has more than 1024 threads");
  EXPECT_EQ(refusal({1, 1, 1}, {32, 1, 1}),
            "kernel `k`: the kernel requires blocks of (64,1,1) threads, not "
            "(32,1,1)");
  EXPECT_EQ(refusal({1, 1, 1}, {1, 1, 1}, 300000),
            "kernel `l`: 300000 bytes of shared memory are more than the "
            "232448 that a block can have");
}

TEST(DeviceMemory, Describes) {
  DeviceMemory memory(1 << 20);
  uint64_t a = memory.allocate(4096), b = memory.allocate(100);
  EXPECT_EQ(a % 256, 0u);
  EXPECT_EQ(memory.used(), 4196u);
  EXPECT_EQ(memory.allocate(1 << 20), 0u);
  EXPECT_EQ(memory.allocate(0), 0u);
  EXPECT_EQ(*memory.at(a, 1), 0xff);
  EXPECT_EQ(memory.at(a + 1, 4096), nullptr);
  EXPECT_EQ(memory.at(a + 4096, 1), nullptr);
  EXPECT_EQ(memory.describe(0, 4), "a null pointer");
  EXPECT_EQ(memory.describe(a + 4112, 4),
            "16 bytes past the end of an allocation of 4096 bytes");
  EXPECT_EQ(memory.describe(b - 1, 4),
            "1 byte before an allocation of 100 bytes");
  EXPECT_EQ(memory.describe(b + 98, 4),
            "reaching 2 bytes past the end of an allocation of 100 bytes");
  EXPECT_EQ(memory.live().size(), 2u);
  EXPECT_FALSE(memory.free(a + 1));
  EXPECT_TRUE(memory.free(a));
  EXPECT_FALSE(memory.free(a));
  EXPECT_EQ(memory.describe(a + 8, 4),
            "at byte 8 of 4096 bytes in memory that has been freed");
  EXPECT_NE(memory.allocate(4096), a);
}

} // namespace
} // namespace ndl::test

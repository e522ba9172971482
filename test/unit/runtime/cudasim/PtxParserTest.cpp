// Parsing PTX: what is understood, and what is refused with which words.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Simulated.h"

#include <random>

namespace ndl::test {
namespace {

using namespace cudasim;

/// "line N: message", or "" if the text is good.
std::string refusalOf(const std::string &text) {
  Module module;
  Diagnostic diagnostic;
  if (parse(text, module, diagnostic))
    return "";
  EXPECT_TRUE(module.kernels().empty());
  return "line " + std::to_string(diagnostic.line) + ": " + diagnostic.message;
}

/// Of statements in a kernel that begin on line 1.
std::string refusalIn(const std::string &statements) {
  std::string text = refusalOf(
      ".version 7.8 .target sm_80 .address_size 64 .entry k(.param .u64 q) { "
      ".reg .pred %p<4>; .reg .b16 %h<4>; .reg .b32 %r<9>; .reg .b64 %rd<9>; "
      ".reg .f32 %f<4>; .shared .align 4 .b8 tile[64]; " +
      statements + " }");
  return text.rfind("line 1: ", 0) == 0 ? text.substr(8) : text;
}

TEST(PtxParser, ReadsAModule) {
  Simulated device(R"(//
// Generated
.version 8.3
.target sm_90a, debug
.address_size 64
.file 1 "x.cu"
.global .align 4 .b8 values[12] = {1, 2, 0x03, 4};
.global .align 8 .u64 table[2] = {generic(values), values+8};
.const .align 4 .f32 scale = 0f40000000;
.extern .shared .align 32 .b8 dynamic[];
.section .debug_info { .b8 1, 2 }
.visible .entry first(
  .param .u32 a,
  .param .align 16 .b8 b[24],
  .param .u64 .ptr .global .align 16 c
)
.reqntid 64, 2
.minnctapersm 3
{ .reg .b32 %r<3>; .reg .b64 %rd<2>; .reg .pred %p; .reg .b16 %h1;
  .shared .align 16 .b8 tile[40];
  .local .align 8 .b8 depot[24];
  .loc 1 2 3
  mov.u32 %r1, tile; mov.u64 %rd1, depot; st.local.u64 [%rd1+8], %rd1;
  mov.u32 %r2, dynamic; setp.eq.s32 %p, %r1, %r2; cvt.u16.u32 %h1, %r1;
  ret; }
.weak .entry second() .maxntid 128 { ret; }
)");
  const Module &module = device.module;
  EXPECT_EQ(module.version(), 83);
  EXPECT_EQ(module.target(), 90);
  EXPECT_EQ(module.targetSuffix(), 'a');
  ASSERT_EQ(module.kernels().size(), 2u);
  const Kernel &first = *module.kernel("first");
  ASSERT_EQ(first.parameters.size(), 3u);
  EXPECT_EQ(first.parameters[1].offset, 16u);
  EXPECT_EQ(first.parameters[1].size, 24u);
  EXPECT_EQ(first.parameters[2].offset, 40u);
  EXPECT_EQ(first.totalParameterBytes, 48u);
  EXPECT_EQ(first.requiredThreads[0], 64u);
  EXPECT_EQ(first.requiredThreads[1], 2u);
  EXPECT_EQ(first.minimumBlocks, 3u);
  EXPECT_EQ(first.line, 12);
  // 40 bytes of tile, then the dynamic memory at a multiple of 32.
  EXPECT_EQ(first.staticSharedBytes, 64u);
  EXPECT_EQ(first.localBytes, 32u);
  EXPECT_EQ(first.registers32, 2u);
  EXPECT_EQ(first.registers64, 1u);
  EXPECT_EQ(first.registers16, 1u);
  EXPECT_EQ(first.predicates, 1u);
  EXPECT_EQ(module.kernel("second")->maximumThreads[0], 128u);
  EXPECT_EQ(module.kernel("third"), nullptr);
  ASSERT_EQ(module.globals().size(), 3u);
  EXPECT_EQ(module.globals()[1].bytes, 16u);
  EXPECT_EQ(module.globals()[2].space, Space::Const);
  std::vector<uint64_t> table =
      device.download<uint64_t>(module.globals()[1].address, 2);
  EXPECT_EQ(table[0], module.globals()[0].address);
  EXPECT_EQ(table[1], module.globals()[0].address + 8);
  EXPECT_EQ(device.download<uint8_t>(module.globals()[0].address, 6),
            (std::vector<uint8_t>{1, 2, 3, 4, 0, 0}));
}

TEST(PtxParser, RefusesMalformedModules) {
  EXPECT_EQ(refusalOf(""), "line 1: the text must begin with .version");
  EXPECT_EQ(refusalOf(".version 7"), "line 1: malformed .version '7'");
  EXPECT_EQ(refusalOf(".version 7.0\n"),
            "line 2: .target must follow .version");
  EXPECT_EQ(refusalOf(".version 7.0 .target sm_x"),
            "line 1: unsupported .target 'sm_x'");
  std::string head = ".version 7.0 .target sm_80 ";
  EXPECT_EQ(refusalOf(head + ".address_size 32"),
            "line 1: unsupported .address_size 32; only 64 is");
  EXPECT_EQ(refusalOf(head + ".texref t;"),
            "line 1: unsupported directive '.texref'");
  EXPECT_EQ(refusalOf(head + "\n/* x"), "line 2: the comment does not end");
  EXPECT_EQ(refusalOf(head + ".file \"x"), "line 1: the string does not end");
  EXPECT_EQ(refusalOf(head + "`"), "line 1: unexpected character '`'");
  EXPECT_EQ(refusalOf(head + "\x01"), "line 1: unexpected byte 1");
  EXPECT_EQ(refusalOf(head + ".entry k() { ret; } .entry k() { ret; }"),
            "line 1: the function 'k' is defined twice");
  EXPECT_EQ(refusalOf(head + ".global .u32 a; .global .u32 a;"),
            "line 1: 'a' is declared twice");
  EXPECT_EQ(refusalOf(head + ".global .u32 a[1] = {1, 2};"),
            "line 1: too many initial values");
  EXPECT_EQ(refusalOf(head + ".extern .global .u32 a;"),
            "line 1: the variable 'a' is external; linking modules is not "
            "supported");
  EXPECT_EQ(refusalOf(head + ".global .u32 a[99999999][99999999];"),
            "line 1: the array is too large");
  EXPECT_EQ(refusalOf(head + ".global .align 3 .u32 a;"),
            "line 1: an alignment is a power of two");
  EXPECT_EQ(refusalOf(head + ".entry k() { ret;"),
            "line 1: the body of 'k' does not end");
  EXPECT_EQ(refusalOf(head + ".entry k() .maxclusterrank 4 { ret; }"),
            "line 1: unsupported directive '.maxclusterrank' of a function");
}

TEST(PtxParser, RefusesMalformedStatements) {
  EXPECT_EQ(refusalIn("frobnicate.b32 %r1, %r2;"),
            "unknown instruction `frobnicate`");
  EXPECT_EQ(refusalIn("add.s32.foo %r1, %r1, %r2;"),
            "`add.s32.foo`: unsupported modifier `.foo`");
  EXPECT_EQ(refusalIn("add.s32 %r1, %r1;"),
            "`add.s32`: wrong number of operands, 2");
  EXPECT_EQ(refusalIn("add.s32 %r1, %rd1, %r2;"),
            "`add.s32`: the operand `%rd1` is .b64, which does not fit .s32");
  EXPECT_EQ(refusalIn("add.b8 %r1, %r1, %r2;"),
            "`add.b8`: the operand `%r1` is .b32, which does not fit .b8");
  EXPECT_EQ(refusalIn("mov.u32 %r1, nowhere;"),
            "`mov.u32`: undefined symbol `nowhere`");
  EXPECT_EQ(refusalIn("mov.u32 %r1, %envreg3;"),
            "`mov.u32`: unknown register `%envreg3`");
  EXPECT_EQ(refusalIn("mov.u32 %r99, 0;"),
            "`mov.u32`: a result must be a register");
  EXPECT_EQ(refusalIn("mov.u32 %r01, 0;"),
            "`mov.u32`: a result must be a register");
  EXPECT_EQ(refusalIn("ld.shared.u32 %r1, [nowhere];"),
            "undefined symbol 'nowhere'");
  EXPECT_EQ(refusalIn("bra $L1;"), "undefined label '$L1'");
  EXPECT_EQ(refusalIn("{ $L1: } bra $L1;"), "undefined label '$L1'");
  EXPECT_EQ(refusalIn("$L1: $L1: ret;"), "the label '$L1' is defined twice");
  EXPECT_EQ(refusalIn(".reg .b32 %r<4>;"), "'%r' is declared twice");
  EXPECT_EQ(refusalIn(".reg .b32 %x<99999999>;"), "too many registers");
  EXPECT_EQ(refusalIn("mov.u32 %r1, 0x1g;"), "malformed number");
  EXPECT_EQ(refusalIn("mov.u32 %r1, 99999999999999999999;"),
            "the number does not fit into 64 bits");
  EXPECT_EQ(refusalIn("mov.f32 %f1, 0f3F80;"),
            "a floating-point constant has 8 hexadecimal digits after 0f");
  EXPECT_EQ(refusalIn("add.f32 %f1, %f1, 1;"),
            "`add.f32`: the constant `1` is no floating-point constant");
  EXPECT_EQ(refusalIn("add.s32 %r1, %r1, 0f3F800000;"),
            "`add.s32`: the constant `0f3F800000` is no integer");
  EXPECT_EQ(refusalIn("@%r1 ret;"), "expected a predicate after '@'");
  EXPECT_EQ(refusalIn("fma.f32 %f1, %f1, %f1, %f1;"),
            "`fma.f32`: a rounding mode is missing or wrong");
  EXPECT_EQ(refusalIn("cvt.s32.f32 %r1, %f1;"),
            "`cvt.s32.f32`: a rounding mode is missing");
  EXPECT_EQ(refusalIn("setp.lt.b32 %p1, %r1, %r2;"),
            "`setp.lt.b32`: the comparison does not exist for that type");
  EXPECT_EQ(refusalIn("ld.shared.v4.u64 {%rd1,%rd2,%rd3,%rd4}, [tile];"),
            "`ld.shared.v4.u64`: too many bytes for one access");
  EXPECT_EQ(refusalIn("st.const.u32 [tile], %r1;"),
            "`st.const.u32`: unsupported type or combination of modifiers");
  EXPECT_EQ(refusalIn("ld.shared.v2.u32 %r1, [tile];"),
            "`ld.shared.v2.u32`: an operand has 1 elements, not 2");
  EXPECT_EQ(refusalIn("shfl.down.b32 %r1, %r1, 1, 31;"),
            "`shfl.down.b32`: the form without .sync is not supported: it is "
            "gone since sm_70");
  EXPECT_EQ(refusalIn("call %rd1, ();"),
            "`call`: indirect calls are not supported");
  EXPECT_EQ(refusalIn("call gone, ();"),
            "`call`: the function `gone` is not defined in this module");
  EXPECT_EQ(refusalIn("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 "
                      "{%rd1,%rd2},{%rd3},{%rd4},{%rd1,%rd2};"),
            "`mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64`: "
            "mma.sync.aligned of a supported shape with .row.col and four "
            "types is needed");
  EXPECT_EQ(refusalIn("cp.async.ca.shared.global [tile], [%rd1], 12;"),
            "`cp.async.ca.shared.global`: the size must be a constant: 16, or "
            "with .ca 4 or 8");
}

TEST(PtxParser, RefusesRecursion) {
  EXPECT_EQ(refusalOf(header() +
                      ".func f() { call f; ret; } .entry k() { call f; ret; }"),
            "line 4: recursive calls from `k` are not supported");
}

TEST(PtxParser, ScopesNest) {
  Simulated device(kernel(R"(
  { .reg .b32 %r1; mov.u32 %r1, 7;
    { .reg .b32 %r1; mov.u32 %r1, 9; bra $L; $L: st.global.u32 [%rd0], %r1; }
    bra $L; $L:
    st.global.u32 [%rd0+4], %r1; }
  mov.u32 %r1, 5; st.global.u32 [%rd0+8], %r1;
  ret;)"));
  uint64_t out = device.upload(std::vector<uint32_t>(3));
  device.expectRun("k", {out, 0, 0});
  EXPECT_EQ(device.download<uint32_t>(out, 3),
            (std::vector<uint32_t>{9, 7, 5}));
}

TEST(PtxParser, NeverCrashes) {
  std::string good = header() + R"(
.global .align 4 .u32 table[4] = {1, -2, 0x3, table+4};
.func (.param .b32 r) f(.param .b32 a) { .reg .b32 %r<3>; ld.param.b32 %r1, [a];
  st.param.b32 [r], %r1; ret; }
.visible .entry k(.param .u64 q, .param .align 4 .b8 s[8]) .reqntid 32, 1, 1 {
  .reg .pred %p<3>; .reg .b32 %r<9>; .reg .f32 %f<4>; .reg .b64 %rd<4>;
  .shared .align 16 .b8 tile[256];
  { .param .b32 a0; .param .b32 r0; st.param.b32 [a0], 5;
    call.uni (r0), f, (a0); ld.param.b32 %r1, [r0]; }
  $T: .branchtargets $A, $B;
  brx.idx %r1, $T; $A: @!%p1 bra $B; $B:
  mov.b64 %rd1, {%r1, %r2}; ld.shared.v2.f32 {%f1, _}, [tile+-8];
  shfl.sync.down.b32 %r1|%p1, %r2, 0d3FF0000000000000, 31, -1;
  mma.sync.aligned.m16n8k16.row.col.s32.u8.s8.s32 {%r1,%r2,%r3,%r4},
    {%r1,%r2}, {%r3}, {%r1,%r2,%r3,%r4};
  cp.async.cg.shared.global [tile], [%rd1+16], 16, %r3;
  lop3.b32 %r1, %r2, %r3, %r4, 0x96; ret; }
)";
  std::mt19937 random(7);
  const std::string pieces[] = {"{",  "}",   "[",  "<", ".",
                                "%",  "\"",  "/*", "-", "99999999999",
                                "0x", ".v4", "|",  "(", "\n"};
  for (size_t i = 0; i < good.size(); ++i) {
    refusalOf(good.substr(0, i));
    std::string changed = good;
    changed[i] = static_cast<char>(random() % 128);
    refusalOf(changed);
    changed = good;
    changed.replace(i, random() % 6, pieces[random() % std::size(pieces)]);
    refusalOf(changed);
    changed = good;
    changed.erase(i, 1 + random() % 20);
    refusalOf(changed);
  }
}

TEST(PtxParser, DeepNestingIsNoStackOverflow) {
  EXPECT_EQ(refusalIn(std::string(100000, '{')),
            "the body of 'k' does not end");
  EXPECT_NE(refusalIn("mov.u32 " + std::string(100000, '(')), "");
  EXPECT_NE(refusalIn("mov.u32 %r1, " + std::string(100000, '-')), "");
}

} // namespace
} // namespace ndl::test

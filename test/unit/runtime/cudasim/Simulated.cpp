// Runs PTX on the simulated device, for tests.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Simulated.h"

namespace ndl::test {

using namespace cudasim;

Simulated::Simulated(const std::string &ptx) {
  Diagnostic diagnostic;
  bool isGood = parse(ptx, module, diagnostic);
  EXPECT_TRUE(isGood) << "line " << diagnostic.line << ": "
                      << diagnostic.message << "\n"
                      << ptx;
  if (!isGood)
    return;
  for (size_t i = 0; i < module.globals().size(); ++i)
    module.bindGlobal(i, memory.allocate(module.globals()[i].bytes));
  for (size_t i = 0; i < module.globals().size(); ++i) {
    std::vector<uint8_t> initial = module.initialBytes(i);
    std::memcpy(memory.at(module.globals()[i].address, initial.size()),
                initial.data(), initial.size());
  }
}

bool Simulated::run(const std::string &name,
                    const std::vector<uint64_t> &parameters) {
  const Kernel *kernel = module.kernel(name);
  EXPECT_NE(kernel, nullptr) << name;
  if (!kernel)
    return false;
  std::vector<uint8_t> buffer(kernel->totalParameterBytes);
  EXPECT_EQ(kernel->parameters.size(), parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i)
    std::memcpy(buffer.data() + kernel->parameters[i].offset, &parameters[i],
                kernel->parameters[i].size);
  return launch(module, *kernel, config, buffer.data(), memory, fault);
}

std::string Simulated::faultOf(const std::string &name,
                               const std::vector<uint64_t> &parameters) {
  return run(name, parameters) ? "" : fault.text();
}

void Simulated::expectRun(const std::string &name,
                          const std::vector<uint64_t> &parameters) {
  EXPECT_EQ(faultOf(name, parameters), "");
}

std::string header(const std::string &target) {
  return ".version 7.8\n.target " + target + "\n.address_size 64\n";
}

std::string kernel(const std::string &statements) {
  return header() + R"(
.visible .entry k(.param .u64 q0, .param .u64 q1, .param .u64 q2)
{
  .reg .pred %p<10>;
  .reg .b16 %h<10>;
  .reg .b32 %r<100>;
  .reg .f32 %f<10>;
  .reg .b64 %rd<10>;
  .reg .f64 %fd<10>;
  ld.param.u64 %rd0, [q0];
  ld.param.u64 %rd1, [q1];
  ld.param.u64 %rd2, [q2];
  mov.u32 %r0, %tid.x;
)" + statements +
         "\n}\n";
}

std::vector<uint64_t> evaluate(const std::string &statements,
                               const std::string &result,
                               const std::vector<uint64_t> &a,
                               const std::vector<uint64_t> &b,
                               const std::vector<uint64_t> &c) {
  std::string toResult = result == "%dd"  ? "mov.b64 %out, %dd;"
                         : result == "%d" ? "cvt.u64.u32 %out, %d;"
                         : result == "%dh"
                             ? "cvt.u64.u16 %out, %dh;"
                             : "selp.b64 %out, 1, 0, " + result + ";";
  std::string text = header("sm_90") + R"(
.visible .entry k(.param .u64 qa, .param .u64 qb, .param .u64 qc,
                  .param .u64 qd, .param .u32 qn)
{
  .reg .b64 %ad, %bd, %cd, %dd, %out, %at, %from;
  .reg .b32 %a, %b, %c, %d, %e, %n, %i;
  .reg .b16 %ah, %bh, %ch, %dh;
  .reg .pred %pa, %pb, %pc, %pd, %pe, %past;
  ld.param.u32 %n, [qn];
  mov.u32 %i, %ctaid.x;
  shl.b32 %i, %i, 5;
  mov.u32 %a, %tid.x;
  add.u32 %i, %i, %a;
  setp.ge.u32 %past, %i, %n;
  @%past ret;
  mul.wide.u32 %at, %i, 8;
  ld.param.u64 %from, [qa];
  add.u64 %from, %from, %at;
  ld.global.b64 %ad, [%from];
  ld.param.u64 %from, [qb];
  add.u64 %from, %from, %at;
  ld.global.b64 %bd, [%from];
  ld.param.u64 %from, [qc];
  add.u64 %from, %from, %at;
  ld.global.b64 %cd, [%from];
  cvt.u32.u64 %a, %ad;
  cvt.u32.u64 %b, %bd;
  cvt.u32.u64 %c, %cd;
  cvt.u16.u64 %ah, %ad;
  cvt.u16.u64 %bh, %bd;
  cvt.u16.u64 %ch, %cd;
  and.b32 %d, %a, 1;
  setp.ne.u32 %pa, %d, 0;
  and.b32 %d, %b, 1;
  setp.ne.u32 %pb, %d, 0;
  and.b32 %d, %c, 1;
  setp.ne.u32 %pc, %d, 0;
)" + statements + "\n  " +
                     toResult + R"(
  ld.param.u64 %from, [qd];
  add.u64 %from, %from, %at;
  st.global.b64 [%from], %out;
  ret;
}
)";
  Simulated device(text);
  std::vector<uint64_t> zeros(a.size());
  uint64_t out = device.upload(zeros);
  device.config.grid.x = static_cast<uint32_t>((a.size() + 31) / 32);
  device.config.block.x = 32;
  device.expectRun("k", {device.upload(a), device.upload(b.empty() ? zeros : b),
                         device.upload(c.empty() ? zeros : c), out, a.size()});
  return device.download<uint64_t>(out, a.size());
}

Operands pairsOf(const std::vector<uint64_t> &left,
                 const std::vector<uint64_t> &right) {
  Operands operands;
  for (uint64_t x : left)
    for (uint64_t y : right) {
      operands.a.push_back(x);
      operands.b.push_back(y);
    }
  return operands;
}

Operands pairsOf(const std::vector<uint64_t> &values) {
  return pairsOf(values, values);
}

Operands triplesOf(const std::vector<uint64_t> &values) {
  Operands operands;
  for (uint64_t x : values)
    for (uint64_t y : values)
      for (uint64_t z : values) {
        operands.a.push_back(x);
        operands.b.push_back(y);
        operands.c.push_back(z);
      }
  return operands;
}

std::vector<uint64_t> edges16() {
  return {0,     1,      2,      7,      0x80,   0xff,
          0x100, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff};
}

std::vector<uint64_t> edges32() {
  return {0,          1,          2,          31,         32,
          33,         0x7f,       0xff,       0xffff,     0x10000,
          0x12345678, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001,
          0xdeadbeef, 0xfffffff0, 0xfffffffe, 0xffffffff};
}

std::vector<uint64_t> edges64() {
  std::vector<uint64_t> values = edges32();
  for (uint64_t more : std::initializer_list<uint64_t>{
           63, 64, 65, uint64_t(1) << 32, (uint64_t(1) << 32) + 1,
           uint64_t(INT64_MAX), uint64_t(1) << 63, (uint64_t(1) << 63) + 1,
           0x123456789abcdef0, ~uint64_t(0) - 1, ~uint64_t(0)})
    values.push_back(more);
  return values;
}

std::vector<uint64_t> floatEdges() {
  return {0,          0x80000000, 0x00000001, 0x80000001, 0x007fffff,
          0x00800000, 0x80800000, 0x3f800000, 0xbf800000, 0x3f800001,
          0x3f7fffff, 0x40000000, 0x40490fdb, 0xc2f6e979, 0x3eaaaaab,
          0x4b000001, 0x4b7fffff, 0xcf000000, 0x4f800000, 0x5f000000,
          0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000,
          0x1e3ce508, 0x9e3ce508, 0x3f000000, 0x3fc00000, 0xc0200000};
}

std::vector<uint64_t> doubleEdges() {
  std::vector<uint64_t> values;
  for (double value : {0.0,
                       -0.0,
                       1.0,
                       -1.0,
                       0.5,
                       1.5,
                       2.5,
                       -2.5,
                       1.0 / 3,
                       3.14159265358979,
                       4.9e-324,
                       -4.9e-324,
                       2.2250738585072014e-308,
                       1e-300,
                       1e300,
                       1.7976931348623157e308,
                       -1e16,
                       9007199254740993.0,
                       1e10,
                       2147483648.5})
    values.push_back(bits<uint64_t>(value));
  values.push_back(0x7ff0000000000000);
  values.push_back(0xfff0000000000000);
  return values;
}

} // namespace ndl::test

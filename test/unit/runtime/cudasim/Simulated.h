// Runs PTX on the simulated device, for tests.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_TEST_CUDASIM_SIMULATED_H
#define NEEDLE_TEST_CUDASIM_SIMULATED_H

#include "exec/launch.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace ndl::test {

/// A device with one module.
class Simulated {
public:
  explicit Simulated(const std::string &ptx);

  template <typename T>
  uint64_t upload(const std::vector<T> &values) {
    uint64_t bytes = values.size() * sizeof(T);
    uint64_t address = memory.allocate(bytes);
    std::memcpy(memory.at(address, bytes), values.data(), bytes);
    return address;
  }
  template <typename T>
  std::vector<T> download(uint64_t address, size_t count) {
    std::vector<T> values(count);
    const uint8_t *data = memory.at(address, count * sizeof(T));
    EXPECT_NE(data, nullptr);
    if (data)
      std::memcpy(values.data(), data, count * sizeof(T));
    return values;
  }

  /// Parameters are 8 bytes each, in order.
  bool run(const std::string &name, const std::vector<uint64_t> &parameters);
  /// The fault's text, or "" if there was none.
  std::string faultOf(const std::string &name,
                      const std::vector<uint64_t> &parameters);
  void expectRun(const std::string &name,
                 const std::vector<uint64_t> &parameters);

  cudasim::DeviceMemory memory{uint64_t(1) << 32};
  cudasim::Module module;
  cudasim::LaunchConfig config;
  cudasim::Fault fault;
};

/// The module's head, before functions.
std::string header(const std::string &target = "sm_80");

/// A kernel `k(u64 p0, u64 p1, u64 p2)` with these statements; it has registers
/// %p0 … %p9 (.pred), %h0 … %h9 (.b16), %r0 … %r99, %f0 … %f9 (.f32), %rd0 …
/// %rd9, %fd0 … %fd9, and %rd0, %rd1, %rd2 hold the parameters, %r0 %tid.x.
std::string kernel(const std::string &statements);

/// What an instruction gives for each triple of operands. The statements read
/// %a, %b, %c (.b32), %ah … (.b16), %ad … (.b64), %pa … (.pred, lowest bit),
/// and write %d, %dh, %dd or %pd; `result` names that register.
std::vector<uint64_t> evaluate(const std::string &statements,
                               const std::string &result,
                               const std::vector<uint64_t> &a,
                               const std::vector<uint64_t> &b = {},
                               const std::vector<uint64_t> &c = {});

/// All pairs (or triples) of the values, one operand after another.
struct Operands {
  std::vector<uint64_t> a, b, c;
};
Operands pairsOf(const std::vector<uint64_t> &values);
Operands pairsOf(const std::vector<uint64_t> &left,
                 const std::vector<uint64_t> &right);
Operands triplesOf(const std::vector<uint64_t> &values);

/// Edge cases.
std::vector<uint64_t> edges16();
std::vector<uint64_t> edges32();
std::vector<uint64_t> edges64();
std::vector<uint64_t> floatEdges();
std::vector<uint64_t> doubleEdges();

template <typename To, typename From>
To bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

} // namespace ndl::test

#endif // NEEDLE_TEST_CUDASIM_SIMULATED_H

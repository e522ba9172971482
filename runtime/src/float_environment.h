// The floating-point environment that results are defined for.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_FLOAT_ENVIRONMENT_H
#define NEEDLE_RUNTIME_FLOAT_ENVIRONMENT_H

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ndl {

/// Rounds to nearest even and honours denormal numbers while it lives, then
/// restores what was set. Libraries in the same process may have switched
/// denormals off for the calling thread, and worker threads inherit that.
class DefaultFloatEnvironment {
public:
  DefaultFloatEnvironment() : saved(read()) {
    if ((saved & ~ignored) != defaults)
      write(defaults);
  }
  ~DefaultFloatEnvironment() {
    if ((saved & ~ignored) != defaults)
      write(saved);
  }
  DefaultFloatEnvironment(const DefaultFloatEnvironment &) = delete;
  DefaultFloatEnvironment &operator=(const DefaultFloatEnvironment &) = delete;

private:
#if defined(__x86_64__)
  /// MXCSR: all exceptions masked; its low six bits are sticky flags.
  static constexpr uint64_t defaults = 0x1f80;
  static constexpr uint64_t ignored = 0x3f;
  static uint64_t read() { return _mm_getcsr(); }
  static void write(uint64_t value) {
    _mm_setcsr(static_cast<uint32_t>(value));
  }
#elif defined(__aarch64__)
  static constexpr uint64_t defaults = 0;
  static constexpr uint64_t ignored = 0;
  static uint64_t read() {
    uint64_t value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void write(uint64_t value) {
    __asm__ volatile("msr fpcr, %0" : : "r"(value));
  }
#else
  static constexpr uint64_t defaults = 0;
  static constexpr uint64_t ignored = 0;
  static uint64_t read() { return 0; }
  static void write(uint64_t) {}
#endif

  uint64_t saved;
};

} // namespace ndl

#endif // NEEDLE_RUNTIME_FLOAT_ENVIRONMENT_H

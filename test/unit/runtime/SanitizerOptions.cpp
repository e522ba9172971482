// Makes sanitizers strict where a failing test would be missed, and lenient
// where a test asks for the impossible on purpose.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// NOLINTBEGIN(readability-identifier-naming): these are the sanitizers' names.
extern "C" {

// Requests for more memory than there is must fail, as they do without.
const char *__asan_default_options() { return "allocator_may_return_null=1"; }

const char *__ubsan_default_options() {
  return "halt_on_error=1:print_stacktrace=1";
}

// A test starts threads in a forked child.
const char *__tsan_default_options() {
  return "allocator_may_return_null=1:die_after_fork=0:halt_on_error=1";
}
}
// NOLINTEND(readability-identifier-naming)

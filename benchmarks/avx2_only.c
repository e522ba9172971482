// Makes libraries in this process believe that the CPU ends at AVX2.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Some libraries choose their kernels by CPUID alone, without a variable to say
// otherwise. Their cpuid instructions, at known places, are replaced by ud2,
// which is as long; a handler of SIGILL then answers in place of the CPU,
// without what goes beyond AVX2. Built as a shared library, and called by
// kernel_bench/contenders/avx2_only.py.

#define _GNU_SOURCE // REG_RIP

#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { MAX_PLACES = 1024, LENGTH = 2, EXTENDED_FEATURES = 7 };

static const uint8_t *places[MAX_PLACES];
static size_t count;
static struct sigaction previous;

/// What CPUID says of leaf 7 without AVX-512, VNNI, AMX and later vectors.
static void hide(uint32_t subleaf, uint32_t regs[4]) {
  if (subleaf == 0) {
    // F, DQ, IFMA, PF, ER, CD, BW, VL.
    regs[1] &= ~(1u << 16 | 1u << 17 | 1u << 21 | 7u << 26 | 3u << 30);
    // VBMI, VBMI2, GFNI, VAES, VPCLMULQDQ, VNNI, BITALG, VPOPCNTDQ.
    regs[2] &= ~(1u << 1 | 1u << 6 | 7u << 8 | 3u << 11 | 1u << 14);
    // 4VNNIW, 4FMAPS, VP2INTERSECT, AMX and FP16.
    regs[3] &= ~(3u << 2 | 1u << 8 | 0xfu << 22);
  } else if (subleaf == 1) {
    regs[0] = 0; // AVX-VNNI, BF16, AMX-FP16, AVX-IFMA
    regs[3] = 0; // AVX-VNNI-INT8, -INT16, AVX10
  }
}

static int is_place(const uint8_t *at) {
  for (size_t i = 0; i < count; ++i)
    if (places[i] == at)
      return 1;
  return 0;
}

static void answer(int signal, siginfo_t *info, void *context) {
  greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
  (void)signal;
  (void)info;
  if (!is_place((const uint8_t *)regs[REG_RIP])) {
    // Not ours: it happens again, to whoever was in charge before.
    sigaction(SIGILL, &previous, NULL);
    return;
  }
  uint32_t leaf = (uint32_t)regs[REG_RAX], subleaf = (uint32_t)regs[REG_RCX];
  uint32_t values[4];
  __cpuid_count(leaf, subleaf, values[0], values[1], values[2], values[3]);
  if (leaf == EXTENDED_FEATURES)
    hide(subleaf, values);
  regs[REG_RAX] = values[0];
  regs[REG_RBX] = values[1];
  regs[REG_RCX] = values[2];
  regs[REG_RDX] = values[3];
  regs[REG_RIP] += LENGTH;
}

/// Replaces the cpuid instruction at an address. 0 if it is done, else 1: there
/// is none, the memory cannot be written, or there are too many.
int avx2_only_replace(uint8_t *at) {
  static const uint8_t cpuid[LENGTH] = {0x0f, 0xa2}, ud2[LENGTH] = {0x0f, 0x0b};
  if (count == 0) {
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    action.sa_sigaction = answer;
    if (sigaction(SIGILL, &action, &previous))
      return 1;
  }
  if (count == MAX_PLACES || memcmp(at, cpuid, LENGTH) != 0)
    return 1;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uint8_t *first = (uint8_t *)((uintptr_t)at & ~(page - 1));
  // The instruction may lie on two pages.
  size_t length = (size_t)(at + LENGTH - first);
  if (mprotect(first, length, PROT_READ | PROT_WRITE | PROT_EXEC))
    return 1;
  places[count++] = at;
  memcpy(at, ud2, LENGTH);
  return mprotect(first, length, PROT_READ | PROT_EXEC) != 0;
}

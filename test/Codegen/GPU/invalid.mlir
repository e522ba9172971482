// RUN: not needle-compile %s --emit=ptx --target=sm_80 2>&1 | FileCheck %s
// RUN: not needle-opt %s --needle-cuda-emit-kernel-library 2>&1 | FileCheck %s --check-prefix=KERNEL
// RUN: not needle-opt %s --needle-cuda-pipeline=target=sm_61 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not needle-compile %s --emit=ptx --target=avx2 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not needle-compile %s --emit=asm --target=sm_80 2>&1 | FileCheck %s --check-prefix=ASM
// RUN: not needle-compile %s --target=cuda,sm_80 -o %t 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not needle-compile %s --target=sm_61 -o %t 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// CHECK: [[@LINE+2]]:1: error: function 'main' cannot be compiled for CUDA
// CHECK-SAME: name CPU targets only
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// KERNEL: [[@LINE+1]]:1: error: 'needle_cpu.contraction_kernel' op of 'f32' and 'f32' with bias has no kernel for GPUs; there are those of f32 without bias and of ui8
needle_cpu.contraction_kernel @matmul_f32_bias (f32, f32) -> f32 bias

// TARGET: unknown CUDA target 'sm_61'; there are sm_75, sm_80, sm_90
// KIND: --emit=ptx needs a CUDA target; give one with --target, of sm_75, sm_80, sm_90
// ASM: the CUDA target 'sm_80' has no code of this kind; give CPU targets, or --emit=ptx
// TWICE: the CUDA target 'sm_80' is given twice
// UNKNOWN: unknown CPU target 'sm_61'; there are {{.*}}; CUDA targets are sm_75, sm_80, sm_90
